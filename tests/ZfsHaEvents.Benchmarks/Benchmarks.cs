using System.Diagnostics;
using ZfsHaEvents.Benchmarks.Store;
using ZfsHaEvents.Clusters;

namespace ZfsHaEvents.Benchmarks;

/// <summary>What is measured. Each makes its own cluster; what happened when is told by the truth log and by the database's clock, which are one clock here.</summary>
static class Benchmarks
{
    /// <summary>An export and an import as they take on a pool of a few file systems; the activity check is at a fiftieth.</summary>
    static readonly ClusterShape Shape = new(TimeScale: 0.02, ExportSeconds: 0.5, ImportSeconds: 0.9, Stoppable: false);

    /// <param name="events">How many events the large store has.</param>
    public static IReadOnlyDictionary<string, Func<CancellationToken, Task<IReadOnlyList<Measured>>>> All(int events) =>
        new Dictionary<string, Func<CancellationToken, Task<IReadOnlyList<Measured>>>>
        {
            ["switchover"] = SwitchoverAsync,
            ["host-lost"] = HostLostAsync,
            ["behind-back"] = BehindBackAsync,
            ["at-rest"] = AtRestAsync,
            ["busy"] = BusyAsync,
            ["append"] = AppendBenchmarks.RunAsync,
            ["read"] = ReadBenchmarks.RunAsync,
            ["queue"] = QueueBenchmarks.RunAsync,
            ["projection"] = ProjectionBenchmarks.RunAsync,
            ["history"] = cancellation => HistoryBenchmarks.RunAsync(events, cancellation),
        };

    /// <summary>What we add to the time that ZFS's own commands take.</summary>
    static async Task<IReadOnlyList<Measured>> SwitchoverAsync(CancellationToken cancellation)
    {
        const int Warm = 3, Counted = 30;
        await using var cluster = await FakeCluster.StartAsync(Shape with { Multihost = "off", Pools = 2 });
        List<double> overhead = [], total = [], bare = [];
        for (var i = 0; i < Warm + Counted; i++)
        {
            var id = $"bench-{i}";
            await cluster.SwitchoverAsync("tank1", i % 2 == 0 ? "b" : "a", id);
            var move = await cluster.MoveEndedAsync(id, TimeSpan.FromSeconds(60));
            if ((string)move["state"]! != "Completed") throw new InvalidOperationException($"{id} ended otherwise: {move}");
            var seconds = ((DateTimeOffset)move["endedAt"]! - (DateTimeOffset)move["startedAt"]!).TotalSeconds;
            var zpool = move["steps"]!.AsArray().Sum(s => (double)s!["zpoolSeconds"]!);
            if (i < Warm) continue;

            total.Add(seconds * 1000);
            overhead.Add((seconds - zpool) * 1000);
            bare.Add(BareMove(cluster, "tank2", i % 2 == 0 ? ("b", "a") : ("a", "b")));
        }

        var floor = new Measured("", "ms", bare).Percentile(50);
        return
        [
            new("switchover, all but the time inside ZFS's commands", "ms", overhead, Judged: 50, Target: 80),
            new("switchover, in all", "ms", total, Baseline: ("bare zpool export and import", floor)),
        ];
    }

    /// <summary>The same by hand: <c>zpool export</c> on one host, <c>zpool import</c> on the other.</summary>
    static double BareMove(FakeCluster cluster, string pool, (string From, string To) way)
    {
        // Wherever it is, it goes to the other host; the first time it is on a.
        var from = cluster.Zpool(way.From, "list", "-H", "-o", "name").Contains(pool, StringComparison.Ordinal) ? way.From : way.To;
        var to = from == way.From ? way.To : way.From;
        var begin = Stopwatch.GetTimestamp();
        Must(cluster.Zpool(from, "export", pool));
        Must(cluster.Zpool(to, "import", "-o", "cachefile=none", pool));
        return Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
    }

