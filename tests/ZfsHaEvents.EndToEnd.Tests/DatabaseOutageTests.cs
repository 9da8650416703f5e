using Shouldly;
using Xunit;

namespace ZfsHaEvents.EndToEnd.Tests;

/// <summary>PostgreSQL, alone or with the server, is away for ten seconds in the middle of a move. Nobody is taken for dead because of it.</summary>
public sealed class DatabaseOutageTests
{
    static readonly TimeSpan Outage = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task A_database_that_stands_still_for_ten_seconds_costs_no_lease_and_no_move()
    {
        await using var cluster = await FakeCluster.StartAsync(Shape);
        await InMidMoveAsync(cluster, () => FakeCluster.StallAsync(Outage, cluster.PostgresPids()));
    }

    [Fact]
    public async Task A_machine_with_database_and_server_that_stands_still_for_ten_seconds_takes_nobody_for_dead_when_it_goes_on()
    {
        await using var cluster = await FakeCluster.StartAsync(Shape);

        await FakeCluster.StallAsync(Outage, [cluster.Server.Pid, .. cluster.PostgresPids()]);
        var (end, detail) = await cluster.MoveAsync("tank1", to: "b", "first-thing");

        end.ShouldBe("Completed", $"{detail}; logs in {cluster.Directory}");
        await ShouldHaveCostNothingAsync(cluster);
    }

    [Fact]
    public async Task A_database_that_is_away_for_ten_seconds_costs_a_failover_nothing_but_time()
    {
        await using var cluster = await FakeCluster.StartAsync(Shape with { Multihost = "on", TimeScale = 0.1 });
        await cluster.LeaveDatabaseAloneAsync();
        await cluster.SetPolicyAsync("tank1", automatic: true, "MmpAlone", "b");
        cluster.Crash("a");
        await FakeCluster.EventuallyAsync("b's import runs", () => Task.FromResult(cluster.Commands("b", "import").Count == 1), TimeSpan.FromSeconds(60));

        cluster.Postgres("stop", "-m", "immediate");
        await Task.Delay(Outage, TestContext.Current.CancellationToken);
        cluster.Postgres("start");

        await cluster.ServerReadyAsync();
        var (end, detail) = FakeCluster.EndOf(await cluster.FailoverEndedAsync("tank1", new HashSet<string>()));
        end.ShouldBe("Completed", $"{detail}; logs in {cluster.Directory}");
        cluster.Truth().HoldersNow(cluster.Pools["tank1"]).ShouldBe(["b"]);
        cluster.Truth().Lines.Count(l => l.Op == "import").ShouldBe(1, "taken over once");
        await cluster.EverybodyInSessionAsync("b", "c");
        (await cluster.QueryAsync<string>("select string_agg(stream_id, ' ') from zfsha.mt_events where type = 'host_lease_lost'")).ShouldBe("host-a", "nobody else is taken for dead");
        await cluster.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task A_database_that_crashes_and_is_started_after_ten_seconds_costs_no_lease_and_no_move()
    {
        await using var cluster = await FakeCluster.StartAsync(Shape);
        await cluster.LeaveDatabaseAloneAsync(); // A server that started it would start it again within a second.
        await InMidMoveAsync(cluster, async () =>
        {
            cluster.Postgres("stop", "-m", "immediate");
            await Task.Delay(Outage);
            cluster.Postgres("start");
        });
    }

    [Fact]
    public async Task A_private_database_that_crashes_is_started_again_by_the_server()
    {
        await using var cluster = await FakeCluster.StartAsync(Shape);
        await InMidMoveAsync(cluster, async () =>
        {
            var crashed = cluster.PostgresPid();
            Running.Signal(crashed, Running.SigQuit); // Without pg_ctl, which would wait for the next one to stop as well.
            await FakeCluster.EventuallyAsync("another PostgreSQL runs", () => Task.FromResult(cluster.PostgresPidOrNull() is { } pid && pid != crashed), TimeSpan.FromSeconds(30));
        });
    }

    static ClusterShape Shape => new(ExportSeconds: 1, ImportSeconds: 1, ServerArguments: ["--start-seconds", "30", "--export-seconds", "20", "--import-seconds", "20", "--labels-seconds", "20", "--grace-seconds", "20"]);

    static async Task InMidMoveAsync(FakeCluster cluster, Func<Task> outage)
    {
        await cluster.SwitchoverAsync("tank1", to: "b", id: "through-the-outage");
        await FakeCluster.EventuallyAsync("a's export runs", () => Task.FromResult(cluster.Commands("a", "export").Count == 1), TimeSpan.FromSeconds(30));

        await outage();

        await cluster.ServerReadyAsync();
        ((string)(await cluster.MoveEndedAsync("through-the-outage", TimeSpan.FromSeconds(60)))["state"]!).ShouldBe("Completed");
        await ShouldHaveCostNothingAsync(cluster);
    }

    static async Task ShouldHaveCostNothingAsync(FakeCluster cluster)
    {
        cluster.Truth().HoldersNow(cluster.Pools["tank1"]).ShouldBe(["b"]);
        (await cluster.QueryAsync<long>("select count(*) from zfsha.mt_events where type in ('host_lease_lost', 'host_evicted', 'host_returned', 'ownership_unverified')")).ShouldBe(0, "no lease is lost by an outage");
        (await cluster.QueryAsync<long>("select count(*) from zfsha.mt_events where type = 'host_session_opened'")).ShouldBe(FakeCluster.Hosts.Length, "nor a session");
        await cluster.ShouldBeSoundAsync();
    }
}
