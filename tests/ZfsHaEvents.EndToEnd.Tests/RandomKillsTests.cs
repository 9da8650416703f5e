using System.Globalization;
using System.Text.Json.Nodes;
using Shouldly;
using Xunit;

namespace ZfsHaEvents.EndToEnd.Tests;

/// <summary>SIGKILL at random moments, while three pools move about all the time. ZFSHA_KILLS says how many, ZFSHA_SEED which ones.</summary>
public sealed class RandomKillsTests
{
    const int PoolCount = 3;

    /// <summary>
    /// The default is 2.5 s. An agent that is killed is back after up to two seconds on a busy machine, and its lease should be kept more often
    /// than not; a host that stays away for <see cref="LongAbsence"/> is to lose it every time.
    /// </summary>
    const string ShortLease = "4";

    static readonly TimeSpan LongAbsence = TimeSpan.FromSeconds(9), ShortAbsence = TimeSpan.FromSeconds(3);

    static readonly int KillsInAll = int.Parse(Environment.GetEnvironmentVariable("ZFSHA_KILLS") ?? "200", CultureInfo.InvariantCulture);
    static readonly int Seed = int.Parse(Environment.GetEnvironmentVariable("ZFSHA_SEED") ?? Random.Shared.Next(1_000_000).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    /// <summary>Three in ten where hosts are lost too, for each of these takes ten times as long.</summary>
    static readonly int KillsWithHosts = KillsInAll * 3 / 10;

    static int _killed, _runs;

    [Fact]
    public async Task Agents_and_server_may_be_killed_at_any_moment()
    {
        await using var cluster = await FakeCluster.StartAsync(new(Pools: PoolCount, ServerArguments: [.. ClusterShape.QuickBounds, "--lease-seconds", "20"]));
        var killed = await RunAsync(cluster, KillsInAll - KillsWithHosts, pauseMax: 1, new Killer(cluster, new Random(Seed)).AgentOrServerAsync);

        var moves = await MovesAsync(cluster);
        Tell("agents and server", killed, moves);
        moves.Count(m => Is(m, "Switchover", "Completed")).ShouldBeGreaterThan(moves.Count / 3);
        await cluster.ShouldBeSoundAsync();
        Count(killed);
    }

    [Fact]
    public async Task Agents_server_and_whole_hosts_may_be_killed_at_any_moment_while_lost_hosts_are_taken_over_by_themselves()
    {
        string[] bounds = ["--start-seconds", "8", "--export-seconds", "8", "--import-seconds", "30", "--labels-seconds", "8", "--grace-seconds", "3", "--lease-seconds", ShortLease];
        await using var cluster = await FakeCluster.StartAsync(new(Pools: PoolCount, Multihost: "on", TimeScale: 0.1, ServerArguments: bounds));
        foreach (var pool in cluster.Pools.Keys) await cluster.SetPolicyAsync(pool, automatic: true, "MmpAlone", FakeCluster.Hosts);
        var killed = await RunAsync(cluster, KillsWithHosts - 1, pauseMax: 20_000, new Killer(cluster, new Random(Seed)).AnythingAsync);
        var last = await LoseAHolderAtRestAsync(cluster);
        killed[last] = killed.GetValueOrDefault(last) + 1;

        var moves = await MovesAsync(cluster);
        Tell("agents, server and hosts", killed, moves);
        moves.Count(m => Is(m, "Switchover", "Completed")).ShouldBeGreaterThan(0);
        await cluster.ShouldBeSoundAsync();
        Count(killed);
    }

    /// <summary>Kills that often while somebody looks after each pool, and waits until everybody is back and every move over.</summary>
    /// <param name="pauseMax">Milliseconds between two moves of a pool.</param>
    static async Task<Dictionary<string, int>> RunAsync(FakeCluster cluster, int kills, int pauseMax, Func<Task<IReadOnlyList<string>>> killAsync)
    {
        FakeCluster.Say($"ZFSHA_SEED={Seed} ZFSHA_KILLS={KillsInAll}: {kills} kills");
        using var enough = new CancellationTokenSource();
        var people = Task.WhenAll(cluster.Pools.Keys.Select((pool, i) => LookAfterAsync(cluster, pool, pauseMax, new Random(Seed + i + 1), enough.Token)).ToList());

        var killed = new List<string>();
        while (killed.Count < kills && !people.IsCompleted) killed.AddRange((await killAsync()).Take(kills - killed.Count));
        await enough.CancelAsync();
        var refused = (await people).SelectMany(r => r).ToList();
        FakeCluster.Say($"  {refused.Count} requests refused, for {string.Join("; ", refused.CountBy(Rule).Select(r => $"{r.Value}x {r.Key}"))}");
        await cluster.EverybodyInSessionAsync();
        foreach (var pool in cluster.Pools.Keys) await EndedAsync(cluster, pool);
        return killed.CountBy(k => k).ToDictionary();
    }

    /// <summary>
    /// The last kill is of a host that holds a pool in peace: whether any of the others happened to be is chance, and what all of them left behind
    /// must not be in the way of this one.
    /// </summary>
    /// <returns>What was killed.</returns>
    static async Task<string> LoseAHolderAtRestAsync(FakeCluster cluster)
    {
        const string pool = "tank1", host = "a";
        await cluster.RestoreAsync(pool, host);
        var before = (await cluster.MovesAsync(pool)).Select(m => (string)m["id"]!).ToHashSet();
        cluster.Crash(host);
        var move = await cluster.FailoverEndedAsync(pool, before);
        Is(move, "Failover", "Completed").ShouldBeTrue($"{FakeCluster.EndOf(move)}; logs in {cluster.Directory}");

        await cluster.BootAsync(host);
        cluster.StartAgent(host);
        await cluster.EverybodyInSessionAsync();
        foreach (var other in cluster.Pools.Keys) await EndedAsync(cluster, other);
        return $"host {host}";
    }

    /// <summary>Moves the pool about, and does what a person does when it halts.</summary>
    /// <returns>Why requests were refused.</returns>
    static async Task<IReadOnlyList<string>> LookAfterAsync(FakeCluster cluster, string pool, int pauseMax, Random random, CancellationToken enough)
    {
        var refused = new List<string>();
        while (!enough.IsCancellationRequested)
        {
            var seen = await EndedAsync(cluster, pool);
            if ((string?)seen["halt"] is { } halt)
            {
                FakeCluster.Say($"  {pool} halted: {halt}");
                await cluster.AskAsync($"/pools/{pool}/halt-acknowledgements", new { id = cluster.NextId("ack"), by = "test", comment = "on with it" });
            }

            var others = FakeCluster.Hosts.Where(h => h != (string?)seen["holder"]).ToList();
            var (end, detail) = await cluster.MoveAsync(pool, others[random.Next(others.Count)], cluster.NextId($"{pool}-move"));
            if (end is "Refused")
            {
                refused.Add(detail);
                if (detail.EndsWith("ask for a failover", StringComparison.Ordinal)) await cluster.FailOverAsync(pool, cluster.NextId($"{pool}-failover"));
            }

            // A pool that always moves would never be failed over: a host that is lost in the middle of a move halts it.
            await Task.Delay(random.Next(end is "Refused" ? 500 : pauseMax), CancellationToken.None);
        }

        return refused;
    }

    /// <summary>The refusal's words without what names the case: an order's id, a move's.</summary>
    static string Rule(string detail) => string.Join(' ', detail.Split(' ').Where(word => !word.Any(char.IsAsciiDigit)));

    /// <summary>The pool once no move of it runs.</summary>
    static async Task<JsonNode> EndedAsync(FakeCluster cluster, string pool)
    {
        JsonNode? seen = null;
        await FakeCluster.EventuallyAsync($"the move of {pool} has ended", async () => (seen = await cluster.TryGetAsync($"/pools/{pool}")) is { } known && known["move"] is null,
            TimeSpan.FromMinutes(3), () => $"{seen}; logs in {cluster.Directory}");
        return seen!;
    }

    static async Task<IReadOnlyList<JsonNode>> MovesAsync(FakeCluster cluster)
    {
        var moves = new List<JsonNode>();
        foreach (var pool in cluster.Pools.Keys) moves.AddRange(await cluster.MovesAsync(pool));
        foreach (var move in moves) FakeCluster.EndOf(move);
        return moves;
    }

    static bool Is(JsonNode move, string kind, string state) => (string)move["kind"]! == kind && (string)move["state"]! == state;

    static void Tell(string what, Dictionary<string, int> killed, IReadOnlyList<JsonNode> moves)
    {
        var kills = killed.OrderBy(k => k.Key, StringComparer.Ordinal).Select(k => $"{k.Value} {k.Key}");
        var ends = moves.CountBy(m => $"{m["kind"]} {m["state"]}").OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => $"{e.Value} {e.Key}");
        FakeCluster.Say($"seed {Seed}, {what}: {killed.Values.Sum()} kills ({string.Join(", ", kills)}) in {moves.Count} moves: {string.Join(", ", ends)}");
    }

