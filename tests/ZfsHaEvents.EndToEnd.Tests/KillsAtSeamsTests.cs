using System.Globalization;
using Shouldly;
using Xunit;

namespace ZfsHaEvents.EndToEnd.Tests;

/// <summary>
/// SIGKILL exactly at every point at which a crash matters, one after the other, until a point is not passed that often any more.
/// A point that was not reached counts for nothing.
/// </summary>
public abstract class KillsAtSeams
{
    protected static readonly string[] HostPoints = ["child-start", "child-exit", "report-before", "report"];
    protected static readonly string[] ServerPoints = ["commit-before", "commit-after"];

    /// <summary>No move passes any point that often; a bound in case one does.</summary>
    const int PassesMax = 25;

    readonly List<string> _ends = [];

    protected int Hits { get; private set; }

    /// <summary>Kills the process at each passing of the point, each time in a run of its own, until a run does not come there.</summary>
    /// <param name="runAsync">Makes the run; the argument waits for the process to stop, kills it and starts it again.</param>
    private protected async Task EveryPassingAsync(FakeCluster cluster, string point, Func<int, Task<(bool Hit, string What, string End)>> runAsync)
    {
        for (var n = 1; n <= PassesMax; n++)
        {
            var (hit, what, end) = await runAsync(n);
            cluster.Truth().Conflicts().ShouldBeEmpty($"{what}; logs in {cluster.Directory}");
            if (!hit)
            {
                end.ShouldBe("Completed", $"{what}, not killed; logs in {cluster.Directory}"); // Else the point may not have been passed for another reason.
                return;
            }

            Hits++;
            _ends.Add(end);
            FakeCluster.Say(string.Create(CultureInfo.InvariantCulture, $"  {what} killed at {point} {n}: {end}"));
            FakeCluster.Ends.ShouldContain(end);
        }

        throw new InvalidOperationException($"{point} was passed more than {PassesMax} times");
    }

    protected void Tell(string what) =>
        FakeCluster.Say($"{what}: {Hits} points hit; {string.Join(", ", _ends.CountBy(e => e).Select(e => $"{e.Value} {e.Key}"))}");

    /// <summary>One switchover with the process killed at the point.</summary>
    private protected static async Task<(bool Hit, string What, string End)> SwitchoverAsync(FakeCluster cluster, Func<string, string, string> processOf, string point, int n)
    {
        await cluster.EverybodyInSessionAsync();
        var from = (string?)(await cluster.PoolAsync("tank1"))["holder"];
        if (from is null) await cluster.RestoreAsync("tank1", from = "a");
        var to = from == "a" ? "b" : "a";
        var (process, id) = (processOf(from, to), cluster.NextId("seam"));
        cluster.StopAt(process, point, n);
        var asking = cluster.MoveAsync("tank1", to, id);
        var hit = await KilledAsync(cluster, process, () => Task.FromResult(asking.IsCompleted));
        var (end, detail) = await asking;
        if (end is "Halted") await cluster.RestoreAsync("tank1", to);
        return (hit, process, end is not "Completed" ? Shown(end, detail) : end);
    }

    static string Shown(string end, string detail)
    {
        FakeCluster.Say($"    {end}: {detail}");
        return end;
    }

    /// <summary>Waits for the process to stop itself at its point, kills it there and starts it again.</summary>
    /// <returns>False when the work was over first.</returns>
    private protected static async Task<bool> KilledAsync(FakeCluster cluster, string process, Func<Task<bool>> isOver)
    {
        var running = process == "server" ? cluster.Server : cluster.Agent(process[^1..]);
        var hit = await cluster.StoppedAsync(running, isOver);
        cluster.Disarm(process);
        if (!hit) return false;
        running.KillHard();
        if (process == "server")
        {
            cluster.StartServer();
            await cluster.ServerReadyAsync();
        }
        else
        {
            cluster.StartAgent(process[^1..]);
        }

        return true;
    }
}

