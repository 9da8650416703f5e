using System.Net.Sockets;
using Npgsql;
using Shouldly;
using Xunit;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Store.Tests;

/// <summary>What has no counterpart in memory: other programs in the same database, several processes, restarts.</summary>
public sealed class PostgresOnlyTests(TestDatabases databases) : IAsyncLifetime
{
    string _connectionString = "";
    NpgsqlDataSource? _database;
    WakeUps? _wakeUps;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    NpgsqlDataSource Database => _database!;

    PostgresEventStore Store => new(Database, _wakeUps!);

    PostgresMessageQueue Queue => new(Database, _wakeUps!);

    public static NewEvent Event() => new(
        Guid.NewGuid(), "pool_observed", "ZfsHaEvents.Domain.Pools.PoolObserved, ZfsHaEvents.Domain", """{"Host":"a"}""", "{}", DateTimeOffset.UtcNow, "test", null);

    public async ValueTask InitializeAsync()
    {
        _connectionString = await databases.WithSchemaAsync();
        _database = PostgresConnection.Open(_connectionString, "store tests");
        _wakeUps = new(_database);
    }

    public async ValueTask DisposeAsync()
    {
        await _wakeUps!.DisposeAsync();
        await Database.DisposeAsync();
    }

    async Task<CommitResult> AppendAsync(long version, int events = 1) => await Store.CommitAsync(
        new("pool-1", "pool", version, DateTimeOffset.UtcNow, null) { Events = [.. Enumerable.Range(0, events).Select(_ => Event())] }, Cancellation);

    // ---- other programs ----------------------------------------------------------------------------------------------

    [Fact]
    public async Task A_foreign_program_puts_a_message_on_the_bus_by_its_body_alone()
    {
        await ExecuteAsync("""insert into zfsha.messages (body) values ('{"specversion":"1.0","id":"1","source":"/x","type":"zfsha.pool.switchover","subject":"tank","data":{}}')""");
        await ExecuteAsync("""insert into zfsha.messages (body) values ('{"id":"2","subject":"tank"}'), ('[]')""");

        var claimed = await Queue.ClaimAsync("server", 10, TimeSpan.FromMinutes(10), Cancellation);

        claimed.Count.ShouldBe(2); // The second on the subject waits for the first.
        claimed[0].Json.ShouldContain("zfsha.pool.switchover");
        claimed[1].Json.ShouldBe("[]");
    }

    /// <summary>As Marten's quick append does: no lock on the stream's row until the events are in.</summary>
    [Fact]
    public async Task Who_appends_at_the_same_moment_without_our_function_is_first_or_second_and_never_overwritten()
    {
        (await AppendAsync(0)).ShouldBe(CommitResult.Committed);
        await using var connection = await Database.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await using (var insert = new NpgsqlCommand(
            """
            insert into zfsha.mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, is_archived)
            values (nextval('zfsha.mt_events_sequence'), gen_random_uuid(), 'pool-1', 2, '{"Host":"b"}', 'pool_observed', now(), '*DEFAULT*', 'X, Y', false)
            """, connection))
        {
            await insert.ExecuteNonQueryAsync(Cancellation);
        }

        var ours = AppendAsync(1);
        await Eventually.TrueAsync("our commit waits for the other's", async () =>
            await ScalarAsync<long>("select count(*) from pg_locks where not granted and pid in (select pid from pg_stat_activity where datname = current_database())") > 0);
        await transaction.CommitAsync(Cancellation);
        (await ours).ShouldBe(CommitResult.VersionConflict);
        await ExecuteAsync("update zfsha.mt_streams set version = 2 where id = 'pool-1'");

        var read = await Store.LoadAsync("pool-1", Cancellation);
        read.Version.ShouldBe(2);
        read.Events[1].Json.ShouldContain("\"b\"");
        read.Events[1].HeadersJson.ShouldBe("{}");
        read.Events[1].Actor.ShouldBeNull();
        (await AppendAsync(2)).ShouldBe(CommitResult.Committed);
    }

    [Fact]
    public async Task An_archived_stream_takes_no_events()
    {
        await AppendAsync(0);
        await ExecuteAsync("update zfsha.mt_streams set is_archived = true where id = 'pool-1'");

        (await AppendAsync(1)).ShouldBe(CommitResult.Archived);
        (await Store.LoadAsync("pool-1", Cancellation)).Version.ShouldBe(1);
    }

