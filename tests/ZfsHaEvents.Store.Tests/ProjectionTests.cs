using System.Globalization;
using Npgsql;
using Shouldly;
using Xunit;
using ZfsHaEvents.Store.Projections;
using ZfsHaEvents.Store.Reading;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Store.Tests;

/// <summary>Asynchronous views: every event counted once, whoever runs them, however often they are begun anew.</summary>
public sealed class ProjectionTests(TestDatabases databases) : IAsyncLifetime
{
    static readonly TimeSpan Lease = TimeSpan.FromMinutes(10);

    readonly Tally _tally = new();
    NpgsqlDataSource? _database;
    WakeUps? _wakeUps;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    NpgsqlDataSource Database => _database!;

    ProjectionControl Control => new(Database, [_tally]);

    public async ValueTask InitializeAsync()
    {
        _database = PostgresConnection.Open(await databases.WithSchemaAsync(), "projection tests");
        _wakeUps = new(_database);
    }

    public async ValueTask DisposeAsync()
    {
        await _wakeUps!.DisposeAsync();
        await _database!.DisposeAsync();
    }

    [Fact]
    public async Task A_view_follows_the_events_and_says_how_far_it_is()
    {
        await AppendAsync("pool-1", 3);
        await AppendAsync("pool-2", 1);
        await AppendAsync("host-a", 5); // Does not concern it.
        var live = Live();
        await CatchUpAsync(live, 9);
        (await ViewAsync()).ShouldBe(["1=3", "2=1"]);

        await AppendAsync("pool-1", 2);
        (await StatusAsync("Tally:All")).EventsBehind.ShouldBe(2);
        await CatchUpAsync(live, 2);

        (await ViewAsync()).ShouldBe(["1=5", "2=1"]);
        var status = await StatusAsync("Tally:All");
        (status.EventsBehind, status.SecondsBehind, status.Running, status.LastSeqId).ShouldBe((0, 0, true, 11));
        (await VersionAsync("1")).ShouldBe(5);
    }

    [Fact]
    public async Task Of_many_runners_one_runs_and_another_takes_over_where_it_left_off()
    {
        await AppendAsync("pool-1", 4);
        var (first, second) = (Live(), Live());
        await CatchUpAsync(first, 4);
        (await second.StepAsync(Cancellation)).ShouldBeNull();

        await first.LeaveAsync(Cancellation);
        await AppendAsync("pool-1", 1);
        await CatchUpAsync(second, 1);
        (await first.StepAsync(Cancellation)).ShouldBeNull();

        (await ViewAsync()).ShouldBe(["1=5"]);
    }

    [Fact]
    public async Task A_runner_that_is_silent_for_longer_than_its_lease_is_taken_over_from_and_can_write_nothing_any_more()
    {
        await AppendAsync("pool-1", 2);
        var slow = new SlowSubscriber(new ProjectionSubscriber(Database, _tally, rebuild: false));
        var frozen = new SubscriptionRunner(Database, slow, TimeSpan.FromMilliseconds(200));
        await UntilReadableAsync(2);
        var step = Task.Run(() => frozen.StepAsync(Cancellation)); // It has the page, and stands still.
        await slow.Reached.Task;

        var other = Live();
        await CatchUpAsync(other, 2);
        await AppendAsync("pool-1", 1);
        slow.GoOn.SetResult();

        (await step).ShouldBeNull();
        (await ViewAsync()).ShouldBe(["1=2"]); // The frozen one's page was not counted a second time.
        await CatchUpAsync(other, 1);
        (await ViewAsync()).ShouldBe(["1=3"]);
    }

