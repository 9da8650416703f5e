using System.Text.Json;

namespace ZfsHaEvents.Clusters;

/// <summary>An event of a pool's history, as the server tells it.</summary>
sealed record HistoryLine(
    long Version, Guid Id, string Type, DateTimeOffset ObservedAt, DateTimeOffset RecordedAt, string? Host, string? Boot, long? Sequence, bool Late, string? Actor, string? Request, JsonElement Data)
{
    /// <summary>What the event says its host saw of the pool, if it says.</summary>
    public string? Presence => Data.TryGetProperty("Sight", out var sight) ? sight.GetProperty(nameof(Presence)).GetString() : null;

    /// <summary>A suspended pool writes nothing: its host has it imported and holds it no more.</summary>
    public bool SaysHeld => Presence is "ReadWrite" or "Imported" && Data.GetProperty("Sight").GetProperty("Health").GetString() != "Suspended";

    public override string ToString() => $"{Version} {ObservedAt:HH:mm:ss.fff} {Host} {Type} {Data}";
}

/// <summary>Compares what really happened with what the stream tells.</summary>
static class Audit
{
    /// <summary>A host's clock is this machine's clock; a look may be noted this much before the log line of what it saw, and late by the watcher's beat.</summary>
    static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// The differences between the truth log and the stream: holdings that the stream does not tell of, holdings it tells of that
    /// never were, and a different present.
    /// </summary>
    /// <param name="truth">What really happened.</param>
    /// <param name="history">The pool's whole stream.</param>
    public static IReadOnlyList<string> Differences(Truth truth, string pool, IReadOnlyList<HistoryLine> history)
    {
        var differences = new List<string>();
        var sights = history.Where(h => h.Presence is not null && h.Host is not null).ToList();
        foreach (var holding in truth.Holdings.Where(h => h.Pool == pool))
        {
            if (!sights.Exists(s => s.Host == holding.Host && s.SaysHeld && s.ObservedAt >= holding.From - Slack && (holding.To is null || s.ObservedAt <= holding.To + Slack)))
                differences.Add($"the stream does not tell of {holding}");
        }

        foreach (var sight in sights.Where(s => s.SaysHeld))
        {
            if (!truth.Holdings.Any(h => h.Pool == pool && h.Host == sight.Host && sight.ObservedAt >= h.From - Slack && (h.To is null || sight.ObservedAt <= h.To + TimeSpan.FromSeconds(1))))
                differences.Add($"{sight} tells of a holding that never was");
        }

        foreach (var host in truth.Lines.Select(l => l.Host).Distinct())
        {
            var held = truth.HoldersNow(pool).Contains(host);
            var last = sights.Where(s => s.Host == host && !s.Late).OrderBy(s => s.Version).LastOrDefault();
            if (held != (last?.SaysHeld ?? false) && !Died(truth, host, last)) differences.Add($"{host} {(held ? "holds" : "does not hold")} the pool, and the stream's last word on it is {last?.ToString() ?? "nothing"}");
        }

        return differences;
    }

    /// <summary>The host's kernel died after its last word and has not come up since: then nobody could tell.</summary>
    static bool Died(Truth truth, string host, HistoryLine? last) => truth.Lines.LastOrDefault(l => l.Host == host && l.Op is "boot" or "crash" or "power-off") is { Op: not "boot" } end && (last is null || end.At >= last.ObservedAt - Slack);
}
