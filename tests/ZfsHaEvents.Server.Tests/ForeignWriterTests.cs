using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Server.Tests;

/// <summary>A Marten application appends to a pool's stream, with the rights of its role and in each of the ways in which it may.</summary>
public sealed class ForeignWriterTests
{
    [Fact]
    public async Task What_a_Marten_application_appends_reaches_the_views_raises_alerts_and_leaves_the_pool_fit_for_orders()
    {
        await using var server = new ServerProcess();
        await server.StartAsync();
        var pool = World.NewPool();
        await server.TellAsync(World.Opened("a", 1, (pool, "tank")), World.Opened("b", 2));
        var before = await VersionAsync(server, pool);

        await AppendAsync(server, 9, pool, "pool_observed", Saw("Suspended"));
        await HealthAsync(server, pool, "Suspended");
        var alert = (await server.GetAsync("/alerts?open=true")).Body.AsArray().Single(a => (string?)a!["kind"] == "PoolSuspended")!;
        ((string?)alert["pool"], (string?)alert["host"]).ShouldBe((pool.ToString(), "a"));

        await AppendAsync(server, 8, pool, "pool_observed", Saw("Online"));
        await HealthAsync(server, pool, "Online");
        (await server.GetAsync("/alerts")).Body.AsArray().Single(a => (string?)a!["kind"] == "PoolSuspended")!["clearedAt"].ShouldNotBeNull();

        await InsertAsync(server, pool, "pool_observed", Saw("Degraded"));
        await HealthAsync(server, pool, "Degraded");

        (await VersionAsync(server, pool)).ShouldBe(before + 3);
        var history = (await server.GetAsync($"/pools/{pool}/history?host=a&newestFirst=true&limit=3")).Body.AsArray();
        history.Select(e => (string?)e!["actor"]).ShouldBe(["app", "app", "app"]);
        await Eventually.TrueAsync("they are counted", async () => (long)(await ActivityAsync(server, pool))["events"]! == before + 3);
        await MovesAsync(server, pool);
    }

    /// <summary>What we append next writes only what changed by it; that alone must not make the view pass for up to date.</summary>
    [Fact]
    public async Task What_a_Marten_application_appends_raises_its_alert_also_when_we_append_before_the_reader_comes_by()
    {
        await using var server = new ServerProcess();
        await server.StartAsync();
        var pool = World.NewPool();
        await server.TellAsync(World.Opened("a", 1, (pool, "tank")), World.Opened("b", 2));
        ((int)(await server.PostAsync("/projections/InlineViews/pauses", new { by = "alice" })).Status).ShouldBe(200);
        await Task.Delay(Projections.Readers.Lease, TestContext.Current.CancellationToken); // By then its runner has asked, and been refused.

        await AppendAsync(server, 9, pool, "pool_observed", Saw("Suspended"));
        await server.TellAsync(World.Saw("b", pool, "tank", ZfsHaEvents.Domain.Pools.PoolSight.Absent));
        (await server.GetAsync("/alerts")).Body.AsArray().ShouldNotContain(a => (string?)a!["kind"] == "PoolSuspended");
        ((int)(await server.PostAsync("/projections/InlineViews/resumptions", new { by = "alice" })).Status).ShouldBe(200);

        await Eventually.TrueAsync("the alert is raised", async () => (await server.GetAsync("/alerts?open=true")).Body.AsArray().Any(a => (string?)a!["kind"] == "PoolSuspended"));
    }

    [Fact]
    public async Task An_event_of_an_unknown_type_stops_that_pools_orders_and_its_numbers_and_nothing_else()
    {
        await using var server = new ServerProcess();
        await server.StartAsync();
        var (pool, other) = (World.NewPool(), World.NewPool());
        await server.TellAsync(World.Opened("a", 1, (pool, "tank"), (other, "dozer")), World.Opened("b", 2));
        var before = await VersionAsync(server, pool);

        await AppendAsync(server, 9, pool, "pool_teleported", """{"Where":"b"}""");
        await Eventually.TrueAsync("the pool takes no orders", async () => (bool)(await server.GetAsync($"/pools/{pool}")).Body["unknownHistory"]!);
        var refused = await server.PostAsync($"/pools/{pool}/switchovers", new { to = "b", by = "alice" });
        (refused.Status, (string?)refused.Body["type"]).ShouldBe((HttpStatusCode.Conflict, "UnknownHistory"));
        ((string?)refused.Body["detail"]).ShouldNotBeNull().ShouldContain("pool_teleported");

        await Eventually.TrueAsync("its stream is parked", async () => (await ReaderAsync(server, "PoolActivity:All"))["parked"]!.AsArray().Count == 1);
        var parked = (await ReaderAsync(server, "PoolActivity:All"))["parked"]![0]!;
        ((string?)parked["stream"], (long?)parked["version"], (string?)parked["type"]).ShouldBe(($"pool-{pool}", before + 1, "pool_teleported"));
        ((string?)parked["error"]).ShouldNotBeNull().ShouldContain("does not know events of the type 'pool_teleported'");
        (await ReaderAsync(server, "InlineViews:All"))["parked"]!.AsArray().ShouldBeEmpty();
        ((long?)(await ActivityAsync(server, pool))["events"]).ShouldBe(before);

        var still = await server.PostAsync("/projections/PoolActivity/replays", new { by = "alice", stream = $"pool-{pool}" });
        (still.Status, (string?)still.Body["type"]).ShouldBe((HttpStatusCode.Conflict, "StillParked"));
        foreach (var reader in (string[])["PoolActivity", "InlineViews"])
        {
            var none = await server.PostAsync($"/projections/{reader}/replays", new { by = "alice", stream = "host-nobody" });
            (none.Status, (string?)none.Body["type"]).ShouldBe((HttpStatusCode.NotFound, "NotParked"));
        }

        (await server.GetAsync("/hosts")).Body.AsArray().Count.ShouldBe(2); // Asking for nobody's views makes none.
        await MovesAsync(server, other);
        await Eventually.TrueAsync("the other pool's numbers go on", async () => (long)(await ActivityAsync(server, other))["events"]! == await VersionAsync(server, other));
        var all = (await server.GetAsync("/activity")).Body.AsArray();
        all.Select(a => (string?)a!["pool"]).Order(StringComparer.Ordinal).ShouldBe(new[] { pool.ToString(), other.ToString() }.Order(StringComparer.Ordinal));
    }