    [Fact]
    public async Task A_conflict_burns_no_sequence_number()
    {
        await AppendAsync(0);
        for (var i = 0; i < 5; i++) (await AppendAsync(0)).ShouldBe(CommitResult.VersionConflict);
        await AppendAsync(1);

        (await ScalarAsync<long>("select max(seq_id) - min(seq_id) from zfsha.mt_events")).ShouldBe(1);
    }

    /// <summary>Also where the planner would gladly use several processes.</summary>
    [Fact]
    public async Task A_long_stream_is_read_in_its_order()
    {
        const int Count = 20_000;
        await using var eager = PostgresConnection.Open(
            new NpgsqlConnectionStringBuilder(_connectionString) { Options = "-c parallel_setup_cost=0 -c parallel_tuple_cost=0 -c min_parallel_table_scan_size=0 -c min_parallel_index_scan_size=0" }.ConnectionString, "eager");
        (await AppendAsync(0, Count)).ShouldBe(CommitResult.Committed);
        await ExecuteAsync("analyze zfsha.mt_events");

        var read = await new PostgresEventStore(eager, _wakeUps!).LoadAsync("pool-1", Cancellation);

        read.Version.ShouldBe(Count);
        read.Events.Select(e => e.Version).ShouldBe(Enumerable.Range(1, Count).Select(v => (long)v));
    }

    // ---- several processes, restarts ---------------------------------------------------------------------------------

    [Fact]
    public async Task Who_waits_in_another_process_is_woken_too()
    {
        await using var elsewhere = PostgresConnection.Open(_connectionString, "another process");
        await using var theirs = new WakeUps(elsewhere);
        var waiting = new PostgresMessageQueue(elsewhere, theirs);
        await waiting.WaitAsync("server", TimeSpan.FromMinutes(1), Cancellation); // Woken once as it begins to listen.

        var woken = waiting.WaitAsync("server", TimeSpan.FromHours(1), Cancellation);
        await Queue.SendAsync([new(Guid.NewGuid(), "server", "{}", TimeSpan.Zero)], completes: null, Cancellation);

        await woken.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
    }

    [Fact]
    public async Task A_restart_of_the_database_gives_every_lease_its_full_time_and_leaves_waiters_waiting()
    {
        await using var server = await PostgresServer.StartAsync();
        await server.CreateDatabaseAsync("zfsha");
        var connectionString = server.ConnectionString("zfsha");
        await DatabaseClock.InstallAsync(connectionString);
        connectionString = DatabaseClock.Following(connectionString);
        await using var database = PostgresConnection.Open(connectionString, "restart tests");
        await PostgresSchema.ApplyAsync(database, Cancellation);
        await using var wakeUps = new WakeUps(database);
        var (store, queue) = (new PostgresEventStore(database, wakeUps), new PostgresMessageQueue(database, wakeUps));
        var session = Guid.NewGuid();
        await store.CommitAsync(new("host-a", "host", 0, DateTimeOffset.UtcNow, null) { Lease = new LeaseChange.Grant("a", session, TimeSpan.FromMinutes(10), "{}") }, Cancellation);
        var incarnation = await queue.IncarnationAsync(Cancellation);
        await queue.WaitAsync("server", TimeSpan.FromMinutes(1), Cancellation);
        await DatabaseClock.ExecuteAsync(connectionString, "update zfsha.leases set renewed_at = renewed_at - interval '1 day'; update zfsha.lease_watch set grace_from = grace_from - interval '1 day'");
        var never = TimeSpan.FromDays(30); // So that it is the restart that gives grace, not a gap between beats.
        await DatabaseClock.PassAsync(connectionString, TimeSpan.FromMinutes(11));
        (await queue.WatchAsync(never, Cancellation)).ShouldHaveSingleItem();
        await DatabaseClock.PassAsync(connectionString, TimeSpan.FromMinutes(-11));

        await server.RestartAsync();

        await Eventually.TrueAsync("connections of before the restart are given up", () => AnswersAsync(queue));
        (await queue.WatchAsync(never, Cancellation)).ShouldBeEmpty();
        queue.Renew("a", session).ShouldBeTrue();
        (await queue.IncarnationAsync(Cancellation)).ShouldBe(incarnation);
        await queue.WaitAsync("server", TimeSpan.FromMinutes(1), Cancellation); // Woken as it listens again: something may have come meanwhile.
        var woken = queue.WaitAsync("server", TimeSpan.FromHours(1), Cancellation);
        await using var elsewhere = PostgresConnection.Open(connectionString, "another process");
        await using var theirs = new WakeUps(elsewhere);
        await new PostgresMessageQueue(elsewhere, theirs).SendAsync([new(Guid.NewGuid(), "server", "{}", TimeSpan.Zero)], completes: null, Cancellation);
        await woken.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
    }

