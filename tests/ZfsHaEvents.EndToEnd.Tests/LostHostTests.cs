using System.Text.Json.Nodes;
using Shouldly;
using Xunit;

namespace ZfsHaEvents.EndToEnd.Tests;

/// <summary>A host is lost, or only seems so: the fake disks decide which.</summary>
public sealed class LostHostTests
{
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    static Task<FakeCluster> StartAsync() => FakeCluster.StartAsync(new(Multihost: "on", TimeScale: 0.08));

    [Fact]
    public async Task An_agent_killed_alone_leaves_its_pool_where_it_is_because_MMP_refuses_the_takeover()
    {
        await using var cluster = await StartAsync();
        await cluster.SetPolicyAsync("tank1", automatic: true, "MmpAlone", "b", "c");

        cluster.KillAgent("a");
        var move = await cluster.FailoverEndedAsync("tank1", new HashSet<string>());

        ((string)move["state"]!).ShouldBe("Halted", move.ToString());
        ((string)move["outcome"]!).ShouldContain("HolderStillActive");
        cluster.Truth().HoldersNow(cluster.Pools["tank1"]).ShouldBe(["a"]);
        cluster.Truth().Lines.Count(l => l.Op == "import").ShouldBe(0);
        cluster.StartAgent("a");
        await cluster.EverybodyInSessionAsync();
        await cluster.ShouldBeSoundAsync();
        ((string?)(await cluster.PoolAsync("tank1"))["holder"]).ShouldBe("a");
        (await cluster.AlertsAsync("MoveHalted")).ShouldHaveSingleItem();
        (await cluster.AlertsAsync("HostLost")).ShouldHaveSingleItem()["clearedAt"].ShouldNotBeNull();
    }

    [Fact]
    public async Task A_lost_host_is_taken_over_by_policy_without_being_asked()
    {
        await using var cluster = await StartAsync();
        await cluster.SetPolicyAsync("tank1", automatic: true, "MmpAlone", "a", "b");

        cluster.Crash("a");
        var move = await cluster.FailoverEndedAsync("tank1", new HashSet<string>());

        await ShouldHaveTakenOverAsync(cluster, move, "b");
        ForcedOnce(cluster, "b");
        await cluster.BootAsync("a");
        cluster.StartAgent("a");
        await cluster.EverybodyInSessionAsync();
        await cluster.ShouldBeSoundAsync();
        ((bool)(await cluster.PoolAsync("tank1"))["verified"]!).ShouldBeTrue();
    }

    [Fact]
    public async Task A_host_that_is_lost_after_the_only_target_is_taken_over_when_the_target_is_back()
    {
        await using var cluster = await StartAsync();
        await cluster.SetPolicyAsync("tank1", automatic: true, "MmpAlone", "b");

        foreach (var host in new[] { "b", "a" })
        {
            cluster.Crash(host);
            await LostAsync(cluster, host);
        }

        await cluster.BootAsync("b");
        cluster.StartAgent("b");
        JsonNode? move = null;
        await FakeCluster.EventuallyAsync("b has taken over", async () => (move = (await cluster.MovesAsync("tank1")).FirstOrDefault(m => (string)m["state"]! == "Completed")) is not null, Limit, () => cluster.Directory);

        await ShouldHaveTakenOverAsync(cluster, move!, "b");
        ForcedOnce(cluster, "b");
        await cluster.BootAsync("a");
        cluster.StartAgent("a");
        await cluster.EverybodyInSessionAsync();
        await cluster.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task A_lost_host_is_taken_over_by_hand_once_somebody_vouches_for_it()
    {
        await using var cluster = await StartAsync();
        cluster.Crash("a");
        await LostAsync(cluster, "a");

        await cluster.AskAsync("/pools/tank1/failovers", new { id = "by-hand", to = "c", by = "alice" });
        await FakeCluster.EventuallyAsync("it waits for a person", async () => (await cluster.AlertsAsync("FencingNeeded")).Count == 1, Limit);
        cluster.Truth().HoldersNow(cluster.Pools["tank1"]).ShouldBeEmpty();
        await cluster.AskAsync("/pools/tank1/fencing-confirmations", new { host = "a", by = "alice", statement = "pulled the plug myself" });

        await ShouldHaveTakenOverAsync(cluster, await cluster.MoveEndedAsync("by-hand", Limit), "c");
        (await cluster.AlertsAsync("FencingNeeded")).ShouldHaveSingleItem()["clearedAt"].ShouldNotBeNull();
        await cluster.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task A_frozen_holder_is_taken_over_and_comes_back_with_its_pool_suspended()
    {
        await using var cluster = await StartAsync();
        await cluster.SetPolicyAsync("tank1", automatic: true, "MmpAlone", "b");

        cluster.Freeze("a");
        var move = await cluster.FailoverEndedAsync("tank1", new HashSet<string>());
        await ShouldHaveTakenOverAsync(cluster, move, "b");
        cluster.Thaw("a");

        await FakeCluster.EventuallyAsync("the suspended copy is seen", async () => (await cluster.AlertsAsync("SuspendedCopy")).Count > 0, Limit);
        await cluster.EverybodyInSessionAsync();
        await cluster.ShouldBeSoundAsync();
        (await cluster.AlertsAsync("SuspendedCopy")).ShouldHaveSingleItem();
        (await cluster.AlertsAsync("TwoHolders")).ShouldBeEmpty();
        cluster.Truth().Lines.ShouldContain(l => l.Op == "suspend" && l.Host == "a");
        ((string?)(await cluster.PoolAsync("tank1"))["holder"]).ShouldBe("b");
    }

    static Task LostAsync(FakeCluster cluster, string host) =>
        FakeCluster.EventuallyAsync($"{host} is lost", async () => (await cluster.HostsAsync()).Single(h => h.Name == host).Status == "Lost", Limit);

    static async Task ShouldHaveTakenOverAsync(FakeCluster cluster, JsonNode move, string by)
    {
        ((string)move["state"]!).ShouldBe("Completed", $"{move}; logs in {cluster.Directory}");
        cluster.Truth().HoldersNow(cluster.Pools["tank1"]).ShouldBe([by]);
        ((string?)(await cluster.PoolAsync("tank1"))["holder"]).ShouldBe(by);
    }

    static void ForcedOnce(FakeCluster cluster, string host) =>
        cluster.Truth().Lines.Where(l => l.Op == "import").Select(l => l.Host).ShouldBe([host]);
}
