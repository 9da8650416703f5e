using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Shouldly;

namespace ZfsHaEvents.Clusters;

/// <summary>Moving pools about while parts of the cluster die.</summary>
sealed partial class FakeCluster
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(180);

    int _requests;

    /// <summary>Whatever a move may come to. Anything else, above all "Running", is a fault.</summary>
    public static readonly string[] Ends = ["Completed", "Aborted", "Halted", "Refused"];

    public string NextId(string prefix) => $"{prefix}-{Interlocked.Increment(ref _requests)}";

    /// <summary>Asks until the server has answered: it may be killed before, during and after. The id makes asking again harmless.</summary>
    public async Task<(HttpStatusCode Status, JsonNode Body)> AskAsync(string path, object body)
    {
        (HttpStatusCode Status, JsonNode Body)? answer = null;
        await EventuallyAsync($"{path} is answered", async () =>
        {
            try
            {
                answer = await PostAsync(path, body);
                return answer.Value.Status is not HttpStatusCode.ServiceUnavailable;
            }
            catch (Exception e) when (NoServer(e))
            {
                return false; // No server, or one that died in mid-answer.
            }
        }, Patience);
        return answer!.Value;
    }

    /// <summary>Asks for a switchover and waits for its end.</summary>
    /// <returns>Its end: one of <see cref="Ends"/>, and how it came about.</returns>
    public Task<(string End, string Detail)> MoveAsync(string pool, string to, string id) => MoveAsync($"/pools/{pool}/switchovers", id, new { id, to, by = "test" });

    /// <summary>Asks for a failover to one of the policy's targets and waits for its end.</summary>
    public Task<(string End, string Detail)> FailOverAsync(string pool, string id) => MoveAsync($"/pools/{pool}/failovers", id, new { id, by = "test" });

    async Task<(string End, string Detail)> MoveAsync(string path, string id, object request)
    {
        var (status, body) = await AskAsync(path, request);
        if (status is HttpStatusCode.Conflict) return ("Refused", (string)body["detail"]!);
        status.ShouldBe(HttpStatusCode.Accepted, body.ToString());
        return EndOf(await MoveEndedAsync(id, Patience));
    }

    /// <summary>A switchover that nothing stands in the way of.</summary>
    public async Task MovedAsync(string pool, string to, string id)
    {
        var (end, detail) = await MoveAsync(pool, to, id);
        end.ShouldBe("Completed", $"{detail}; logs in {Directory}");
    }

    public static (string End, string Detail) EndOf(JsonNode move)
    {
        var end = (string)move["state"]!;
        Ends.ShouldContain(end);
        return (end, $"{(string)move["outcome"]!} [last step: {move["steps"]!.AsArray().LastOrDefault()?["detail"]}]");
    }

    /// <summary>The end of a failover of the pool that nobody in this test gave an id to.</summary>
    public async Task<JsonNode> FailoverEndedAsync(string pool, IReadOnlySet<string> known)
    {
        JsonNode? move = null;
        await EventuallyAsync($"a failover of {pool} has ended", async () =>
        {
            move = (await MovesAsync(pool)).FirstOrDefault(m => !known.Contains((string)m["id"]!));
            return move is not null && (string)move["state"]! != "Running";
        }, Patience, () => $"{move}; logs in {Directory}");
        return move!;
    }

    /// <summary>The pool's moves, newest first; none while no server answers.</summary>
    public async Task<IReadOnlyList<JsonNode>> MovesAsync(string pool) => [.. (await TryGetAsync($"/moves?pool={pool}"))?.AsArray().Select(m => m!) ?? []];

    public async Task<JsonNode> PoolAsync(string pool) => await GetAsync($"/pools/{pool}");

    public async Task EverybodyInSessionAsync(params IReadOnlyList<string> hosts)
    {
        var wanted = hosts.Count == 0 ? Hosts : hosts;
        await EventuallyAsync($"{string.Join(", ", wanted)} in session", async () =>
        {
            var alive = (await HostsAsync()).Where(h => h.Alive).Select(h => h.Name).ToHashSet();
            return wanted.All(alive.Contains);
        }, Patience);
    }

    /// <summary>Brings the pool to the host, as a person would after whatever happened.</summary>
    public async Task RestoreAsync(string pool, string to)
    {
        await EverybodyInSessionAsync();
        string? last = null;
        await EventuallyAsync($"{pool} is on {to} again", async () =>
        {
            var seen = await PoolAsync(pool);
            if (seen["move"] is not null) return false;
            if (seen["halt"] is not null) await AskAsync($"/pools/{pool}/halt-acknowledgements", new { id = NextId("ack"), by = "test", comment = "on with it" });
            if ((string?)seen["holder"] == to) return true;
            var (end, detail) = await MoveAsync(pool, to, NextId("restore"));
            last = $"{end}: {detail}";
            if (LastAccessed().Match(detail) is { Success: true } other) await MoveAsync(pool, other.Groups[1].Value, NextId("restore")); // As the abort says.
            return false;
        }, Patience, () => $"{last}; logs in {Directory}");
    }

    [GeneratedRegex(@"Last accessed by (\w+) ")]
    private static partial Regex LastAccessed();

    /// <summary>Waits until the process has stopped itself at its point; false when the work is over without having come there.</summary>
    public async Task<bool> StoppedAsync(Running process, Func<Task<bool>> isOver)
    {
        for (var until = DateTimeOffset.UtcNow + Patience; DateTimeOffset.UtcNow < until; await Task.Delay(10))
        {
            if (process.IsStopped()) return true;
            if (!await isOver()) continue;
            await Task.Delay(100); // The point may come after the last thing that can be asked about.
            return process.IsStopped();
        }

        throw new TimeoutException($"process {process.Pid} neither stopped nor was its work over; logs in {Directory}");
    }

    /// <summary>Shows a line to whoever runs this, passed or not.</summary>
    public static void Say(string line) => Console.WriteLine(line);
}
