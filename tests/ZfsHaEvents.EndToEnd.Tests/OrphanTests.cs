using Shouldly;
using Xunit;

namespace ZfsHaEvents.EndToEnd.Tests;

/// <summary>The agent dies while its zpool import is at the activity check: the import goes on without it.</summary>
public sealed class OrphanTests
{
    [Fact]
    public async Task An_import_that_outlives_its_agent_is_waited_for_by_the_lock_and_attributed_to_its_order()
    {
        // An activity check of twenty seconds: time for another agent to start beside it. No lease is lost by that on a busy machine, which would
        // halt the move; what follows from a lost one has its own tests.
        await using var cluster = await FakeCluster.StartAsync(new(Multihost: "on", TimeScale: 0.7, ServerArguments: ["--start-seconds", "20", "--export-seconds", "20", "--import-seconds", "60", "--labels-seconds", "20", "--grace-seconds", "10", "--lease-seconds", "20"]));
        await cluster.SwitchoverAsync("tank1", to: "b", id: "orphaned");
        await FakeCluster.EventuallyAsync("b's import runs", async () => cluster.Commands("b", "import").Count == 1 && (await cluster.HistoryAsync("tank1")).Any(h => h.Type == "import_started"), TimeSpan.FromSeconds(30));
        var orphan = cluster.Commands("b", "import").Single();

        cluster.KillAgent("b");
        cluster.StartAgent("b");
        await FakeCluster.EventuallyAsync("the new agent has the order, issued again", async () => (await cluster.HistoryAsync("tank1")).Any(h => h.Type == "order_reissued"), TimeSpan.FromSeconds(30));
        cluster.Commands("b", "import").ShouldBe([orphan], "the orphan goes on, and nobody started a second import");
        var move = await cluster.MoveEndedAsync("orphaned", TimeSpan.FromSeconds(90));

        ((string)move["state"]!).ShouldBe("Completed", $"{move}; logs in {cluster.Directory}");
        await cluster.ShouldBeSoundAsync();
        cluster.Truth().Lines.Where(l => l.Op == "import").Select(l => l.Host).ShouldBe(["b"], "imported once");
        var history = await cluster.HistoryAsync("tank1");
        history.Count(h => h.Type == "import_started").ShouldBe(1);
        var succeeded = history.Where(h => h.Type == "import_succeeded").ShouldHaveSingleItem();
        succeeded.Request.ShouldBe("orphaned");
        succeeded.Data.GetProperty("Order").GetString()!.ShouldNotEndWith("/Import/1");
        var waited = history.Where(h => h.Type == "pool_lock_acquired" && h.Host == "b").Max(h => h.Data.GetProperty("WaitedSeconds").GetDouble());
        FakeCluster.Say($"the restarted agent waited {waited:0.0} s for the orphan's lock");
        waited.ShouldBeGreaterThan(0.5);
        history.ShouldContain(h => h.Type == "pool_lock_broken", "the lock's first holder died with it");
        (await cluster.AlertsAsync("ImportNotOrdered")).ShouldBeEmpty();
    }
}
