using Npgsql;
using Shouldly;
using Xunit;
using ZfsHaEvents.Store.Reading;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Store.Tests;

/// <summary>Any number of servers start at once, each with the schema in hand.</summary>
public sealed class SchemaTests(TestDatabases databases)
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Applied_twice_the_schema_is_left_as_it_is()
    {
        await using var database = PostgresConnection.Open(await databases.EmptyAsync(), "schema tests");
        (await PostgresSchema.ApplyAsync(database, Cancellation)).ShouldBe(PostgresSchema.Scripts().Select(s => s.Name));
        var incarnation = await ScalarAsync<Guid>(database, "select id from zfsha.incarnations");

        (await PostgresSchema.ApplyAsync(database, Cancellation)).ShouldBeEmpty();

        (await ScalarAsync<Guid>(database, "select id from zfsha.incarnations")).ShouldBe(incarnation);
    }

    [Fact]
    public async Task Servers_that_start_at_once_apply_the_schema_once()
    {
        await using var database = PostgresConnection.Open(await databases.EmptyAsync(), "schema tests");

        var applied = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => PostgresSchema.ApplyAsync(database, Cancellation))));

        applied.Count(a => a.Count > 0).ShouldBe(1);
        (await ScalarAsync<long>(database, "select count(*) from zfsha.incarnations")).ShouldBe(1);
    }

    /// <summary>Applied by psql, or over a database whose record of it is gone: each must bear that, with data in the tables.</summary>
    [Fact]
    public async Task Every_script_can_be_applied_again_over_what_it_made()
    {
        await using var database = PostgresConnection.Open(await databases.EmptyAsync(), "schema tests");
        await PostgresSchema.ApplyAsync(database, Cancellation);
        await using var wakeUps = new WakeUps(database);
        var store = new PostgresEventStore(database, wakeUps);
        var commit = new Commit("pool-1", "pool", 0, DateTimeOffset.UtcNow, null)
        {
            Events = [PostgresOnlyTests.Event()],
            Documents = [new("poolownership", "1", """{"Name":"tank","Epoch":3}""", "T", 1)],
            Lease = new LeaseChange.Grant("a", Guid.NewGuid(), TimeSpan.FromHours(1), "{}"),
        };
        (await store.CommitAsync(commit, Cancellation)).ShouldBe(CommitResult.Committed);
        var before = await store.LoadAsync("pool-1", Cancellation);
        await using (var forget = database.CreateCommand("delete from zfsha.schema_scripts")) await forget.ExecuteNonQueryAsync(Cancellation);

        (await PostgresSchema.ApplyAsync(database, Cancellation)).Count.ShouldBe(PostgresSchema.Scripts().Count);

        var after = await store.LoadAsync("pool-1", Cancellation);
        after.Events.ShouldBe(before.Events);
        after.Incarnation.ShouldBe(before.Incarnation);
        after.Leases.ShouldHaveSingleItem().Alive.ShouldBeTrue();
        (await ScalarAsync<long>(database, "select epoch from zfsha.pool_ownership where pool = 'tank'")).ShouldBe(3);
        (await ScalarAsync<long>(database, "select count(*) from zfsha.pool_history where pool_guid = '1'")).ShouldBe(1);
    }

    [Fact]
    public async Task A_function_that_changed_is_applied_again_and_keeps_its_grants()
    {
        await using var database = PostgresConnection.Open(await databases.EmptyAsync(), "schema tests");
        await PostgresSchema.ApplyAsync(database, Cancellation);
        await ExecuteAsync(database, "update zfsha.schema_scripts set sha256 = 'an older form' where name = 'functions/commit.sql'; drop function zfsha.put_document; drop view zfsha.holding_back");

        (await PostgresSchema.CheckAsync(database, Cancellation)).Pending.ShouldBe(["functions/commit.sql"]);
        (await PostgresSchema.ApplyAsync(database, Cancellation)).ShouldBe(["functions/commit.sql", PostgresSchema.Roles]);

        var state = await PostgresSchema.CheckAsync(database, Cancellation);
        state.Pending.ShouldBeEmpty();
        state.Problems.ShouldAllBe(p => p.Contains("holding_back", StringComparison.Ordinal)); // Only that one did not come back by it.
        state.Problems.ShouldContain(p => p.Contains("view holding_back column pid", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_script_that_makes_tables_never_changes()
    {
        await using var database = PostgresConnection.Open(await databases.EmptyAsync(), "schema tests");
        await PostgresSchema.ApplyAsync(database, Cancellation);
        await ExecuteAsync(database, "update zfsha.schema_scripts set sha256 = 'another form' where name = '0002-queue.sql'");

        (await Should.ThrowAsync<SchemaException>(() => PostgresSchema.ApplyAsync(database, Cancellation))).Message.ShouldContain("0002-queue.sql");
        (await PostgresSchema.CheckAsync(database, Cancellation)).IsCurrent.ShouldBeFalse();
    }

    [Fact]
    public async Task A_database_of_a_newer_version_is_left_alone()
    {
        await using var database = PostgresConnection.Open(await databases.EmptyAsync(), "schema tests");
        await PostgresSchema.ApplyAsync(database, Cancellation);
        await ExecuteAsync(database, "insert into zfsha.schema_scripts (name, sha256) values ('9999-later.sql', '')");

        (await Should.ThrowAsync<SchemaException>(() => PostgresSchema.ApplyAsync(database, Cancellation))).Message.ShouldContain("newer version");
        (await PostgresSchema.CheckAsync(database, Cancellation)).Problems.ShouldHaveSingleItem().ShouldContain("9999-later.sql");
    }

    /// <summary>The digests of every script that was ever released; a line may be added here, none may change.</summary>
    [Theory]
    [InlineData("0001-events.sql", "e0475c91ff7b5dac519121f3b9089276684148fb808115d2b64fc51edac3a368")]
    [InlineData("0002-queue.sql", "a882b8f6f071a8990f12347c21609aa6ddf8c3431c222f2068218eee2da0137a")]
    [InlineData("0003-leases.sql", "ef68700690446fb2cf7ef63e0f19be21c59e5c535ab45d28d1d383d1b7048d38")]
    [InlineData("0006-marten.sql", "5bb6d8b6a84ffd5060bdef2c4758c0311dbebfa21f7668eceb24661b3e336670")]
    [InlineData("0007-reading.sql", "bf12832c1dfe0b3ad90efe8e9b65367a741f3d3dff38b3778cfc243dfd0f3799")]
    [InlineData("0008-incarnations.sql", "362b53c0e62ca65337545b50f33c85adfd723ffcf51870c32a9ea6fcbf8e3242")]
    [InlineData("0009-queue.sql", "8a8a4a965c35a64fda52fc4654e9b1f826e7031b3e998c92e3dda7cfdf95589c")]
    public void A_released_script_is_what_it_was(string name, string digest) =>
        PostgresSchema.Scripts().Single(s => s.Name == name).Digest.ShouldBe(digest);

    /// <summary>A database that the first released scripts made, with events in it, as they stood then.</summary>
    [Fact]
    public async Task A_database_of_the_first_version_is_brought_up_to_date_with_what_is_in_it()
    {
        await using var database = PostgresConnection.Open(await databases.EmptyAsync(), "schema tests");
        foreach (var script in PostgresSchema.Scripts().Where(s => string.CompareOrdinal(s.Name, "0004") < 0)) await ExecuteAsync(database, script.Sql);
        await ExecuteAsync(database,
            """
            insert into zfsha.mt_streams (id, type, version) values ('pool-1', 'pool', 2);
            insert into zfsha.mt_events (seq_id, id, stream_id, version, data, type, headers)
            select nextval('zfsha.mt_events_sequence'), gen_random_uuid(), 'pool-1', v, '{"Host":"b"}', 'pool_observed', '{"host":"a"}' from generate_series(1, 2) v;
            insert into zfsha.messages (body) values ('{}');
            insert into zfsha.leases (holder, session, duration, renewed_at, attributes) values ('a', gen_random_uuid(), '1 hour', clock_timestamp(), '{}');
            """);

        await PostgresSchema.ApplyAsync(database, Cancellation);

        (await PostgresSchema.CheckAsync(database, Cancellation)).Problems.ShouldBeEmpty();
        await using var wakeUps = new WakeUps(database);
        var store = new PostgresEventStore(database, wakeUps);
        (await store.CommitAsync(new("pool-1", "pool", 2, DateTimeOffset.UtcNow, null) { Events = [PostgresOnlyTests.Event()] }, Cancellation)).ShouldBe(CommitResult.Committed);
        await Eventually.TrueAsync("whatever other tests have running in this PostgreSQL is over", async () =>
            (await new EventReader(database).AfterAsync(Position.Start, 10, Cancellation)).Select(e => e.Event.Version).SequenceEqual([1, 2, 3]));
        (await ScalarAsync<long>(database, "select count(*) from zfsha.mt_events where host = 'a'")).ShouldBe(2);
    }

    /// <summary>The golden description of the catalog, which <c>schema check</c> compares with too. ZFSHA_REWRITE_GOLDEN=1 writes it anew.</summary>
    [Fact]
    public async Task The_live_catalog_is_as_described()
    {
        await using var database = PostgresConnection.Open(await databases.EmptyAsync(), "schema tests");
        await PostgresSchema.ApplyAsync(database, Cancellation);
        await using var connection = await database.OpenConnectionAsync(Cancellation);
        var there = await PostgresSchema.DescribeAsync(connection, Cancellation);
        if (Environment.GetEnvironmentVariable("ZFSHA_REWRITE_GOLDEN") is { Length: > 0 })
        {
            await File.WriteAllLinesAsync(Path.Combine(Root(), "schemas/postgres/catalog.txt"), there, Cancellation);
            return;
        }

        there.ShouldBe(PostgresSchema.ExpectedCatalog());
    }

    [Theory]
    [InlineData("alter table zfsha.mt_events drop column bdata", "table mt_events column bdata")]
    [InlineData("alter table zfsha.mt_events alter column tenant_id type text", "there instead: table mt_events column tenant_id: text")]
    [InlineData("drop index zfsha.pk_mt_events_stream_and_version", "index pk_mt_events_stream_and_version")]
    [InlineData("alter table zfsha.mt_events disable trigger keep_events", "trigger keep_events of mt_events, enabled")]
    [InlineData("create or replace function zfsha.mt_archive_stream(streamid varchar) returns void language sql as 'select null::void'", "function mt_archive_stream(streamid character varying)")]
    [InlineData("alter function zfsha.agent_host() set search_path = pg_catalog", "function agent_host()")]
    [InlineData("alter view zfsha.pool_history reset (security_barrier)", "view pool_history options")]
    [InlineData("revoke insert on zfsha.mt_events from zfsha_server", "grant on mt_events to zfsha_server")]
    [InlineData("grant delete on zfsha.mt_events to zfsha_server", "there instead: grant on mt_events to zfsha_server")]
    public async Task A_catalog_that_somebody_changed_is_told(string change, string told)
    {
        await using var database = PostgresConnection.Open(await databases.EmptyAsync(), "schema tests");
        await PostgresSchema.ApplyAsync(database, Cancellation);
        (await PostgresSchema.CheckAsync(database, Cancellation)).Problems.ShouldBeEmpty();

        await ExecuteAsync(database, change);

        var state = await PostgresSchema.CheckAsync(database, Cancellation);
        state.IsCurrent.ShouldBeFalse();
        state.Problems.ShouldContain(p => p.Contains(told, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_whole_script_run_twice_by_psql_makes_what_the_program_makes()
    {
        var connectionString = await databases.EmptyAsync();
        await using var database = PostgresConnection.Open(connectionString, "schema tests");
        for (var round = 0; round < 2; round++) await ExecuteAsync(database, PostgresSchema.WholeScript());

        var state = await PostgresSchema.CheckAsync(database, Cancellation);
        state.Pending.ShouldBeEmpty();
        state.Problems.ShouldBeEmpty();
        (await PostgresSchema.ApplyAsync(database, Cancellation)).ShouldBeEmpty();
    }

    static string Root()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "ZfsHaEvents.sln"))) directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("not within the repository");
        return directory;
    }

    static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    static async Task<T> ScalarAsync<T>(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(Cancellation))!;
    }
}
