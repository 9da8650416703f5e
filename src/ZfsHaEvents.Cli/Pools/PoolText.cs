using ZfsHaEvents.Cli.Text;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Domain.Views;

namespace ZfsHaEvents.Cli.Pools;

/// <summary>Pools as people read them.</summary>
static class PoolText
{
    public static void WriteAll(Screen screen, IReadOnlyList<PoolOwnership> pools)
    {
        if (pools.Count == 0)
        {
            screen.Line("No pool has been reported by any host yet.");
            return;
        }

        var names = pools.Select(p => p.Name?.Value).ToList();
        var table = new Table("POOL", "HOLDER", "HEALTH", "MULTIHOST", "EPOCH", "STATE");
        foreach (var pool in pools.OrderBy(p => p.Name?.Value, StringComparer.Ordinal).ThenBy(p => p.Pool))
        {
            // A name that two pools have says nothing without the GUID.
            var name = pool.Name is { } n ? names.Count(other => other == n.Value) > 1 ? $"{n} {pool.Pool}" : n.Value : pool.Pool.ToString();
            table.Add(Piece.Strong(name), HolderOf(pool), HealthOf(pool.Health), OnOff(pool.Multihost), pool.Epoch.ToString(), StateOf(pool));
        }

        table.WriteTo(screen);
    }

    public static void WriteOne(Screen screen, PoolOwnership pool)
    {
        screen.Line(Piece.Strong(pool.Name?.Value ?? "(no name)"), "  ", Piece.Dim(pool.Pool.ToString()));
        Field(screen, "holder", HolderOf(pool));
        Field(screen, "claim", pool.Claimant is { } claimant ? $"{claimant}, epoch {pool.Epoch}" : $"nobody's, epoch {pool.Epoch}");
        Field(screen, "health", HealthOf(pool.Health));
        Field(screen, "multihost", OnOff(pool.Multihost));
        Field(screen, "state", StateOf(pool));
        Field(screen, "policy", Policy(pool.Policy));
        screen.Line();

        var table = new Table("HOST", "SEES", "HEALTH", $"SEEN ({screen.ZoneName(DateTimeOffset.UtcNow)})", "");
        foreach (var sight in pool.Hosts)
        {
            table.Add(
                sight.Host.Value, Presence(sight.Presence), sight.Health is PoolHealth.Unknown ? "-" : HealthOf(sight.Health), screen.Instant(sight.ObservedAt),
                sight.Stale ? Piece.Warning("lost since, or taken over from") : "");
        }

        table.WriteTo(screen, "  ");
    }

    public static void Field(Screen screen, string name, params Piece[] text)
    {
        const int width = 13;
        screen.Hanging(width, [Piece.Dim($"  {name.PadRight(width - 2)}")], text);
    }

    public static string Policy(PoolPolicy policy) =>
        $"{(policy.Automatic ? "fails over by itself" : "fails over only when asked")}; fencing: {(policy.Fencing is FencingMethod.Manual ? "a person confirms (manual)" : "multihost alone (mmp-alone)")}; targets: "
        + (policy.Targets.Count == 0 ? "none named" : string.Join(", ", policy.Targets));

    public static string Presence(PoolPresence presence) => presence switch
    {
        PoolPresence.ReadWrite => "imported read-write",
        PoolPresence.ReadOnly => "imported read-only",
        PoolPresence.Imported => "imported",
        PoolPresence.Absent => "not imported",
        PoolPresence.Unknown or _ => "unknown",
    };

    /// <summary>A state in zpool's own words.</summary>
    public static Piece HealthOf(PoolHealth health) => health switch
    {
        PoolHealth.Online => Piece.Good("ONLINE"),
        PoolHealth.Unknown => Piece.Dim("-"),
        PoolHealth.Degraded => Piece.Warning("DEGRADED"),
        PoolHealth.Faulted or PoolHealth.Offline or PoolHealth.Removed or PoolHealth.Unavail or PoolHealth.Suspended or _ => Piece.Bad(health.ToString().ToUpperInvariant()),
    };

    static Piece HolderOf(PoolOwnership pool) =>
        pool.Conflict.Count > 0 ? Piece.Bad(string.Join(" and ", pool.Conflict)) : pool.Holder is { } holder ? holder.Value : Piece.Warning("nobody");

    static Piece OnOff(bool? value) => value switch { true => "on", false => Piece.Warning("off"), null => Piece.Dim("?") };

    /// <summary>What is wrong with it or going on, the worst first.</summary>
    static Piece StateOf(PoolOwnership pool)
    {
        var says = new List<string>();
        if (pool.Conflict.Count > 0) says.Add($"CONFLICT: imported read-write on {string.Join(" and ", pool.Conflict)} at once");
        if (pool.Halt is { } halt) says.Add($"halted: {halt}");
        if (pool.UnknownHistory) says.Add("takes no orders: its history holds events that this version does not know");
        if (pool.Move is { } move) says.Add($"moving: {move}");
        if (pool.Awaited.Count > 0) says.Add($"unverified: {string.Join(", ", pool.Awaited)} has not reported since");
        if (pool.Holder is { } holder && pool.Claimant is { } claimant && holder != claimant) says.Add($"{claimant} has the claim");
        var text = string.Join("; ", says);
        return says.Count == 0 ? "ok" : pool.Conflict.Count > 0 || pool.Halt is not null || pool.UnknownHistory ? Piece.Bad(text) : Piece.Warning(text);
    }
}