    static async Task<bool> AnswersAsync(PostgresMessageQueue leases)
    {
        try
        {
            await leases.IncarnationAsync(Cancellation);
            return true;
        }
        catch (Exception e) when (DatabaseOutage.Is(e))
        {
            return false;
        }
    }

    // ---- connections -------------------------------------------------------------------------------------------------

    [Fact]
    public async Task A_connection_string_that_says_nothing_of_time_limits_gets_short_ones()
    {
        await using var plain = PostgresConnection.Open("Host=/nowhere", "test");
        await using var said = PostgresConnection.Open("Host=/nowhere;Timeout=33;Command Timeout=44", "test");
        await using var leases = PostgresConnection.OpenForLeases("Host=/nowhere;Timeout=33", "test");

        Limits(plain).ShouldBe((5, 15));
        Limits(said).ShouldBe((33, 44));
        Limits(leases).ShouldBe((2, 1));
    }

    /// <summary>A statement kept on the connection must outlive the rejection of its very first values: see PreparedStatements.</summary>
    [Theory]
    [InlineData("")]
    [InlineData(";Max Auto Prepare=64;Auto Prepare Min Usages=1")]
    public async Task What_PostgreSQL_rejects_spoils_nothing_for_what_comes_next_on_the_connection(string settings)
    {
        await using var one = PostgresConnection.Open($"{_connectionString};Maximum Pool Size=1{settings}", "test");
        var store = new PostgresEventStore(one, _wakeUps!);
        var queue = new PostgresMessageQueue(one, _wakeUps!);
        Commit Of(long version, string json) => new("pool-1", "pool", version, DateTimeOffset.UtcNow, null) { Events = [Event() with { Json = json }] };
        NewMessage Saying(string json) => new(Guid.NewGuid(), "server", json, TimeSpan.Zero);

        for (var round = 0; round < 4; round++)
        {
            (await store.CommitAsync(Of(round, "{}"), Cancellation)).ShouldBe(CommitResult.Committed);
            (await Should.ThrowAsync<PostgresException>(() => store.CommitAsync(Of(round + 1, "{no JSON"), Cancellation))).SqlState.ShouldBe(PostgresErrorCodes.InvalidTextRepresentation);
            await queue.SendAsync([Saying("{}")], null, Cancellation);
            (await Should.ThrowAsync<PostgresException>(() => queue.SendAsync([Saying("{no JSON")], null, Cancellation))).SqlState.ShouldBe(PostgresErrorCodes.InvalidTextRepresentation);
            (await queue.ClaimAsync("server", 10, TimeSpan.FromMinutes(1), Cancellation)).ShouldHaveSingleItem();
        }

        (await store.LoadAsync("pool-1", Cancellation)).Version.ShouldBe(4);
    }

    static (int Connect, int Command) Limits(NpgsqlDataSource database)
    {
        var settings = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        return (settings.Timeout, settings.CommandTimeout);
    }

    [Fact]
    public async Task A_database_that_is_away_is_told_from_a_statement_that_is_wrong()
    {
        await using var nowhere = PostgresConnection.Open("Host=/nowhere;Username=x", "test");
        DatabaseOutage.Is(await Should.ThrowAsync<Exception>(() => new PostgresEventStore(nowhere, _wakeUps!).LoadAsync("pool-1", Cancellation))).ShouldBeTrue();
        DatabaseOutage.Is(await Should.ThrowAsync<PostgresException>(() => ExecuteAsync("select 1 / 0"))).ShouldBeFalse();
        DatabaseOutage.Is(new SocketException()).ShouldBeTrue();
        DatabaseOutage.Is(new InvalidOperationException()).ShouldBeFalse();
    }

    async Task ExecuteAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(Cancellation))!;
    }
}
