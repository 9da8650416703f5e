using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Alerts;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Domain.Views;
using ZfsHaEvents.Server.Running;
using ZfsHaEvents.Store;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Server.Tests;

/// <summary>Load, decide, commit, on the in-memory store; and what becomes of a message that cannot be handled.</summary>
public sealed class StreamRunnerTests : IDisposable
{
    static readonly TimeSpan Lease = TimeSpan.FromMinutes(10);

    readonly ManualClock _clock = new();
    readonly InMemoryStore _memory;
    readonly DisturbedStore _store;
    readonly StreamRunner _runner;
    readonly QueueWorker _worker;
    readonly LeaseWatch _watch;
    readonly PoolGuid _pool = World.NewPool();

    public StreamRunnerTests()
    {
        _memory = new(_clock);
        _store = new(_memory);
        _runner = new(_store, OrderTimes.Default, Lease, NullLogger<StreamRunner>.Instance);
        _worker = new(_memory, _memory, new Dispatch(_store, _runner), new Backoff(() => 0), NullLogger<QueueWorker>.Instance);
        _watch = new(_memory, _runner, NullLogger<LeaseWatch>.Instance);
    }

    public void Dispose()
    {
        _worker.Dispose();
        _watch.Dispose();
    }

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    string Stream => StreamRunner.StreamOf(_pool);

    async Task<IReadOnlyList<string>> TypesAsync(string stream) => [.. (await _memory.LoadAsync(stream, Cancellation)).Events.Select(e => e.Type)];

    Task PutAsync(params BusMessage[] messages) => PutAsync([.. messages.Select(m => m.Write(_clock.GetUtcNow()))]);

    async Task PutAsync(params string[] bodies) => await _memory.SendAsync([.. bodies.Select(b => new NewMessage(Guid.NewGuid(), Queues.Server, b, TimeSpan.Zero))], completes: null, Cancellation);

    /// <summary>Handles what is due until nothing is.</summary>
    async Task RunAsync()
    {
        for (var rounds = 0; await _worker.StepAsync(Cancellation) > 0; rounds++) rounds.ShouldBeLessThan(1000);
    }

    /// <summary>Two hosts in session, the first has the pool.</summary>
    async Task GivenAPoolOnAAsync()
    {
        await PutAsync(World.Opened("a", 1, (_pool, "tank")), World.Opened("b", 2));
        await RunAsync();
        (await TypesAsync(Stream)).ShouldContain("ownership_claimed");
    }

    // ---- deciding ----------------------------------------------------------------------------------------------------

    [Fact]
    public async Task A_message_leads_to_events_a_view_and_an_order_in_one_commit()
    {
        await GivenAPoolOnAAsync();
        await PutAsync(World.Switchover("tank", "b", "move-1"));
        await RunAsync();

        (await TypesAsync(Stream)).TakeLast(3).ShouldBe(["switchover_requested", "switchover_started", "switchover_step_started"]);
        (await _memory.DocumentAsync(StreamRunner.Kinds.Dossier, StreamRunner.DossierKey(_pool, new("move-1")), Cancellation)).ShouldNotBeNull();
        var order = (await _memory.ClaimAsync("host-a", 10, Lease, Cancellation)).ShouldHaveSingleItem();
        var sent = BusMessage.Read(order.Json);
        sent.Message.ShouldBeOfType<ExportPool>().Header.Request.ShouldBe(new("move-1"));
        var events = (await _memory.LoadAsync(Stream, Cancellation)).Events.TakeLast(3);
        events.ShouldAllBe(e => e.Correlation == "move-1" && e.Causation == "/test#move-1");
        events.Select(e => JsonDocument.Parse(e.HeadersJson).RootElement.GetProperty("traceparent").GetString()).ShouldAllBe(trace => trace == sent.TraceParent);
    }

    [Fact]
    public async Task An_alert_can_be_acknowledged_over_the_bus_and_one_that_the_pool_does_not_have_is_refused()
    {
        await GivenAPoolOnAAsync();
        await PutAsync(World.Saw("b", _pool, "tank"));
        await RunAsync();
        var alert = (await _memory.DocumentsAsync(StreamRunner.Kinds.Alert, Cancellation))[0].Id;

        foreach (var (id, name) in new[] { ("ack-1", alert), ("ack-2", "TwoHolders-1") })
            await PutAsync(new BusMessage(id, "/test", "tank", null, new AcknowledgeAlert(new(id), new("tank"), name, "alice", "on it")));
        await RunAsync();

        (await TypesAsync(Stream)).TakeLast(2).ShouldBe(["alert_acknowledged", "request_refused"]);
        (await _memory.DocumentAsync(StreamRunner.Kinds.Alert, alert, Cancellation))!.Json.ShouldContain("alice");
    }

