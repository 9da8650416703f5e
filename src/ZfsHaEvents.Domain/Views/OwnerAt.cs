using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Views;

/// <summary>
/// Who held a pool at a past instant: what was decided by then, and what each host saw by then, going by the hosts' own clocks.
/// What arrived late counts where it happened.
/// </summary>
/// <param name="Claimant">The host that might hold the pool.</param>
/// <param name="Holders">The hosts that had it imported read-write, each with the event that says so.</param>
/// <param name="Known">The pool's stream had begun by then.</param>
public sealed record OwnerAt(PoolGuid Pool, PoolName? Name, DateTimeOffset At, bool Known, HostName? Claimant, Epoch Epoch, IReadOnlyList<HolderAt> Holders)
{
    /// <summary>Events that say what a host sees. Of each host the one observed last is all that matters.</summary>
    public static IReadOnlyList<Type> Sights { get; } =
        [typeof(PoolObserved), typeof(ImportSucceeded), typeof(ImportRefused), typeof(ImportFailed), typeof(ExportSucceeded), typeof(ExportRefused), typeof(ExportFailed)];

    /// <summary>Events of which only the last one of each type matters.</summary>
    public static IReadOnlyList<Type> LastWords { get; } = [typeof(OwnershipClaimed), typeof(OwnershipReleased), typeof(PoolDiscovered), typeof(PoolRenamed)];

    /// <summary>Events of which every one after the last sight of a holder may matter.</summary>
    public static IReadOnlyList<Type> Doubts { get; } = [typeof(OwnershipUnverified), typeof(FencingConfirmed)];

    /// <param name="history">The pool's events, or those of them that matter: see <see cref="Sights"/>, <see cref="LastWords"/>, <see cref="Doubts"/>.</param>
    public static OwnerAt Of(PoolGuid pool, IEnumerable<Recorded<PoolEvent>> history, DateTimeOffset at)
    {
        var by = history.Where(e => e.Stamp.ObservedAt <= at).ToList();
        var sights = by.Select(e => (Recorded: e, Seen: SightIn(e.Event))).Where(s => s.Seen is not null).Select(s => (s.Recorded, s.Seen!.Value.Host, s.Seen.Value.Sight));
        var last = sights.GroupBy(s => s.Host).Select(g => g.OrderBy(s => s.Recorded.Stamp.ObservedAt).ThenBy(s => s.Recorded.Stamp.Sequence).Last());

        HostName? claimant = null;
        var epoch = Epoch.None;
        PoolName? name = null;
        foreach (var e in by.OrderBy(e => e.Version))
        {
            if (e.Event is OwnershipClaimed claimed) (claimant, epoch) = (claimed.Host, claimed.Epoch);
            if (e.Event is OwnershipReleased) claimant = null;
            if (e.Event is PoolDiscovered discovered) name = discovered.Name;
            if (e.Event is PoolRenamed renamed) name = renamed.To;
        }

        return new(pool, name, at, by.Count > 0, claimant, epoch, [.. last.Where(s => s.Sight.IsHeld()).OrderBy(s => s.Host).Select(s =>
            new HolderAt(s.Host, s.Sight.Health, s.Recorded.Stamp.ObservedAt, s.Recorded.Id, Doubtful(by, s.Host, s.Recorded)))]);
    }

    /// <summary>The host was lost, fenced or taken over from after it was last seen holding the pool.</summary>
    static bool Doubtful(List<Recorded<PoolEvent>> by, HostName host, Recorded<PoolEvent> seen) => by.Exists(e =>
        e.Version > seen.Version && (e.Event is OwnershipUnverified doubt && doubt.Awaited.Contains(host) || e.Event is FencingConfirmed fenced && fenced.Host == host));

    static (HostName Host, PoolSight Sight)? SightIn(PoolEvent e) => e switch
    {
        PoolObserved o => (o.Host, o.Sight),
        ImportSucceeded o => (o.Host, o.Sight),
        ImportRefused o => (o.Host, o.Sight),
        ImportFailed o => (o.Host, o.Sight),
        ExportSucceeded o => (o.Host, o.Sight),
        ExportRefused o => (o.Host, o.Sight),
        ExportFailed o => (o.Host, o.Sight),
        _ => null,
    };
}

/// <summary>A host that had the pool imported read-write.</summary>
/// <param name="Since">When it was seen so.</param>
/// <param name="Evidence">The event that says so.</param>
/// <param name="Doubtful">It was lost or fenced later, before the instant asked about: it may have stopped holding the pool.</param>
public sealed record HolderAt(HostName Host, PoolHealth Health, DateTimeOffset Since, EventId Evidence, bool Doubtful);