    [Fact]
    public async Task An_event_that_cannot_be_taken_in_parks_its_stream_and_nothing_else()
    {
        _tally.Poison = "poison";
        await AppendAsync("pool-1", 2);
        await AppendAsync("pool-1", 1, "poison");
        await AppendAsync("pool-1", 1);
        await AppendAsync("pool-2", 2);
        var live = Live();
        await CatchUpAsync(live, 6);
        await AppendAsync("pool-1", 1);
        await AppendAsync("pool-2", 1);
        await CatchUpAsync(live, 2);

        (await ViewAsync()).ShouldBe(["1=2", "2=3"]);
        var parked = (await StatusAsync("Tally:All")).Parked.ShouldHaveSingleItem();
        (parked.Stream, parked.Version, parked.Type).ShouldBe(("pool-1", 3, "poison"));
        parked.Error.ShouldContain("cannot count poison");

        var still = (await Control.ReplayAsync("Tally:All", "pool-1", Cancellation)).ShouldNotBeNull();
        (still.Version, still.Type).ShouldBe((3, "poison"));
        (await ViewAsync()).ShouldBe(["1=2", "2=3"]);

        _tally.Poison = null;
        (await Control.ReplayAsync("Tally:All", "pool-1", Cancellation)).ShouldBeNull();
        (await ViewAsync()).ShouldBe(["1=5", "2=3"]);
        (await StatusAsync("Tally:All")).Parked.ShouldBeEmpty();
        await AppendAsync("pool-1", 1);
        await CatchUpAsync(live, 1);
        (await ViewAsync()).ShouldBe(["1=6", "2=3"]); // It goes on from the replay, not from what it remembered.
        await Should.ThrowAsync<KeyNotFoundException>(() => Control.ReplayAsync("Tally:All", "pool-1", Cancellation));
    }