    [Fact]
    public async Task The_same_message_twice_leads_to_one_set_of_events()
    {
        await GivenAPoolOnAAsync();
        await PutAsync(World.Switchover("tank", "b", "move-1"), World.Switchover("tank", "b", "move-1"));
        await RunAsync();
        await PutAsync(World.Switchover("tank", "b", "move-1"));
        await RunAsync();

        (await TypesAsync(Stream)).Count(t => t == "switchover_requested").ShouldBe(1);
        (await _memory.ClaimAsync("host-a", 10, Lease, Cancellation)).Count.ShouldBe(1);
        (await _memory.DeadLettersAsync(queue: null, 10, Cancellation)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Who_was_not_first_decides_again_on_what_the_first_left()
    {
        await GivenAPoolOnAAsync();
        _store.BeforeCommit = async commit =>
        {
            _store.BeforeCommit = null;
            commit.Events.Select(e => e.Type).ShouldContain("switchover_started"); // What would have been right a moment ago.
            var first = World.Switchover("tank", "b", "first");
            (await _runner.RunAsync(_pool, (IPoolMessage)first.Message, first, null, Cancellation)).Result.ShouldBe(CommitResult.Committed);
        };
        var second = World.Switchover("tank", "b", "second");

        var ran = await _runner.RunAsync(_pool, (IPoolMessage)second.Message, second, null, Cancellation);

        ran.Result.ShouldBe(CommitResult.Committed);
        ran.Events.Select(e => e.Type).ShouldBe(["switchover_requested", "switchover_refused"]);
        ran.Events[^1].Json.ShouldContain(nameof(Refusal.MoveInProgress));
    }

    [Fact]
    public async Task Who_is_never_first_gives_up_for_now_and_the_message_is_handled_later()
    {
        await GivenAPoolOnAAsync();
        await PutAsync(World.Switchover(_pool.ToString(), "b", "move-1"));
        var disturbed = 0;
        _store.BeforeCommit = async commit =>
        {
            disturbed++;
            var before = _store.BeforeCommit;
            _store.BeforeCommit = null;
            var seen = World.Saw("a", _pool, disturbed % 2 == 0 ? "tank" : "dozer");
            await _runner.RunAsync(_pool, (IPoolMessage)seen.Message, seen, null, Cancellation);
            _store.BeforeCommit = before;
        };

        (await _worker.StepAsync(Cancellation)).ShouldBe(1);

        disturbed.ShouldBe(5);
        (await TypesAsync(Stream)).ShouldNotContain("switchover_requested");
        _store.BeforeCommit = null;
        _clock.Advance(TimeSpan.FromSeconds(1));
        await RunAsync();
        (await TypesAsync(Stream)).ShouldContain("switchover_requested");
    }

    // ---- one request id on two pools ----------------------------------------------------------------------------------

    /// <summary>Two hosts in session, the first has both pools.</summary>
    async Task<PoolGuid> GivenTwoPoolsOnAAsync(string name = "tank", string otherName = "dozer")
    {
        var other = World.NewPool();
        await PutAsync(World.Opened("a", 1, (_pool, name), (other, otherName)), World.Opened("b", 2));
        await RunAsync();
        return other;
    }

    async Task<IReadOnlyList<object>> TakeAsync(string queue) => [.. (await _memory.ClaimAsync(queue, 10, Lease, Cancellation)).Select(m => BusMessage.Read(m.Json).Message)];

    [Fact]
    public async Task One_request_id_on_two_pools_is_two_switchovers_with_orders_reminders_and_dossiers_of_their_own()
    {
        PoolGuid[] both = [_pool, await GivenTwoPoolsOnAAsync()];
        await PutAsync(World.Switchover("tank", "b", "x"), World.Switchover("dozer", "b", "x") with { Source = "/other" });
        await RunAsync();

        var orders = (await TakeAsync("host-a")).Cast<ExportPool>().ToList();
        orders.Select(o => o.Header.Pool).ShouldBe(both, ignoreOrder: true);
        orders.ShouldAllBe(o => o.Header.Id.Request() == new RequestId("x"));
        (await _memory.DocumentsAsync(StreamRunner.Kinds.Dossier, Cancellation)).Select(d => JsonSerializer.Deserialize(d.Json, StoredJson.Default.Dossier)!.Pool).ShouldBe(both, ignoreOrder: true);
        _clock.Advance(OrderTimes.Default.OverdueAfter(OrderTimes.Default.Export));
        (await TakeAsync(Queues.Server)).Cast<StepOverdue>().Select(r => r.PoolId).ShouldBe(both, ignoreOrder: true);
    }

    [Fact]
    public async Task One_request_id_on_two_pools_is_two_failovers_with_alerts_of_their_own()
    {
        PoolGuid[] both = [_pool, await GivenTwoPoolsOnAAsync()];
        await LoseHostsAsync(except: "b");
        await PutAsync(World.Failover("tank", "b", "x"), World.Failover("dozer", "b", "x") with { Source = "/other" });
        await RunAsync();

        var alerts = (await _memory.DocumentsAsync(StreamRunner.Kinds.Alert, Cancellation)).Select(d => JsonSerializer.Deserialize(d.Json, StoredJson.Default.Alert)!);
        alerts.Where(a => a.Kind is AlertKind.FencingNeeded).Select(a => a.Pool!.Value).ShouldBe(both, ignoreOrder: true);

        await PutAsync(World.Fenced(_pool, "a"), World.Fenced(both[1], "a"));
        await RunAsync();
        await PutAsync([.. (await TakeAsync("host-b")).Cast<ReadLabels>().Select(o => World.ReadLabels("b", o.Header, o.Header.Pool == _pool ? "tank" : "dozer"))]);
        await RunAsync();
        (await TypesAsync("host-a")).Count(t => t == "host_evicted").ShouldBe(2);
    }

    [Fact]
    public async Task Pools_whose_names_are_nearly_one_are_failed_over_under_ids_of_their_own_when_their_host_is_lost()
    {
        var other = await GivenTwoPoolsOnAAsync("a b", "a_b");
        await PutAsync(World.Automatic(_pool), World.Automatic(other));
        await RunAsync();
        await LoseHostsAsync(except: "b");

        var moves = (await _memory.DocumentsAsync(StreamRunner.Kinds.Dossier, Cancellation)).Select(d => JsonSerializer.Deserialize(d.Json, StoredJson.Default.Dossier)!).ToList();
        moves.Select(m => m.Pool).ShouldBe([_pool, other], ignoreOrder: true);
        moves.Select(m => m.Id).ShouldBeUnique();
    }

    // ---- what cannot be handled --------------------------------------------------------------------------------------

    [Theory]
    [InlineData("[]", "Malformed", "JSON object")]
    [InlineData("""{"specversion":"0.3","id":"1","source":"x","type":"zfsha.pool.switchover","data":{}}""", "Malformed", "0.3")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"x","type":"zfsha.pool.explode","data":{}}""", "Malformed", "zfsha.pool.explode")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"x","type":"zfsha.pool.switchover","data":{"pool":"tank","by":"alice"}}""", "Malformed", "to")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"x","type":"zfsha.pool.switchover","data":{"pool":"tank","to":"-f","by":"alice"}}""", "Malformed", "-f")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"x","type":"zfsha.pool.switchover","data":{"pool":"tank","to":"b","by":" "}}""", "Malformed", "by")]
    [InlineData("""{"specversion":"1.0","id":"../1","source":"x","type":"zfsha.pool.switchover","data":{"pool":"tank","to":"b","by":"alice"}}""", "Malformed", "../1")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"x","type":"zfsha.pool.switchover","data":null}""", "Malformed", "null")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"x","type":"zfsha.host.report","data":{"poolId":"1","name":"tank","host":"a","boot":"x","order":null,"actor":"x","facts":[{"kind":"exploded"}]}}""", "Malformed", "zfsha.host.report")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"x","type":"zfsha.pool.switchover","data":{"pool":"dozer","to":"b","by":"alice"}}""", "UnknownPool", "dozer")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"x","type":"zfsha.pool.switchover","data":{"pool":"99","to":"b","by":"alice"}}""", "UnknownPool", "99")]
    public async Task A_message_that_cannot_be_taken_in_is_parked_with_its_reason_and_the_others_go_on(string body, string reason, string detail)
    {
        await GivenAPoolOnAAsync();
        await PutAsync(body);
        await PutAsync(World.Switchover("tank", "b", "move-1"));
        await RunAsync();

        var letter = (await _memory.DeadLettersAsync(queue: null, 10, Cancellation)).ShouldHaveSingleItem();
        letter.Reason.ShouldBe(reason);
        letter.Detail.ShouldContain(detail);
        letter.Json.ShouldBe(body);
        (await TypesAsync(Stream)).ShouldContain("switchover_started");
    }

    [Fact]
    public async Task An_order_on_the_servers_own_queue_is_parked()
    {
        var order = new BusMessage("1", "x", null, null, Sample.Of(typeof(ExportPool)));
        await PutAsync(order);
        await RunAsync();

        (await _memory.DeadLettersAsync(queue: null, 10, Cancellation)).ShouldHaveSingleItem().Reason.ShouldBe("WrongQueue");
    }

    [Fact]
    public async Task A_name_that_two_pools_have_names_neither()
    {
        await GivenAPoolOnAAsync();
        var other = World.NewPool();
        await PutAsync(World.Saw("b", other, "tank"), World.Switchover("tank", "b", "move-1"));
        await RunAsync();

        var letter = (await _memory.DeadLettersAsync(queue: null, 10, Cancellation)).ShouldHaveSingleItem();
        letter.Reason.ShouldBe("AmbiguousPool");
        letter.Detail.ShouldContain(_pool.ToString());
        letter.Detail.ShouldContain(other.ToString());
    }

    [Fact]
    public async Task A_message_that_a_fault_of_ours_trips_over_is_tried_again_and_parked_and_the_others_go_on()
    {
        await GivenAPoolOnAAsync();
        var poisoned = World.NewPool();
        var tried = 0;
        _store.BeforeLoad = stream =>
        {
            if (stream != StreamRunner.StreamOf(poisoned)) return;
            tried++;
            throw new InvalidOperationException("a fault of ours, with a \0 in it");
        };
        await PutAsync(World.Saw("a", poisoned, "poisoned"), World.Switchover("tank", "b", "move-1"));
        for (var i = 0; i < 20; i++)
        {
            await RunAsync();
            _clock.Advance(TimeSpan.FromMinutes(1));
        }

        (await TypesAsync(Stream)).ShouldContain("switchover_started");
        var letter = (await _memory.DeadLettersAsync(queue: null, 10, Cancellation)).ShouldHaveSingleItem();
        (letter.Reason, letter.Attempts).ShouldBe(("Failed", 8));
        letter.Detail.ShouldContain("a fault of ours");
        tried.ShouldBe(8);
    }

    [Theory]
    [InlineData(PostgresErrorCodes.InsufficientPrivilege)]
    [InlineData(PostgresErrorCodes.ReadOnlySqlTransaction)]
    [InlineData(PostgresErrorCodes.QueryCanceled)]
    public async Task A_message_is_not_parked_for_a_no_of_the_databases_and_is_handled_once_there_is_none(string state)
    {
        await GivenAPoolOnAAsync();
        var other = World.NewPool();
        await PutAsync(World.Switchover("tank", "b", "move-1"), World.Saw("a", other, "other"));
        var tried = 0;
        _store.BeforeCommit = commit =>
        {
            if (commit.Stream != Stream) return Task.CompletedTask;
            tried++;
            throw new PostgresException("no", "ERROR", "ERROR", state);
        };
        for (var i = 0; i < 20; i++)
        {
            await RunAsync();
            _clock.Advance(TimeSpan.FromMinutes(1));
        }

        tried.ShouldBe(20);
        (await TypesAsync(StreamRunner.StreamOf(other))).ShouldContain("pool_discovered");
        _store.BeforeCommit = null;
        await RunAsync();

        (await TypesAsync(Stream)).ShouldContain("switchover_requested");
        (await _memory.DeadLettersAsync(queue: null, 10, Cancellation)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Outages_and_conflicts_do_not_count_against_a_message_that_a_fault_of_ours_trips_over_later()
    {
        await GivenAPoolOnAAsync();
        await PutAsync(World.Switchover("tank", "b", "move-1"));
        _store.BeforeLoad = stream => throw new NpgsqlException("away");
        for (var i = 0; i < 20; i++)
        {
            await Should.ThrowAsync<NpgsqlException>(() => _worker.StepAsync(Cancellation));
            _clock.Advance(TimeSpan.FromMinutes(1));
        }

        _store.BeforeLoad = stream => throw new InvalidOperationException("a fault of ours");
        await RunAsync();
        (await _memory.DeadLettersAsync(queue: null, 10, Cancellation)).ShouldBeEmpty();

        _store.BeforeLoad = null;
        _clock.Advance(TimeSpan.FromMinutes(1));
        await RunAsync();
        (await TypesAsync(Stream)).ShouldContain("switchover_requested");
    }

    [Fact]
    public async Task A_message_given_up_on_is_handled_when_it_is_replayed_once_the_fault_is_gone()
    {
        await GivenAPoolOnAAsync();
        await PutAsync(World.Switchover("tank", "b", "move-1"));
        _store.BeforeLoad = stream => throw new InvalidOperationException("a fault of ours");
        for (var i = 0; i < Backoff.FailuresMax; i++)
        {
            await RunAsync();
            _clock.Advance(TimeSpan.FromMinutes(1));
        }

        var letter = (await _memory.DeadLettersAsync(queue: null, 10, Cancellation)).ShouldHaveSingleItem();
        await _memory.ReplayAsync(letter.Id, Cancellation);
        await RunAsync(); // It has all its attempts again.
        (await _memory.DeadLettersAsync(queue: null, 10, Cancellation)).ShouldBeEmpty();
        _store.BeforeLoad = null;
        _clock.Advance(TimeSpan.FromMinutes(1));
        await RunAsync();

        (await TypesAsync(Stream)).Count(t => t == "switchover_started").ShouldBe(1);
    }

    // ---- what was handled long ago ------------------------------------------------------------------------------------

    /// <summary>All is forgotten that was handled until now; what fell due meanwhile is taken off the queue.</summary>
    async Task ForgetAsync(int atLeast)
    {
        using var housekeeping = new Housekeeping(_memory, Housekeeping.RetentionDefault, NullLogger<Housekeeping>.Instance);
        (await housekeeping.StepAsync(Cancellation)).ShouldBe(0);
        _clock.Advance(Housekeeping.RetentionDefault + TimeSpan.FromSeconds(1));
        (await housekeeping.StepAsync(Cancellation)).ShouldBeGreaterThanOrEqualTo(atLeast);
        foreach (var reminder in await _memory.ClaimAsync(Queues.Server, 10, Lease, Cancellation)) await _memory.SendAsync([], completes: reminder.Id, Cancellation);
    }

    [Fact]
    public async Task A_request_that_comes_again_after_its_id_was_forgotten_asks_for_nothing_new()
    {
        await GivenAPoolOnAAsync();
        BusMessage[] requests =
        [
            World.Automatic(_pool), World.Switchover("tank", "nobody", "move-1"), World.Switchover("tank", "b", "move-2"), World.Failover("tank", "b", "move-3"), World.Fenced(_pool, "a"),
        ];
        await PutAsync(requests);
        await RunAsync();
        var (types, orders) = (await TypesAsync(Stream), await TakeAsync("host-a"));
        types.Count(t => t.EndsWith("_refused", StringComparison.Ordinal)).ShouldBe(3);
        orders.ShouldHaveSingleItem().ShouldBeOfType<ExportPool>();

        await ForgetAsync(atLeast: requests.Length);
        var results = new List<CommitResult>();
        _store.AfterCommit = results.Add;
        await PutAsync(requests);
        await RunAsync();

        results.ShouldBe(Enumerable.Repeat(CommitResult.Committed, requests.Length)); // Decided on once more: the queue noticed no repeat.
        (await TypesAsync(Stream)).ShouldBe(types);
        (await TakeAsync("host-a")).ShouldBe(orders); // The one that nobody has completed.
        (await _memory.DeadLettersAsync(queue: null, 10, Cancellation)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_report_that_comes_again_after_its_id_was_forgotten_is_late_news()
    {
        await GivenAPoolOnAAsync();
        var report = World.Saw("a", _pool, "tank", World.Held with { Health = PoolHealth.Degraded });
        await PutAsync(report, World.Saw("a", _pool, "tank"));
        await RunAsync();
        var before = await _memory.LoadAsync(Stream, Cancellation);

        await ForgetAsync(atLeast: 2);
        await PutAsync(report);
        await RunAsync();

        var after = (await _memory.LoadAsync(Stream, Cancellation)).Events.Skip(before.Events.Count).ShouldHaveSingleItem();
        (after.Type, Codec.ReadPoolEvent(after).Stamp.Late).ShouldBe(("pool_observed", true));
        var folding = new PoolFolding(_pool);
        foreach (var e in before.Events) folding.Take(e);
        var pool = folding.Pool;
        var view = JsonSerializer.Deserialize((await _memory.DocumentAsync(StreamRunner.Kinds.Ownership, _pool.ToString(), Cancellation))!.Json, StoredJson.Default.PoolOwnership)!;
        JsonSerializer.Serialize(view with { Version = 0 }).ShouldBe(JsonSerializer.Serialize(PoolOwnership.Of(pool) with { Version = 0 }));
        view.Health.ShouldBe(PoolHealth.Online);
    }

    [Fact]
    public async Task Every_batch_that_is_old_enough_is_forgotten_in_one_round()
    {
        using var housekeeping = new Housekeeping(_memory, TimeSpan.FromDays(1), NullLogger<Housekeeping>.Instance);
        for (var i = 0; i < 2500; i++)
        {
            await _memory.SendAsync([new(Guid.NewGuid(), "q", "{}", TimeSpan.Zero)], null, Cancellation);
            var taken = (await _memory.ClaimAsync("q", 1, Lease, Cancellation))[0];
            await _memory.CommitAsync(new("s", "pool", 0, taken.Now, null) { Handled = new(taken.Id, 1, $"x#{i}") }, Cancellation);
        }

        _clock.Advance(TimeSpan.FromDays(2));
        (await housekeeping.StepAsync(Cancellation)).ShouldBe(2500);
        (await housekeeping.StepAsync(Cancellation)).ShouldBe(0);
    }

    // ---- what others wrote -------------------------------------------------------------------------------------------

    [Theory]
    [InlineData("pool_defragmented", "{}", "{}")]
    [InlineData("pool_observed", """{"host":"a"}""", "{}")]
    [InlineData("import_succeeded", "{}", "{}")]
    [InlineData("pool_renamed", """{"From":null,"To":"dozer"}""", """{"host":["not","ours"]}""")]
    public async Task History_that_we_cannot_read_makes_that_pool_refuse_and_nothing_else(string type, string body, string headers)
    {
        await GivenAPoolOnAAsync();
        var version = (await _memory.LoadAsync(Stream, Cancellation)).Version;
        var foreign = new NewEvent(Guid.NewGuid(), type, "Foreign", body, headers, _clock.GetUtcNow(), "marten", null);
        (await _memory.CommitAsync(new(Stream, "pool", version, _clock.GetUtcNow(), null) { Events = [foreign] }, Cancellation)).ShouldBe(CommitResult.Committed);
        var other = World.NewPool();
        await PutAsync(World.Saw("a", other, "other"), World.Switchover("tank", "b", "move-1"), World.Switchover("other", "b", "move-2"));
        await RunAsync();

        (await _memory.DeadLettersAsync(queue: null, 10, Cancellation)).ShouldBeEmpty();
        var refused = (await _memory.LoadAsync(Stream, Cancellation)).Events[^1];
        refused.Type.ShouldBe("switchover_refused");
        var refusal = Codec.ReadPoolEvent(refused).Event.ShouldBeOfType<SwitchoverRefused>();
        refusal.Reason.ShouldBe(Refusal.UnknownHistory);
        refusal.Detail.ShouldStartWith($"event {version + 1} of the pool's history is a '{type}', ");
        (await TypesAsync(StreamRunner.StreamOf(other))).ShouldContain("switchover_started");
    }

    // ---- reminders ---------------------------------------------------------------------------------------------------

    /// <summary>A switchover whose export was carried out while nobody worked on the queue; now its reminder is due.</summary>
    async Task<OrderHeader> GivenAnExportWhoseReminderIsDueAsync()
    {
        await GivenAPoolOnAAsync();
        await PutAsync(World.Switchover("tank", "b", "move-1"));
        await RunAsync();
        var order = (await TakeAsync("host-a")).ShouldHaveSingleItem().ShouldBeOfType<ExportPool>().Header;
        _clock.Advance(OrderTimes.Default.OverdueAfter(OrderTimes.Default.Export));
        return order;
    }

    [Fact]
    public async Task After_an_outage_a_report_is_taken_in_before_its_step_counts_as_overdue()
    {
        var order = await GivenAnExportWhoseReminderIsDueAsync();
        await PutAsync(World.Exported("a", order, "tank"));
        await RunAsync();
        _clock.Advance(OrderTimes.Default.Grace);
        await RunAsync();

        var types = await TypesAsync(Stream);
        types.ShouldContain("export_succeeded");
        types.ShouldNotContain("switchover_halted");
        (await TakeAsync("host-b")).ShouldHaveSingleItem().ShouldBeOfType<ImportPool>();
    }

    [Fact]
    public async Task A_step_that_nobody_reports_on_is_overdue_when_its_reminder_comes_again()
    {
        await GivenAnExportWhoseReminderIsDueAsync();
        await RunAsync();
        (await TypesAsync(Stream)).ShouldNotContain("switchover_halted");
        _clock.Advance(OrderTimes.Default.Grace);
        await RunAsync();

        (await TypesAsync(Stream))[^1].ShouldBe("switchover_halted");
    }

    // ---- leases ------------------------------------------------------------------------------------------------------

    async Task LoseHostsAsync(string? except = null)
    {
        var renewed = (await _memory.LoadAsync("none", Cancellation)).Leases.Where(l => l.Holder == except).ToList();
        await _watch.StepAsync(Cancellation);
        for (var waited = TimeSpan.Zero; waited <= Lease + Lease; waited += LeaseWatch.Gap / 2)
        {
            _clock.Advance(LeaseWatch.Gap / 2);
            foreach (var lease in renewed) _memory.Renew(lease.Holder, lease.Session);
            await _watch.StepAsync(Cancellation);
        }

        await RunAsync();
    }

    [Fact]
    public async Task A_lease_that_ran_out_is_recorded_once_however_often_it_is_noticed()
    {
        await GivenAPoolOnAAsync();
        await LoseHostsAsync();

        foreach (var host in (string[])["host-a", "host-b"]) (await TypesAsync(host)).Count(t => t == "host_lease_lost").ShouldBe(1);
        (await TypesAsync(Stream))[^1].ShouldBe("ownership_unverified");
        (await _memory.DocumentsAsync(StreamRunner.Kinds.Alert, Cancellation)).Count(d => d.Json.Contains("HostLost", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Fact]
    public async Task An_outage_of_the_watch_costs_no_lease()
    {
        await GivenAPoolOnAAsync();
        await _watch.StepAsync(Cancellation);
        _clock.Advance(Lease + Lease);
        await _watch.StepAsync(Cancellation);

        (await TypesAsync("host-a")).ShouldNotContain("host_lease_lost");
        (await _memory.LoadAsync("none", Cancellation)).Leases.ShouldAllBe(l => l.Alive);
    }
}

/// <summary>A store at which something happens just before a load or a commit.</summary>
sealed class DisturbedStore(IEventStore store) : IEventStore
{
    public Action<string>? BeforeLoad { get; set; }

    public Func<Commit, Task>? BeforeCommit { get; set; }

    public Action<CommitResult>? AfterCommit { get; set; }

    public Task<StreamRead> LoadAsync(string stream, Action<StoredEvent>? each, CancellationToken cancellation)
    {
        BeforeLoad?.Invoke(stream);
        return store.LoadAsync(stream, each, cancellation);
    }

    public async Task<CommitResult> CommitAsync(Commit commit, CancellationToken cancellation)
    {
        if (BeforeCommit is { } before) await before(commit);
        var result = await store.CommitAsync(commit, cancellation);
        AfterCommit?.Invoke(result);
        return result;
    }

    public Task<IReadOnlyList<StoredEvent>> QueryAsync(EventQuery query, CancellationToken cancellation) => store.QueryAsync(query, cancellation);

    public Task<IReadOnlyList<StoredEvent>> AsOfAsync(AsOfQuery query, CancellationToken cancellation) => store.AsOfAsync(query, cancellation);

    public Task<IReadOnlyList<Document>> DocumentsAsync(string kind, CancellationToken cancellation) => store.DocumentsAsync(kind, cancellation);

    public Task<Document?> DocumentAsync(string kind, string id, CancellationToken cancellation) => store.DocumentAsync(kind, id, cancellation);
}