    /// <summary>From the power loss of the holder to the order that tells the target to import.</summary>
    static async Task<IReadOnlyList<Measured>> HostLostAsync(CancellationToken cancellation)
    {
        const int Counted = 10;
        await using var cluster = await FakeCluster.StartAsync(Shape with { Multihost = "on" });
        await cluster.SetPolicyAsync("tank1", automatic: true, "MmpAlone", FakeCluster.Hosts);
        var delays = new List<double>();
        var holder = "a";
        for (var i = 0; i < Counted; i++)
        {
            var before = (await cluster.HistoryAsync("tank1")).Count;
            var lost = DateTimeOffset.UtcNow;
            cluster.Crash(holder);
            await FakeCluster.EventuallyAsync("the pool is taken over", async () =>
                (await cluster.HistoryAsync("tank1")).Skip(before).Any(e => e.Type is "failover_completed"), TimeSpan.FromSeconds(60));
            var taken = (await cluster.HistoryAsync("tank1")).Skip(before).ToList();
            var ordered = taken.First(e => e.Type is "failover_step_started" && e.Data.GetProperty("Step").GetString() is "Import");
            delays.Add((ordered.RecordedAt - lost).TotalMilliseconds);
            var target = ordered.Data.GetProperty("Host").GetString()!;
            await cluster.BootAsync(holder);
            cluster.StartAgent(holder);
            await FakeCluster.EventuallyAsync("every host is in session", async () => (await cluster.HostsAsync()).All(h => h.Alive), TimeSpan.FromSeconds(30));
            holder = target;
        }

        return [new("power loss of the holder to the import order, lease 2.5 s", "ms", delays, Judged: 100, Target: 3000)];
    }

    /// <summary>From an import by hand, on a second host, to the alert.</summary>
    static async Task<IReadOnlyList<Measured>> BehindBackAsync(CancellationToken cancellation)
    {
        const int Counted = 100;
        await using var cluster = await FakeCluster.StartAsync(Shape with { Multihost = "off", ExportSeconds = 0.02, ImportSeconds = 0.02 });
        var pool = cluster.Pools["tank1"];
        var delays = new List<double>();
        for (var i = 1; i <= Counted; i++)
        {
            Must(cluster.Zpool("b", "import", "-f", "-o", "cachefile=none", "tank1"));
            var really = cluster.Truth().Lines.Last(l => l is { Op: "import", Host: "b" } && l.Pool == pool).At;
            await FakeCluster.EventuallyAsync("the alert is raised", async () => (await cluster.AlertsAsync("TwoHolders")).Count == i, TimeSpan.FromSeconds(30));
            var raised = (await cluster.AlertsAsync("TwoHolders")).Max(a => (DateTimeOffset)a["raisedAt"]!);
            delays.Add((raised - really).TotalMilliseconds);
            Must(cluster.Zpool("b", "export", "tank1"));
            await FakeCluster.EventuallyAsync("the conflict is over", async () => (await cluster.AlertsAsync("TwoHolders")).All(a => a["clearedAt"] is not null), TimeSpan.FromSeconds(30));
        }

        return [new("import behind our back to the alert", "ms", delays, Judged: 99, Target: 1000)];
    }

    static async Task<IReadOnlyList<Measured>> AtRestAsync(CancellationToken cancellation)
    {
        await using var cluster = await FakeCluster.StartAsync(Shape with { Pools = 3 });
        await Task.Delay(TimeSpan.FromSeconds(60), cancellation); // The runtime compiles what turned out to be used often.
        var (agent, server) = (cluster.Agent("a").Pid, cluster.Server.Pid);
        var (agentBefore, serverBefore, begin) = (ProcessUse.CpuSeconds(agent), ProcessUse.CpuSeconds(server), Stopwatch.GetTimestamp());
        await Task.Delay(TimeSpan.FromSeconds(60), cancellation);
        var seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        var agentAfter = ProcessUse.CpuSeconds(agent);
        return
        [
            new("agent at rest, three pools, share of a core over a minute", "%", [(agentAfter.Own - agentBefore.Own) / seconds * 100], Target: 0.5),
            new("the commands it ran meanwhile; the stand-ins for zpool take far more than zpool does", "%", [(agentAfter.Children - agentBefore.Children) / seconds * 100]),
            new("agent's resident memory", "MB", [ProcessUse.ResidentMegabytes(agent)], Target: 100),
            new("server at rest, three hosts, share of a core over a minute", "%", [(ProcessUse.CpuSeconds(server).Own - serverBefore.Own) / seconds * 100]),
            new("server's resident memory", "MB", [ProcessUse.ResidentMegabytes(server)], Target: 200),
        ];
    }

    /// <summary>Every processor busy for a minute with other work: no lease may be lost by it.</summary>
    static async Task<IReadOnlyList<Measured>> BusyAsync(CancellationToken cancellation)
    {
        await using var cluster = await FakeCluster.StartAsync(Shape);
        using var busy = new ProcessUse.Busy(2 * Environment.ProcessorCount);
        await Task.Delay(TimeSpan.FromSeconds(60), cancellation);
        var lost = await cluster.QueryAsync<long>("select count(*) from zfsha.mt_events where type = 'host_lease_lost'");
        return [new($"leases lost in a minute with {2 * Environment.ProcessorCount} busy processes on {Environment.ProcessorCount} processors", "leases", [lost], Target: 0)];
    }

    static void Must(string output)
    {
        if (output.Length > 0) throw new InvalidOperationException($"a bare command said: {output}");
    }
}
