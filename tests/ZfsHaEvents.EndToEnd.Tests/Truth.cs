using System.Text.Json;

namespace ZfsHaEvents.EndToEnd.Tests;

/// <summary>A line of the simulator's truth log: what a fake host's kernel really did.</summary>
sealed record TruthLine(DateTimeOffset At, string Host, string BootId, string Op, string? Pool, string? Mode);

/// <summary>A time during which a host really had a pool imported read-write. No end: it has it still.</summary>
sealed record Holding(string Pool, string Host, string BootId, DateTimeOffset From, DateTimeOffset? To, string? EndedBy)
{
    public bool Overlaps(Holding other) => Pool == other.Pool && Host != other.Host && From < (other.To ?? DateTimeOffset.MaxValue) && other.From < (To ?? DateTimeOffset.MaxValue);
}

/// <summary>What really happened, read from the simulator's log alone.</summary>
sealed class Truth
{
    Truth(IReadOnlyList<TruthLine> lines) => (Lines, Holdings) = (lines, [.. HoldingsOf(lines)]);

    public IReadOnlyList<TruthLine> Lines { get; }

    public IReadOnlyList<Holding> Holdings { get; }

    public static Truth Read(string worldDirectory) => new([.. File.ReadLines(Path.Combine(worldDirectory, "truth.log")).Select(line =>
    {
        using var json = JsonDocument.Parse(line);
        string? Text(string name) => json.RootElement.TryGetProperty(name, out var value) ? value.GetString() : null;
        return new TruthLine(json.RootElement.GetProperty("at").GetDateTimeOffset(), Text("host")!, Text("bootId")!, Text("op")!, Text("pool"), Text("mode"));
    })]);

    /// <summary>Pairs of holdings of one pool by two hosts at once.</summary>
    public IReadOnlyList<string> Conflicts() =>
        [.. from a in Holdings from b in Holdings where string.CompareOrdinal(a.Host, b.Host) < 0 && a.Overlaps(b) select $"{a} and {b}"];

    /// <summary>Who holds the pool now.</summary>
    public IReadOnlyList<string> HoldersNow(string pool) => [.. Holdings.Where(h => h.Pool == pool && h.To is null).Select(h => h.Host)];

    static List<Holding> HoldingsOf(IReadOnlyList<TruthLine> lines)
    {
        var all = new List<Holding>();
        var open = new Dictionary<(string Host, string Pool), Holding>();
        void End((string Host, string Pool) key, TruthLine line)
        {
            if (open.Remove(key, out var holding)) all.Add(holding with { To = line.At, EndedBy = line.Op });
        }

        foreach (var line in lines)
        {
            switch (line)
            {
                case { Op: "import" or "create", Mode: "rw", Pool: { } pool }:
                    open[(line.Host, pool)] = new(pool, line.Host, line.BootId, line.At, null, null);
                    break;
                case { Op: "export" or "suspend", Pool: { } pool }:
                    End((line.Host, pool), line);
                    break;
                case { Op: "resume", Pool: { } pool }:
                    open[(line.Host, pool)] = new(pool, line.Host, line.BootId, line.At, null, null);
                    break;
                case { Op: "boot" or "crash" or "power-off" }:
                    foreach (var key in open.Keys.Where(k => k.Host == line.Host).ToList()) End(key, line);
                    break;
                default:
                    break; // Writes, refusals, freezes: nobody begins or ceases to hold.
            }
        }

        all.AddRange(open.Values);
        return [.. all.OrderBy(h => h.From)];
    }
}
