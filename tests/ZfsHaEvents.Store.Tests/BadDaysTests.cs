using System.Net.Sockets;
using Npgsql;
using Shouldly;
using Xunit;
using ZfsHaEvents.Store.Projections;
using ZfsHaEvents.Store.Reading;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Store.Tests;

/// <summary>What the database does to its callers on a bad day: each append takes effect once or not at all, and goes on afterwards.</summary>
public sealed class BadDaysTests(TestDatabases databases) : IAsyncLifetime
{
    const string Key = "http#42";

    static readonly Guid Message = Guid.NewGuid();

    string _connectionString = "";
    NpgsqlDataSource? _database;
    WakeUps? _wakeUps;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    NpgsqlDataSource Database => _database!;

    PostgresEventStore Store => new(Database, _wakeUps!);

    public async ValueTask InitializeAsync()
    {
        _connectionString = await databases.WithSchemaAsync();
        _database = PostgresConnection.Open(_connectionString, "bad days");
        _wakeUps = new(_database);
        // A stream that is there, and a message that is taken: what follows from it is tried until it is known how it went.
        (await Store.CommitAsync(new("pool-1", "pool", 0, DateTimeOffset.UtcNow, null) { Events = [PostgresOnlyTests.Event()] }, Cancellation)).ShouldBe(CommitResult.Committed);
        var queue = new PostgresMessageQueue(Database, _wakeUps);
        await queue.SendAsync([new(Message, "server", "{}", TimeSpan.Zero)], null, Cancellation);
        (await queue.ClaimAsync("server", 1, TimeSpan.FromHours(1), Cancellation)).ShouldHaveSingleItem();
    }

    public async ValueTask DisposeAsync()
    {
        await _wakeUps!.DisposeAsync();
        await Database.DisposeAsync();
    }

    /// <summary>Everything that a message leads to, always under the same key.</summary>
    static Commit Answer(long version = 1) => new("pool-1", "pool", version, DateTimeOffset.UtcNow, Key)
    {
        Events = [PostgresOnlyTests.Event(), PostgresOnlyTests.Event()],
        Handled = new(Message, 1, Key),
        Messages = [new(Guid.NewGuid(), "host-a", "{}", TimeSpan.Zero)],
        Documents = [new("poolownership", "1", "{}", "T", version + 2)],
    };

    /// <summary>The stream's version, events, documents, handled messages, messages for the host, messages left: all of the answer, or nothing.</summary>
    async Task ShouldBeAsync(bool answered) => (await RoleDatabase.ListAsync(Database,
        """
        select concat_ws(' ', (select version from zfsha.mt_streams where id = 'pool-1'), (select count(*) from zfsha.mt_events), (select count(*) from zfsha.mt_doc_poolownership),
                         (select count(*) from zfsha.handled_messages), (select count(*) from zfsha.messages where queue = 'host-a'), (select count(*) from zfsha.messages where queue = 'server'))
        """)).ShouldBe([answered ? "3 3 1 1 1 0" : "1 1 0 0 0 1"]);

    NpgsqlDataSource With(string settings) => PostgresConnection.Open(_connectionString + settings, "bad days");

    // ---- no connection -----------------------------------------------------------------------------------------------

    [Fact]
    public async Task With_every_connection_of_the_pool_in_use_an_append_fails_as_an_outage_and_goes_on_afterwards()
    {
        await using var few = With(";Maximum Pool Size=2;Timeout=1");
        var store = new PostgresEventStore(few, _wakeUps!);
        await using (await few.OpenConnectionAsync(Cancellation))
        await using (await few.OpenConnectionAsync(Cancellation))
        {
            DatabaseOutage.Is(await Should.ThrowAsync<NpgsqlException>(() => store.CommitAsync(Answer(), Cancellation))).ShouldBeTrue();
            DatabaseOutage.Is(await Should.ThrowAsync<NpgsqlException>(() => store.LoadAsync("pool-1", Cancellation))).ShouldBeTrue();
        }

        await ShouldBeAsync(answered: false);
        (await store.CommitAsync(Answer(), Cancellation)).ShouldBe(CommitResult.Committed);
        await ShouldBeAsync(answered: true);
    }

