using Shouldly;
using Xunit;

namespace ZfsHaEvents.EndToEnd.Tests;

public sealed class SwitchoverTests
{
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_pool_moves_to_the_host_that_was_asked_for()
    {
        await using var cluster = await FakeCluster.StartAsync(new());
        await cluster.SwitchoverAsync("tank1", to: "b", id: "move-1");

        var move = await cluster.MoveEndedAsync("move-1", Limit);

        ((string)move["state"]!).ShouldBe("Completed");
        cluster.Truth().HoldersNow(cluster.Pools["tank1"]).ShouldBe(["b"]);
        await cluster.ShouldBeSoundAsync();
    }
}
