using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Views;

/// <summary>Who holds a pool, as far as is known: the inline view, and what <c>zfsha pools</c> shows.</summary>
/// <param name="Holder">The one host seen holding it; null when none or several do.</param>
/// <param name="Claimant">The host that may hold it.</param>
/// <param name="Verified">No host's word is missing.</param>
/// <param name="Awaited">The hosts whose word is missing.</param>
/// <param name="Conflict">The hosts that hold it at once; empty when there is no conflict.</param>
/// <param name="Hosts">What each host saw last.</param>
/// <param name="Move">The running switchover or failover.</param>
/// <param name="Halt">Why the pool takes no orders.</param>
/// <param name="OutstandingImport">The import order that may still take effect; while it stands no other host may import.</param>
/// <param name="TypedImports">Imports by typed commands that have begun and, as far as told, not ended.</param>
/// <param name="Version">The version of the pool's stream that this was made from.</param>
public sealed record PoolOwnership(
    PoolGuid Pool, PoolName? Name, HostName? Holder, HostName? Claimant, Epoch Epoch, PoolHealth Health, bool? Multihost, bool Verified,
    IReadOnlyList<HostName> Awaited, IReadOnlyList<HostName> Conflict, IReadOnlyList<HostSight> Hosts, RequestId? Move, string? Halt, PoolPolicy Policy,
    bool UnknownHistory, OutstandingImport? OutstandingImport, IReadOnlyList<ImportUnderWay> TypedImports, long Version)
{
    public static PoolOwnership Of(Pool pool)
    {
        var holder = pool.Holder();
        return new(
            pool.Id, pool.Name, holder, pool.Claimant, pool.Epoch,
            holder is { } h ? pool.Sightings[h].Sight.Health : pool.Sightings.Values.FirstOrDefault(s => !s.Stale && s.Sight.IsImported())?.Sight.Health ?? PoolHealth.Unknown,
            pool.Multihost(), pool.Awaited.Count == 0, [.. pool.Awaited], [.. pool.Conflict],
            [.. pool.Sightings.Select(s => new HostSight(s.Key, s.Value.Sight.Presence, s.Value.Sight.Health, s.Value.ObservedAt, s.Value.Stale, s.Value.Event))],
            pool.RunningMove()?.Id, pool.Halt?.Reason, pool.Policy, pool.UnknownHistory,
            pool.OutstandingImport, [.. pool.TypedImports.Select(t => new ImportUnderWay(t.Key, t.Value.By))], pool.Version);
    }
}

/// <summary>An import by a typed command.</summary>
public sealed record ImportUnderWay(HostName Host, string By);

/// <summary>What a host saw of a pool last.</summary>
/// <param name="Stale">The host has been lost since.</param>
public sealed record HostSight(HostName Host, PoolPresence Presence, PoolHealth Health, DateTimeOffset ObservedAt, bool Stale, EventId Event);