    [Fact]
    public async Task With_every_connection_that_PostgreSQL_grants_in_use_an_append_fails_as_an_outage_and_goes_on_afterwards()
    {
        var login = $"few_{Environment.ProcessId}";
        await RoleDatabase.ExecuteAsync(Database, $"create role {login} superuser login connection limit 1; alter role {login} nosuperuser; grant zfsha to {login}");
        await using var few = PostgresConnection.Open(new NpgsqlConnectionStringBuilder(_connectionString) { Username = login }.ConnectionString, "bad days");
        var store = new PostgresEventStore(few, _wakeUps!);
        await using (await few.OpenConnectionAsync(Cancellation))
        {
            var refused = await Should.ThrowAsync<PostgresException>(() => store.CommitAsync(Answer(), Cancellation));
            refused.SqlState.ShouldBe(PostgresErrorCodes.TooManyConnections);
            DatabaseOutage.Is(refused).ShouldBeTrue();
        }

        await ShouldBeAsync(answered: false);
        (await store.CommitAsync(Answer(), Cancellation)).ShouldBe(CommitResult.Committed);
        await ShouldBeAsync(answered: true);
    }

    /// <summary>The pool finds out only as it uses the connection again.</summary>
    [Fact]
    public async Task A_connection_that_PostgreSQL_closed_while_it_lay_idle_is_an_outage_of_a_moment()
    {
        await using var idle = With(";Maximum Pool Size=1;Options=-c idle_session_timeout=100");
        var store = new PostgresEventStore(idle, _wakeUps!);
        var backend = (await RoleDatabase.ListAsync(idle, "select pg_backend_pid()::text")).Single();
        await Eventually.TrueAsync("PostgreSQL closes it", async () => (await RoleDatabase.ListAsync(Database, $"select '' from pg_stat_activity where pid = {backend}")).Count == 0);

        DatabaseOutage.Is(await Should.ThrowAsync<NpgsqlException>(() => store.CommitAsync(Answer(), Cancellation))).ShouldBeTrue();
        (await store.CommitAsync(Answer(), Cancellation)).ShouldBe(CommitResult.Committed);
        await ShouldBeAsync(answered: true);
    }

    /// <summary>PostgreSQL's parting words, where the caller is there to hear them, and what it says when it lacks room, memory or connections.</summary>
    [Theory]
    [InlineData("57P01")]
    [InlineData("57P02")]
    [InlineData("57P03")]
    [InlineData("57P05")]
    [InlineData("25P03")]
    [InlineData("53100")]
    [InlineData("53200")]
    [InlineData("53300")]
    [InlineData("58030")]
    public void A_database_that_goes_or_has_no_room_is_an_outage(string state) => DatabaseOutage.Is(new PostgresException("test", "FATAL", "FATAL", state)).ShouldBeTrue();

    // ---- no answer ---------------------------------------------------------------------------------------------------

    /// <summary>The command's time is over while another session has the stream's row: Npgsql cancels it, PostgreSQL cancels it, or PostgreSQL gives up the lock.</summary>
    [Theory]
    [InlineData(";Command Timeout=1", null)]
    [InlineData(";Options=-c statement_timeout=300", PostgresErrorCodes.QueryCanceled)]
    [InlineData(";Options=-c lock_timeout=300", PostgresErrorCodes.LockNotAvailable)]
    public async Task An_append_that_takes_too_long_is_undone_and_succeeds_once_when_tried_again(string settings, string? state)
    {
        await using var hasty = With(settings);
        var store = new PostgresEventStore(hasty, _wakeUps!);
        await using (await LockAsync())
        {
            for (var attempt = 0; attempt < 2; attempt++)
            {
                var late = await Should.ThrowAsync<NpgsqlException>(() => store.CommitAsync(Answer(), Cancellation));
                (DatabaseOutage.Is(late) || DatabaseOutage.SaysNo(late)).ShouldBeTrue($"{late}");
                (late as PostgresException)?.SqlState.ShouldBe(state);
            }
        }

        await UntilNothingRunsAsync();
        await ShouldBeAsync(answered: false);
        (await store.CommitAsync(Answer(), Cancellation)).ShouldBe(CommitResult.Committed);
        await ShouldBeAsync(answered: true);
    }