    /// <summary>Both runs together make the number that was asked for.</summary>
    static void Count(Dictionary<string, int> killed)
    {
        var sum = Interlocked.Add(ref _killed, killed.Values.Sum());
        if (Interlocked.Increment(ref _runs) < 2) return;
        FakeCluster.Say($"{sum} kills at random moments in all");
        sum.ShouldBe(KillsInAll);
    }

    sealed class Killer(FakeCluster cluster, Random random)
    {
        /// <summary>Kills the server, an agent, or both, and starts them again.</summary>
        /// <returns>What was killed.</returns>
        public async Task<IReadOnlyList<string>> AgentOrServerAsync()
        {
            await Task.Delay(random.Next(1000));
            var (host, which) = (AnyHost(), random.Next(4));
            List<string> killed = [];
            if (which is 0 or 1) killed.Add(KillServer());
            if (which is not 0) killed.Add(KillAgent(host));
            await Task.Delay(random.Next(200));
            await StartAgainAsync(host);
            return killed;
        }

        /// <summary>As above; or a whole host, sometimes together with the server.</summary>
        public async Task<IReadOnlyList<string>> AnythingAsync()
        {
            if (random.Next(3) > 0) return await AgentOrServerAsync();

            await Task.Delay(random.Next(1000));
            var host = AnyHost();
            List<string> killed = [$"host {host}"];
            cluster.Crash(host);
            var crashed = DateTimeOffset.UtcNow;
            if (random.Next(3) == 0) killed.Add(KillServer());
            if (!cluster.Server.IsAlive) await StartAgainAsync(null);
            var absence = random.Next(2) == 0 ? ShortAbsence * random.NextDouble() : LongAbsence + ShortAbsence * random.NextDouble();
            if (crashed + absence - DateTimeOffset.UtcNow is { Ticks: > 0 } rest) await Task.Delay(rest);
            await cluster.BootAsync(host);
            await StartAgainAsync(host);
            return killed;
        }

        string AnyHost() => FakeCluster.Hosts[random.Next(FakeCluster.Hosts.Length)];

        string KillServer()
        {
            cluster.Server.KillHard();
            return "server";
        }

        string KillAgent(string host)
        {
            cluster.KillAgent(host);
            return $"agent {host}";
        }

        async Task StartAgainAsync(string? host)
        {
            if (host is not null && !cluster.Agent(host).IsAlive) cluster.StartAgent(host);
            if (cluster.Server.IsAlive) return;
            cluster.StartServer();
            await cluster.ServerReadyAsync();
        }
    }
}
