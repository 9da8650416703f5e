using Npgsql;
using Shouldly;
using Xunit;

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

    /// <summary>A script that changed is applied again over what is there, so each must bear that, with data in the tables.</summary>
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
        await using (var forget = database.CreateCommand("update zfsha.schema_scripts set sha256 = 'an older form'")) await forget.ExecuteNonQueryAsync(Cancellation);

        (await PostgresSchema.ApplyAsync(database, Cancellation)).Count.ShouldBe(PostgresSchema.Scripts().Count);

        var after = await store.LoadAsync("pool-1", Cancellation);
        after.Events.ShouldBe(before.Events);
        after.Incarnation.ShouldBe(before.Incarnation);
        after.Leases.ShouldHaveSingleItem().Alive.ShouldBeTrue();
        (await ScalarAsync<long>(database, "select epoch from zfsha.pool_ownership where pool = 'tank'")).ShouldBe(3);
        (await ScalarAsync<long>(database, "select count(*) from zfsha.pool_history where pool_guid = '1'")).ShouldBe(1);
    }

    static async Task<T> ScalarAsync<T>(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(Cancellation))!;
    }
}