    /// <summary>The switchover begins: the holder is ordered to export.</summary>
    static async Task MovesAsync(ServerProcess server, PoolGuid pool)
    {
        var answer = await server.PostAsync($"/pools/{pool}/switchovers", new { to = "b", by = "alice" });
        ((int)answer.Status).ShouldBeInRange(200, 299, answer.Body.ToString());
        ((long)(await server.ExecuteAsync("select count(*) from zfsha.messages where queue = 'host-a' and body ->> 'type' = 'zfsha.order.export' and body ->> 'subject' = $1", pool.ToString()))!).ShouldBe(1);
    }

    static Task HealthAsync(ServerProcess server, PoolGuid pool, string health) =>
        Eventually.TrueAsync($"the pool is seen {health}", async () => (string?)(await server.GetAsync($"/pools/{pool}")).Body["health"] == health);

    static async Task<JsonNode> ActivityAsync(ServerProcess server, PoolGuid pool) => (await server.GetAsync($"/pools/{pool}/activity")).Body["activity"]!;

    static async Task<JsonNode> ReaderAsync(ServerProcess server, string name) => (await server.GetAsync("/projections")).Body["readers"]!.AsArray().Single(r => (string?)r!["name"] == name)!;

    static async Task<long> VersionAsync(ServerProcess server, PoolGuid pool) => (long)(await server.ExecuteAsync("select version from zfsha.mt_streams where id = $1", $"pool-{pool}"))!;

    static string Saw(string health)
    {
        var body = JsonNode.Parse(Golden.Read("events/pool_observed.json"))!;
        (body["Host"], body["Sight"]!["Presence"], body["Sight"]!["Health"]) = ("a", "ReadWrite", health);
        return body.ToJsonString();
    }

    static int _sequence = 1_000_000;

    static string Headers() => string.Create(CultureInfo.InvariantCulture, $$"""{"host":"a","boot":"{{World.Boot}}","sequence":{{Interlocked.Increment(ref _sequence)}}}""");

    /// <summary>Marten's Quick mode.</summary>
    static async Task AppendAsync(ServerProcess server, int marten, PoolGuid pool, string type, string body)
    {
        var binaries = marten == 9 ? "array[null::bytea], " : "";
        await AsMartenAsync(server,
            $"""
            select zfsha.mt_quick_append_events('pool-{pool}', 'pool', '*DEFAULT*', array[gen_random_uuid()], array['{type}'::varchar], array['App.Thing, App'::varchar], array['{body.Replace("'", "''", StringComparison.Ordinal)}'::jsonb],
                {binaries}array['cause'::varchar], array['request'::varchar], array['{Headers()}'::jsonb], array['app'::varchar])
            """);
    }

    /// <summary>Marten's Rich mode: it draws the numbers, then writes.</summary>
    static async Task InsertAsync(ServerProcess server, PoolGuid pool, string type, string body)
    {
        var version = await VersionAsync(server, pool);
        await AsMartenAsync(server, string.Create(CultureInfo.InvariantCulture,
            $"""
            insert into zfsha.mt_events (data, type, mt_dotnet_type, seq_id, id, stream_id, version, timestamp, tenant_id, correlation_id, causation_id, headers, user_name)
            values ('{body.Replace("'", "''", StringComparison.Ordinal)}', '{type}', 'App.Thing, App', nextval('zfsha.mt_events_sequence'), gen_random_uuid(), 'pool-{pool}', {version + 1}, now(), '*DEFAULT*', null, null, '{Headers()}', 'app');
            update zfsha.mt_streams set version = {version + 1}, timestamp = now() where id = 'pool-{pool}' and version = {version}
            """));
    }

    static Task<object?> AsMartenAsync(ServerProcess server, string sql) => server.ExecuteAsync($"set role zfsha_marten; {sql}");
}
