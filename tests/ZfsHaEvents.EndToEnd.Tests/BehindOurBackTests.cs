using Shouldly;
using Xunit;

namespace ZfsHaEvents.EndToEnd.Tests;

/// <summary>Somebody with a root shell imports a pool that another host holds.</summary>
public sealed class BehindOurBackTests
{
    [Fact]
    public async Task A_second_holder_raises_one_alert_of_each_kind_with_the_events_that_prove_it()
    {
        await using var cluster = await FakeCluster.StartAsync(new(Multihost: "off"));
        var pool = cluster.Pools["tank1"];
        await cluster.EverybodyInSessionAsync();

        cluster.Zpool("c", "import", "-f", "-o", "cachefile=none", pool).ShouldBe("");
        await FakeCluster.EventuallyAsync("both alerts are raised", async () => (await cluster.AlertsAsync("TwoHolders")).Count > 0 && (await cluster.AlertsAsync("ImportNotOrdered")).Count > 0, TimeSpan.FromSeconds(20));
        await Task.Delay(2000, TestContext.Current.CancellationToken); // What would be raised twice is raised again by the watchers' next looks.
        await cluster.QuietAsync();

        var imported = cluster.Truth().Lines.Last(l => l.Op == "import").At;
        var history = (await cluster.HistoryAsync("tank1")).ToDictionary(h => h.Id);
        foreach (var (kind, hosts) in new[] { ("TwoHolders", new[] { "a", "c" }), ("ImportNotOrdered", ["c"]) })
        {
            var alert = (await cluster.AlertsAsync(kind)).ShouldHaveSingleItem();
            var evidence = alert["evidence"]!.AsArray().Select(e => history[Guid.Parse((string)e!)]).ToList();
            evidence.Select(e => e.Host).ShouldBe(hosts);
            evidence.ShouldAllBe(e => e.SaysHeld);
            FakeCluster.Say($"{kind} raised {(alert["raisedAt"]!.GetValue<DateTimeOffset>() - imported).TotalMilliseconds:0} ms after the import");
        }

        cluster.Truth().Conflicts().ShouldNotBeEmpty("the disks say so too");
        cluster.Zpool("c", "export", "tank1").ShouldBe("");
        await FakeCluster.EventuallyAsync("the conflict is over", async () => (await cluster.AlertsAsync("TwoHolders")).Single()["clearedAt"] is not null, TimeSpan.FromSeconds(20));
        (await cluster.HistoryAsync("tank1")).Count(h => h.Type == "conflict_cleared").ShouldBe(1);

        // Reading alone takes nothing from anybody; it is told all the same.
        cluster.Zpool("a", "export", "tank1").ShouldBe("");
        cluster.Zpool("c", "import", "-o", "readonly=on", "-o", "cachefile=none", pool).ShouldBe("");
        await FakeCluster.EventuallyAsync("the read-only import is told", async () => (await cluster.HistoryAsync("tank1")).Any(h => h is { Host: "c", Presence: "ReadOnly" }), TimeSpan.FromSeconds(20));
        cluster.Truth().HoldersNow(pool).ShouldBeEmpty();
        cluster.Truth().ReadOnlyImports.ShouldHaveSingleItem().Host.ShouldBe("c");
        await cluster.ShouldTellTheTruthAsync();
        cluster.Zpool("c", "export", "tank1").ShouldBe("");
        await FakeCluster.EventuallyAsync("nobody has it", async () => (await cluster.PoolAsync("tank1"))["hosts"]!.AsArray().All(h => (string)h!["presence"]! == "Absent"), TimeSpan.FromSeconds(20));
        await cluster.ShouldTellTheTruthAsync();
    }

    [Fact]
    public async Task With_multihost_on_ZFS_refuses_it_and_nobody_is_woken()
    {
        await using var cluster = await FakeCluster.StartAsync(new(Multihost: "on", TimeScale: 0.1));
        var pool = cluster.Pools["tank1"];

        cluster.Zpool("c", "import", "-f", "-o", "cachefile=none", pool).ShouldContain("is imported");

        cluster.Truth().Lines.Count(l => l.Op == "import-refused" && l.Host == "c").ShouldBe(1);
        cluster.Truth().HoldersNow(pool).ShouldBe(["a"]);
        await cluster.ShouldBeSoundAsync();
        (await cluster.GetAsync("/alerts")).AsArray().ShouldBeEmpty();
    }
}