    /// <summary>The network is gone: callers give up after their command time-out, and PostgreSQL goes on and commits without anybody to tell.</summary>
    [Fact]
    public async Task An_append_that_took_effect_after_its_caller_gave_up_is_not_made_again()
    {
        await using (await LockAsync())
        {
            for (var attempt = 1; attempt <= 2; attempt++) // The second while the first still waits.
            {
                await using var wire = new Wire(new NpgsqlConnectionStringBuilder(_connectionString).Host!);
                await using var far = PostgresConnection.Open(new NpgsqlConnectionStringBuilder(_connectionString) { Host = wire.Host, CommandTimeout = 2 }.ConnectionString, "bad days");
                var append = new PostgresEventStore(far, _wakeUps!).CommitAsync(Answer(), Cancellation);
                await Eventually.TrueAsync("the append waits", async () => (await RoleDatabase.ListAsync(Database, Waiting)).Count == attempt || append.IsCompleted);
                wire.Cut();
                DatabaseOutage.Is(await Should.ThrowAsync<NpgsqlException>(() => append)).ShouldBeTrue();
                (await RoleDatabase.ListAsync(Database, Waiting)).Count.ShouldBe(attempt);
            }
        }

        await UntilNothingRunsAsync();
        await ShouldBeAsync(answered: true);
        var again = await Store.LoadAsync("pool-1", Cancellation);
        (await Store.CommitAsync(Answer(again.Version), Cancellation)).ShouldBe(CommitResult.NotOurs); // The message is gone: somebody has seen to it.
        await ShouldBeAsync(answered: true);
        // And if it comes in anew, its key is known.
        var queue = new PostgresMessageQueue(Database, _wakeUps!);
        await queue.SendAsync([new(Message, "server", "{}", TimeSpan.Zero)], null, Cancellation);
        (await queue.ClaimAsync("server", 1, TimeSpan.FromHours(1), Cancellation)).ShouldHaveSingleItem();
        (await Store.CommitAsync(Answer(again.Version), Cancellation)).ShouldBe(CommitResult.Duplicate);
        await ShouldBeAsync(answered: true);
    }

    /// <summary>A backend is ended in the middle of an append, as by an administrator.</summary>
    [Fact]
    public async Task An_append_whose_connection_is_ended_is_undone_and_succeeds_once_when_tried_again()
    {
        await using (await LockAsync())
        {
            var append = Store.CommitAsync(Answer(), Cancellation);
            await Eventually.TrueAsync("the append waits", async () => (await RoleDatabase.ListAsync(Database, Waiting)).Count == 1);
            await RoleDatabase.ExecuteAsync(Database, $"select pg_terminate_backend(pid::integer) from ({Waiting}) as w (pid)");
            DatabaseOutage.Is(await Should.ThrowAsync<NpgsqlException>(() => append)).ShouldBeTrue();
        }

        await ShouldBeAsync(answered: false);
        (await Store.CommitAsync(Answer(), Cancellation)).ShouldBe(CommitResult.Committed);
        await ShouldBeAsync(answered: true);
    }

    const string Waiting = "select distinct pid::text from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";

    Task UntilNothingRunsAsync() => Eventually.TrueAsync("no append waits or runs any more", async () =>
        (await RoleDatabase.ListAsync(Database, "select query from pg_stat_activity where datname = current_database() and state <> 'idle' and query like '%commit_stream%' and pid <> pg_backend_pid()")).Count == 0);

    /// <summary>Another session holds the stream's row until this is disposed of.</summary>
    async Task<NpgsqlConnection> LockAsync()
    {
        var connection = new NpgsqlConnection(_connectionString + ";Pooling=false"); // Closed means gone, and its lock with it.
        await connection.OpenAsync(Cancellation);
        await using var hold = new NpgsqlCommand("begin; select from zfsha.mt_streams where id = 'pool-1' for update", connection);
        await hold.ExecuteNonQueryAsync(Cancellation);
        return connection;
    }

    /// <summary>Stands between callers and a PostgreSQL's unix socket until it is cut: from then on nothing arrives, in either direction, and nobody gets through.</summary>
    sealed class Wire : IAsyncDisposable
    {
        readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        readonly CancellationTokenSource _cut = new();
        readonly List<Socket> _ends = [];
        readonly Task _accepting;