    [Fact]
    public async Task A_paused_view_stands_still_in_every_server_until_it_is_resumed()
    {
        await AppendAsync("pool-1", 1);
        var live = Live();
        await CatchUpAsync(live, 1);
        (await Control.PauseAsync("Tally:All", "alice", Cancellation)).ShouldBeTrue();
        await AppendAsync("pool-1", 1);
        await UntilReadableAsync(2);

        (await live.StepAsync(Cancellation)).ShouldBeNull();
        (await Live().StepAsync(Cancellation)).ShouldBeNull();
        var status = await StatusAsync("Tally:All");
        (status.PausedBy, status.PausedAt is not null, status.Running, status.EventsBehind).ShouldBe(("alice", true, false, 1));

        (await Control.ResumeAsync("Tally:All", Cancellation)).ShouldBeTrue();
        await CatchUpAsync(live, 1);
        (await ViewAsync()).ShouldBe(["1=2"]);
        (await Control.PauseAsync("Nothing:All", "alice", Cancellation)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_view_is_made_anew_beside_the_one_that_is_read_while_events_come_in()
    {
        for (var pool = 1; pool <= 5; pool++) await AppendAsync($"pool-{pool}", 3);
        var live = Live();
        await CatchUpAsync(live, 15);
        await ExecuteAsync("update zfsha.mt_doc_poolactivity set data = '{\"Count\":777}' where id = '2'"); // What the rebuild is to mend.

        (await Control.RebuildAsync(_tally, Cancellation)).ShouldBeTrue();
        (await Control.RebuildAsync(_tally, Cancellation)).ShouldBeFalse();
        var rebuild = new SubscriptionRunner(Database, new ProjectionSubscriber(Database, _tally, rebuild: true), Lease);
        (await rebuild.StepAsync(Cancellation)).ShouldBe(15);
        await AppendAsync("pool-5", 1);
        await CatchUpAsync(live, 1);
        (await ViewAsync()).ShouldBe(["1=3", "2=777", "3=3", "4=3", "5=4"]); // The old one, to the last moment, kept up.

        await CatchUpAsync(rebuild, 1);
        (await rebuild.StepAsync(Cancellation)).ShouldBe(0); // Nothing is left: it takes its place.

        (await ViewAsync()).ShouldBe(["1=3", "2=3", "3=3", "4=3", "5=4"]);
        (await Control.IsRebuildingAsync(_tally, Cancellation)).ShouldBeFalse();
        await AppendAsync("pool-2", 1);
        await Eventually.TrueAsync("the live one goes on from there", async () =>
        {
            await live.StepAsync(Cancellation);
            return (await ViewAsync()).Contains("2=4");
        });
        (await ViewAsync()).ShouldBe(["1=3", "2=4", "3=3", "4=3", "5=4"]);
    }

    [Fact]
    public async Task A_rebuild_whose_runner_dies_is_gone_on_with_by_another()
    {
        await AppendAsync("pool-1", 3);
        await CatchUpAsync(Live(), 3);
        await Control.RebuildAsync(_tally, Cancellation);
        var dead = new SubscriptionRunner(Database, new ProjectionSubscriber(Database, _tally, rebuild: true), TimeSpan.FromMilliseconds(1));
        (await dead.StepAsync(Cancellation)).ShouldBe(3);

        var other = new SubscriptionRunner(Database, new ProjectionSubscriber(Database, _tally, rebuild: true), Lease);
        await Eventually.TrueAsync("another finishes it", async () => await other.StepAsync(Cancellation) is 0 && !await Control.IsRebuildingAsync(_tally, Cancellation));

        (await ViewAsync()).ShouldBe(["1=3"]);
    }

    [Fact]
    public async Task A_view_of_a_former_version_is_read_until_the_new_one_is_made()
    {
        await AppendAsync("pool-1", 3);
        await CatchUpAsync(Live(), 3);
        var next = new Tally { Version = 2, Weight = 10 };
        var control = new ProjectionControl(Database, [next]);

        (await control.MadeByAsync(next, Cancellation)).ShouldBe(1);
        await control.RebuildAsync(next, Cancellation);
        var rebuild = new SubscriptionRunner(Database, new ProjectionSubscriber(Database, next, rebuild: true), Lease);
        await CatchUpAsync(rebuild, 3);
        (await ViewAsync()).ShouldBe(["1=3"]);
        (await rebuild.StepAsync(Cancellation)).ShouldBe(0);

        (await ViewAsync()).ShouldBe(["1=30"]);
        (await control.MadeByAsync(next, Cancellation)).ShouldBe(2);
        (await control.StatusAsync(Cancellation)).Select(s => s.Name).ShouldBe(["Tally:V2:All"]);
    }

    [Fact]
    public async Task What_holds_readers_back_is_named()
    {
        await using var forgetful = PostgresConnection.Open(new NpgsqlConnectionStringBuilder(Database.ConnectionString) { Pooling = false }.ConnectionString, "somebody's psql");
        await using var connection = await forgetful.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await using var write = new NpgsqlCommand("select pg_current_xact_id(), 'forgotten'", connection, transaction);
        await write.ExecuteNonQueryAsync(Cancellation);
        await AppendAsync("pool-1", 1);

        (await Live().StepAsync(Cancellation)).ShouldBe(0);
        var holding = (await Control.HoldingBackAsync(Cancellation)).Single(h => h.Pid == connection.ProcessID);
        (holding.Application, holding.State).ShouldBe(("somebody's psql", "idle in transaction"));
        holding.Query.ShouldNotBeNull().ShouldContain("forgotten");
        holding.Seconds.ShouldBeGreaterThan(0);
        (await StatusAsync("Tally:All")).EventsBehind.ShouldBe(1);
    }

    /// <summary>Nothing is read in between: only when it renews its lease can the runner notice.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_runner_remembers_is_void_once_somebody_else_has_seen_to_the_view(bool rebuilt)
    {
        _tally.Poison = "poison";
        await AppendAsync("pool-1", 1);
        await AppendAsync("pool-2", 1, "poison");
        await CatchUpAsync(Live(TimeSpan.FromMilliseconds(1)), 2);
        await ExecuteAsync("update zfsha.mt_doc_poolactivity set data = '{\"Count\":777}' where id = '1'");
        var live = Live(TimeSpan.FromMilliseconds(1));
        await AppendAsync("pool-1", 1);
        await CatchUpAsync(live, 1);
        (await ViewAsync()).ShouldBe(["1=778"]); // It remembers that, and that pool-2 is parked.

        _tally.Poison = null;
        if (rebuilt)
        {
            await Control.RebuildAsync(_tally, Cancellation);
            var rebuild = new SubscriptionRunner(Database, new ProjectionSubscriber(Database, _tally, rebuild: true), Lease);
            await Eventually.TrueAsync("it is made anew", async () => await rebuild.StepAsync(Cancellation) is 0 && !await Control.IsRebuildingAsync(_tally, Cancellation));
        }
        else
        {
            (await Control.ReplayAsync("Tally:All", "pool-2", Cancellation)).ShouldBeNull();
        }

        await Task.Delay(20, Cancellation);
        (await live.StepAsync(Cancellation)).ShouldBe(0);
        foreach (var stream in (string[])["pool-1", "pool-2"]) await AppendAsync(stream, 1);
        await CatchUpAsync(live, 2);

        (await ViewAsync()).ShouldBe([rebuilt ? "1=3" : "1=779", "2=2"]);
    }

    SubscriptionRunner Live() => Live(Lease);

    SubscriptionRunner Live(TimeSpan lease) => new(Database, new ProjectionSubscriber(Database, _tally, rebuild: false), lease);

    async Task AppendAsync(string stream, int count, string type = "pool_observed")
    {
        var store = new PostgresEventStore(Database, _wakeUps!);
        var read = await store.LoadAsync(stream, Cancellation);
        var commit = new Commit(stream, "pool", read.Version, read.Now, null) { Events = [.. Enumerable.Range(0, count).Select(_ => PostgresOnlyTests.Event() with { Type = type })] };
        (await store.CommitAsync(commit, Cancellation)).ShouldBe(CommitResult.Committed);
    }

    /// <summary>Other tests write into other databases of the same PostgreSQL, and their transactions count.</summary>
    static Task CatchUpAsync(SubscriptionRunner runner, int events)
    {
        var read = 0;
        return Eventually.TrueAsync(string.Create(CultureInfo.InvariantCulture, $"{runner.Name} has taken in {events} events"), async () => (read += await runner.StepAsync(Cancellation) ?? 0) >= events);
    }

    Task UntilReadableAsync(int events) => Eventually.TrueAsync("the events can be read", async () => (await new EventReader(Database).AfterAsync(Position.Start, 1000, Cancellation)).Count >= events);

    async Task<ReaderStatus> StatusAsync(string name) => (await Control.StatusAsync(Cancellation)).Single(s => s.Name == name);

    Task<List<string>> ViewAsync() => ListAsync("select id || '=' || (data ->> 'Count') from zfsha.mt_doc_poolactivity order by id");

    async Task<long> VersionAsync(string id) => long.Parse((await ListAsync($"select mt_version::text from zfsha.mt_doc_poolactivity where id = '{id}'"))[0], CultureInfo.InvariantCulture);

    async Task<List<string>> ListAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        var rows = new List<string>();
        while (await reader.ReadAsync(Cancellation)) rows.Add(reader.GetString(0));
        return rows;
    }

    async Task ExecuteAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    /// <summary>Counts a pool's events.</summary>
    sealed class Tally : IProjection
    {
        public string Name => "Tally";

        public int Version { get; init; } = 1;

        public int Weight { get; init; } = 1;

        public string Kind => "poolactivity";

        public string DotnetType => "Tests.Tally";

        /// <summary>The type of events that it cannot count.</summary>
        public string? Poison { get; set; }

        public string? DocumentOf(string stream) => stream.StartsWith("pool-", StringComparison.Ordinal) ? stream[5..] : null;

        public object Read(string? json)
        {
            if (json is null) return 0L;
            using var document = System.Text.Json.JsonDocument.Parse(json);
            return document.RootElement.GetProperty("Count").GetInt64();
        }

        public object Apply(object document, StoredEvent e) => e.Type == Poison ? throw new InvalidOperationException($"cannot count {e.Type}") : (long)document + Weight;

        public string Write(object document) => $$"""{"Count":{{(long)document}}}""";
    }

    /// <summary>Stands still with a page in its hands.</summary>
    sealed class SlowSubscriber(ISubscriber inner) : ISubscriber
    {
        public TaskCompletionSource Reached { get; } = new();

        public TaskCompletionSource GoOn { get; } = new();

        public string Name => inner.Name;

        public Task ResetAsync(CancellationToken cancellation) => inner.ResetAsync(cancellation);

        public async Task<Effects> TakeInAsync(IReadOnlyList<PlacedEvent> page, CancellationToken cancellation)
        {
            var effects = await inner.TakeInAsync(page, cancellation);
            Reached.SetResult();
            await GoOn.Task;
            return effects;
        }

        public Task CaughtUpAsync(Guid runner, CancellationToken cancellation) => inner.CaughtUpAsync(runner, cancellation);
    }
}
