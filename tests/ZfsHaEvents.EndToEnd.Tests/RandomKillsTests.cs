using System.Collections.Concurrent;
using System.Globalization;
using Shouldly;
using Xunit;

namespace ZfsHaEvents.EndToEnd.Tests;

/// <summary>SIGKILL at random moments, while three pools move about all the time. ZFSHA_KILLS says how many, ZFSHA_SEED which ones.</summary>
public sealed class RandomKillsTests
{
    const int PoolCount = 3;

    [Fact]
    public async Task Agents_and_server_may_be_killed_at_any_moment()
    {
        var kills = int.Parse(Environment.GetEnvironmentVariable("ZFSHA_KILLS") ?? "200", CultureInfo.InvariantCulture);
        var seed = int.Parse(Environment.GetEnvironmentVariable("ZFSHA_SEED") ?? Random.Shared.Next(1_000_000).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        FakeCluster.Say($"ZFSHA_SEED={seed} ZFSHA_KILLS={kills}");
        await using var cluster = await FakeCluster.StartAsync(new(Pools: PoolCount, ServerArguments: [.. ClusterShape.QuickBounds, "--lease-seconds", "20"]));
        var ends = new ConcurrentBag<string>();
        using var enough = new CancellationTokenSource();

        var moving = cluster.Pools.Keys.Select((pool, i) => MoveAboutAsync(cluster, pool, new Random(seed + i + 1), ends, enough.Token)).ToList();
        var killed = await KillAsync(cluster, new Random(seed), kills, Task.WhenAny(moving));
        await enough.CancelAsync();
        await Task.WhenAll(moving);

        FakeCluster.Say($"seed {seed}: {killed.Values.Sum()} kills ({string.Join(", ", killed.Select(k => $"{k.Value} {k.Key}"))}) in {ends.Count} moves: {string.Join(", ", ends.CountBy(e => e).Select(e => $"{e.Value} {e.Key}"))}");
        killed.Values.Sum().ShouldBe(kills);
        ends.Count(e => e is "Completed").ShouldBeGreaterThan(ends.Count / 3, string.Join(", ", ends));
        await cluster.EverybodyInSessionAsync();
        await cluster.ShouldBeSoundAsync();
    }

    static async Task MoveAboutAsync(FakeCluster cluster, string pool, Random random, ConcurrentBag<string> ends, CancellationToken enough)
    {
        var holder = "a";
        while (!enough.IsCancellationRequested)
        {
            var others = FakeCluster.Hosts.Where(h => h != holder).ToList();
            var to = others[random.Next(others.Count)];
            var (end, detail) = await cluster.MoveAsync(pool, to, cluster.NextId($"{pool}-move"));
            if (end is "Completed") holder = to;
            FakeCluster.Ends.ShouldContain(end);
            ends.Add(end);
            if (end is "Halted")
            {
                FakeCluster.Say($"  {pool} halted: {detail}");
                await cluster.AskAsync($"/pools/{pool}/halt-acknowledgements", new { id = cluster.NextId("ack"), by = "test", comment = "on with it" });
            }
            else if (end is "Refused")
            {
                FakeCluster.Say($"  {pool} refused: {detail}");
                await Task.Delay(100, CancellationToken.None);
            }
        }
    }

    static async Task<SortedDictionary<string, int>> KillAsync(FakeCluster cluster, Random random, int kills, Task failed)
    {
        var killed = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (var count = 0; count < kills;)
        {
            await Task.WhenAny(failed, Task.Delay(random.Next(1000), CancellationToken.None));
            if (failed.IsCompleted) break;
            var (host, server) = (FakeCluster.Hosts[random.Next(FakeCluster.Hosts.Length)], random.Next(4));
            if (server is 0 or 1)
            {
                cluster.Server.KillHard();
                count++;
                killed["server"] = killed.GetValueOrDefault("server") + 1;
            }

            if (server is not 0 && count < kills)
            {
                cluster.KillAgent(host);
                count++;
                killed[$"agent {host}"] = killed.GetValueOrDefault($"agent {host}") + 1;
            }

            await Task.Delay(random.Next(200), CancellationToken.None);
            if (!cluster.Agent(host).IsAlive) cluster.StartAgent(host);
            if (cluster.Server.IsAlive) continue;
            cluster.StartServer();
            await cluster.ServerReadyAsync();
        }

        return killed;
    }
}