        public Wire(string host)
        {
            Host = Directory.CreateTempSubdirectory("zfsha-wire-").FullName;
            _listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(Host, ".s.PGSQL.5432")));
            _listener.Listen();
            _accepting = AcceptAsync(host);
        }

        public string Host { get; }

        public void Cut()
        {
            _cut.Cancel();
            _listener.Dispose();
        }

        async Task AcceptAsync(string host)
        {
            try
            {
                while (true)
                {
                    var near = await _listener.AcceptAsync(_cut.Token);
                    var far = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    _ends.AddRange([near, far]);
                    await far.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(host, ".s.PGSQL.5432")), _cut.Token);
                    _ = Task.WhenAll(PassAsync(near, far), PassAsync(far, near));
                }
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                // Cut.
            }
        }

        async Task PassAsync(Socket from, Socket to)
        {
            try
            {
                var buffer = new byte[8192];
                while (await from.ReceiveAsync(buffer, _cut.Token) is > 0 and var length) await to.SendAsync(buffer.AsMemory(0, length), _cut.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // Cut, or an end is gone.
            }
        }

        public async ValueTask DisposeAsync()
        {
            Cut();
            await _accepting;
            foreach (var end in _ends) end.Dispose();
            _cut.Dispose();
            Directory.Delete(Host, recursive: true);
        }
    }

    // ---- a projection's words ----------------------------------------------------------------------------------------

    [Theory]
    [InlineData(1)]
    [InlineData(30_000)] // More than a mebibyte.
    public async Task Whatever_a_projection_throws_with_is_kept_beside_the_stream_that_it_threw_at(int times)
    {
        string Repeated(string text) => string.Concat(Enumerable.Repeat(text, times));
        var (thrown, kept) = (Repeated("cannot take in 'tank' \0 \ud800 \"\\ \u001b\r\n"), Repeated("cannot take in 'tank' \uFFFD \uFFFD \"\\ \u001b\r\n"));
        var projection = new VersionsSeen { Error = thrown };
        (await Store.CommitAsync(new("pool-2", "pool", 0, DateTimeOffset.UtcNow, null) { Events = [PostgresOnlyTests.Event() with { Type = VersionsSeen.Poison }] }, Cancellation)).ShouldBe(CommitResult.Committed);
        (await Store.CommitAsync(new("pool-3", "pool", 0, DateTimeOffset.UtcNow, null) { Events = [PostgresOnlyTests.Event()] }, Cancellation)).ShouldBe(CommitResult.Committed);
        var runner = new SubscriptionRunner(Database, new ProjectionSubscriber(Database, projection, rebuild: false), TimeSpan.FromMinutes(1));
        await Eventually.TrueAsync("everything is read", async () =>
        {
            await runner.StepAsync(Cancellation);
            return await Store.DocumentAsync(projection.Kind, "3", Cancellation) is not null;
        });

        var control = new ProjectionControl(Database, [projection]);
        (await control.StatusAsync(Cancellation)).Single().Parked.ShouldHaveSingleItem().Error.Equals(kept, StringComparison.Ordinal).ShouldBeTrue();
        (await control.ReplayAsync(runner.Name, "pool-2", Cancellation)).ShouldNotBeNull(); // It throws again.
        (await control.StatusAsync(Cancellation)).Single().Parked.ShouldHaveSingleItem().Error.Equals(kept, StringComparison.Ordinal).ShouldBeTrue();
    }

    /// <summary>What was folded in before the place could be moved must not be folded in again.</summary>
    [Fact]
    public async Task A_projection_whose_place_could_not_be_moved_takes_each_event_in_once()
    {
        await using var hasty = With(";Options=-c lock_timeout=100");
        var runner = new SubscriptionRunner(hasty, new ProjectionSubscriber(hasty, new VersionsSeen(), rebuild: false), TimeSpan.FromMinutes(1));
        (await Store.CommitAsync(new("pool-1", "pool", 1, DateTimeOffset.UtcNow, null) { Events = [PostgresOnlyTests.Event()] }, Cancellation)).ShouldBe(CommitResult.Committed);
        await Eventually.TrueAsync("what others run in this PostgreSQL is over", async () => (await new EventReader(Database).AfterAsync(Position.Start, 10, Cancellation)).Count == 2);
        await using (var holder = new NpgsqlConnection(_connectionString + ";Pooling=false"))
        {
            await holder.OpenAsync(Cancellation);
            await using var hold = new NpgsqlCommand("begin; lock table zfsha.mt_doc_poolactivity in share mode", holder); // It can be read.
            await hold.ExecuteNonQueryAsync(Cancellation);
            for (var attempt = 0; attempt < 3; attempt++)
                DatabaseOutage.Is(await Should.ThrowAsync<PostgresException>(() => runner.StepAsync(Cancellation))).ShouldBeTrue();
        }

        await Eventually.TrueAsync("everything is read", async () => await runner.StepAsync(Cancellation) is 0);
        VersionsSeen.In((await Store.DocumentAsync("poolactivity", "1", Cancellation))!).ShouldBe([1, 2]);
    }
}