public sealed class KillsAtSeamsOfASwitchoverTests : KillsAtSeams
{
    [Fact]
    public async Task The_agents_and_the_server_may_die_at_any_point_of_a_switchover()
    {
        // No lease is lost while an agent starts again on a busy machine; what follows from a lost one has its own tests.
        await using var cluster = await FakeCluster.StartAsync(new(ServerArguments: [.. ClusterShape.QuickBounds, "--lease-seconds", "20"]));
        foreach (var point in HostPoints)
        {
            await EveryPassingAsync(cluster, point, n => SwitchoverAsync(cluster, (from, _) => $"agent-{from}", point, n));
            await EveryPassingAsync(cluster, point, n => SwitchoverAsync(cluster, (_, to) => $"agent-{to}", point, n));
        }

        Tell("Agents in a switchover");
        Hits.ShouldBeGreaterThanOrEqualTo(2 * HostPoints.Length, "each point is passed at least once by either agent");
        var agents = Hits;
        await cluster.ShouldBeSoundAsync();

        foreach (var point in ServerPoints) await EveryPassingAsync(cluster, point, n => SwitchoverAsync(cluster, (_, _) => "server", point, n));

        Tell("Agents and server in a switchover");
        (Hits - agents).ShouldBeGreaterThanOrEqualTo(10, "a request and two reports of each host are five commits");
        await cluster.ShouldBeSoundAsync();
    }
}

public sealed class KillsAtSeamsOfAFailoverTests : KillsAtSeams
{
    [Fact]
    public async Task The_target_s_agent_and_the_server_may_die_at_any_point_of_a_failover()
    {
        await using var cluster = await FakeCluster.StartAsync(new(Multihost: "on", TimeScale: 0.05, ServerArguments: [.. ClusterShape.QuickBounds, "--lease-seconds", "4"]));
        await cluster.SetPolicyAsync("tank1", automatic: true, "MmpAlone", "a", "b");
        foreach (var point in HostPoints) await EveryPassingAsync(cluster, point, n => FailoverAsync(cluster, to => $"agent-{to}", point, n));

        Tell("Agents in a failover");
        Hits.ShouldBeGreaterThanOrEqualTo(HostPoints.Length + 2, "each point once by the import, and two by the labels' report");
        var agents = Hits;
        await cluster.ShouldBeSoundAsync();

        foreach (var point in ServerPoints) await EveryPassingAsync(cluster, point, n => FailoverAsync(cluster, _ => "server", point, n));

        Tell("Agents and server in a failover");
        (Hits - agents).ShouldBeGreaterThanOrEqualTo(10, "lease, loss, eviction, labels and two reports of the import are six commits");
        await cluster.ShouldBeSoundAsync();
    }

    static async Task<(bool Hit, string What, string End)> FailoverAsync(FakeCluster cluster, Func<string, string> processOf, string point, int n)
    {
        await cluster.EverybodyInSessionAsync();
        var from = (string?)(await cluster.PoolAsync("tank1"))["holder"] ?? "";
        if (from is not ("a" or "b")) await cluster.RestoreAsync("tank1", from = "a");
        var to = from == "a" ? "b" : "a";
        var known = (await cluster.MovesAsync("tank1")).Select(m => (string)m["id"]!).ToHashSet();
        var process = processOf(to);
        cluster.StopAt(process, point, n);
        cluster.Crash(from);
        var ending = cluster.FailoverEndedAsync("tank1", known);
        var hit = await KilledAsync(cluster, process, () => Task.FromResult(ending.IsCompleted));
        var (end, detail) = FakeCluster.EndOf(await ending);
        if (end is not "Completed") FakeCluster.Say($"    {end}: {detail}");
        await cluster.BootAsync(from);
        cluster.StartAgent(from);
        await cluster.EverybodyInSessionAsync();
        if (end is not "Completed") await cluster.RestoreAsync("tank1", to);
        return (hit, process, end);
    }
}
