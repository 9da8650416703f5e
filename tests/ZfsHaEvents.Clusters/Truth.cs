using System.Text.Json;

namespace ZfsHaEvents.Clusters;

/// <summary>A line of the simulator's truth log: what a fake host's kernel really did.</summary>
sealed record TruthLine(DateTimeOffset At, string Host, string BootId, string Op, string? Pool, string? Mode);

/// <summary>A time during which a host really had a pool imported. No end: it has it still.</summary>
/// <param name="Mode">rw or ro.</param>
/// <param name="EndedBy">The log's word: export, suspend, freeze, or how the kernel died.</param>
sealed record Holding(string Pool, string Host, string BootId, string Mode, DateTimeOffset From, DateTimeOffset? To, string? EndedBy)
{
    /// <summary>Ended with its kernel: then only who had looked before can tell.</summary>
    public bool EndedByDeath => EndedBy is "boot" or "crash" or "power-off";

    public bool Overlaps(Holding other) => Pool == other.Pool && Host != other.Host && From < (other.To ?? DateTimeOffset.MaxValue) && other.From < (To ?? DateTimeOffset.MaxValue);
}

/// <summary>What really happened, read from the simulator's log alone.</summary>
sealed class Truth
{
    Truth(IReadOnlyList<TruthLine> lines)
    {
        var all = HoldingsOf(lines);
        (Lines, Holdings, ReadOnlyImports) = (lines, [.. all.Where(h => h.Mode == "rw")], [.. all.Where(h => h.Mode == "ro")]);
    }

    public IReadOnlyList<TruthLine> Lines { get; }

    /// <summary>Read-write.</summary>
    public IReadOnlyList<Holding> Holdings { get; }

    /// <summary>They hold nothing, and are told of all the same.</summary>
    public IReadOnlyList<Holding> ReadOnlyImports { get; }

    public static Truth Of(IReadOnlyList<TruthLine> lines) => new(lines);

    /// <remarks>What follows the last line's end is a line that a kernel is writing at this moment.</remarks>
    public static Truth Read(string worldDirectory) => new([.. File.ReadAllText(Path.Combine(worldDirectory, "truth.log")).Split('\n')[..^1].Select(line =>
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
        var frozen = new Dictionary<(string Host, string Pool), Holding>(); // They hold again from the thaw on, unless they suspend then.
        void End((string Host, string Pool) key, TruthLine line)
        {
            frozen.Remove(key);
            if (open.Remove(key, out var holding)) all.Add(holding with { To = line.At, EndedBy = line.Op });
        }

        void Thawed(string host)
        {
            foreach (var (key, holding) in frozen.Where(f => f.Key.Host == host && f.Value.To is not null).ToList())
            {
                frozen.Remove(key);
                open[key] = holding with { From = holding.To!.Value, To = null, EndedBy = null };
            }
        }

        foreach (var line in lines)
        {
            if (line.Op is "write" or "txg" or "export") Thawed(line.Host);
            switch (line)
            {
                case { Op: "freeze" }:
                    foreach (var key in open.Keys.Where(k => k.Host == line.Host).ToList())
                    {
                        var holding = open[key];
                        End(key, line);
                        frozen[key] = holding;
                    }

                    break;
                case { Op: "thaw" }:
                    foreach (var (key, holding) in frozen.Where(f => f.Key.Host == line.Host).ToList()) frozen[key] = holding with { To = line.At };
                    break;
                case { Op: "import" or "create", Mode: { } mode, Pool: { } pool }:
                    open[(line.Host, pool)] = new(pool, line.Host, line.BootId, mode, line.At, null, null);
                    break;
                case { Op: "export" or "suspend", Pool: { } pool }:
                    End((line.Host, pool), line);
                    break;
                case { Op: "resume", Pool: { } pool }:
                    open[(line.Host, pool)] = new(pool, line.Host, line.BootId, "rw", line.At, null, null);
                    break;
                case { Op: "boot" or "crash" or "power-off" }:
                    foreach (var key in open.Keys.Where(k => k.Host == line.Host).ToList()) End(key, line);
                    break;
                default:
                    break; // Writes, refusals, freezes: nobody begins or ceases to hold.
            }
        }

        foreach (var host in frozen.Keys.Select(k => k.Host).Distinct().ToList()) Thawed(host);
        all.AddRange(open.Values);
        return [.. all.OrderBy(h => h.From)];
    }
}
