namespace ZfsHaEvents.Domain.Pools;

/// <summary>What follows from what hosts see: conflicts, disputes, adopted claims, doubts resolved.</summary>
static class Seeing
{
    public static void Discover(this PoolChange change, PoolGuid id, PoolName? name, HostName host)
    {
        if (change.Pool.Version == 0) change.Record(new PoolDiscovered(id, name, host));
        else if (name is { } current && current != change.Pool.Name) change.Record(new PoolRenamed(change.Pool.Name, current));
    }

    /// <summary>
    /// Whether a fact is older than what is known of its host: it was seen in another boot than the host's present one, or
    /// before what that boot reported already, or before the host was fenced.
    /// </summary>
    public static bool IsLate(this PoolChange change, HostName host, BootId boot, long sequence)
    {
        if (change.Context.Hosts.TryGetValue(host, out var standing) && standing.Boot != boot) return true;
        if (change.Pool.Fenced.ContainsKey(host) && change.Context.Alive(host) is null) return true; // Told from before it was fenced; it speaks for itself once it has a session.
        return change.Pool.Sightings.TryGetValue(host, out var last) && last.Boot == boot && sequence <= last.Sequence;
    }

    /// <summary>
    /// Whether the host was lost and has no session yet. What it noticed by itself is of the time before, however new: its session will say how
    /// things stand. The outcome of an order is not: somebody waits for it, and it ends what may still take effect.
    /// </summary>
    public static bool IsLost(this PoolChange change, HostName host) =>
        change.Context.Alive(host) is null && change.Pool.Sightings.TryGetValue(host, out var last) && last.Stale;

    /// <summary>Records a look if it differs from the last one, came too late, or answers a question that is open.</summary>
    public static void See(this PoolChange change, HostName host, PoolSight sight, Stamp stamp)
    {
        var last = change.Pool.Sightings.GetValueOrDefault(host);
        var news = last is null || last.Stale || !sight.SameAs(last.Sight) || last.Boot != stamp.Boot || change.Pool.Awaited.Contains(host) || stamp.Late
            || change.Pool.TypedImports.TryGetValue(host, out var typed) && typed.Boot != stamp.Boot;
        if (news) change.RecordHealth(host, sight, stamp, () => change.Record(new PoolObserved(host, sight), stamp));
    }

    /// <summary>Records an event that carries a sight, and after it a change of health if it shows one.</summary>
    public static void RecordHealth(this PoolChange change, HostName host, PoolSight sight, Stamp stamp, Action record)
    {
        var before = change.Pool.Sightings.GetValueOrDefault(host);
        record();
        if (stamp.Late || !sight.IsImported() || before is not { Stale: false } || !before.Sight.IsImported()) return;
        if (before.Sight.Health != sight.Health) change.Record(new PoolHealthChanged(host, before.Sight.Health, sight.Health), stamp);
    }

    /// <summary>After new looks: everything that follows from comparing the hosts with each other and with the claim.</summary>
    /// <param name="before">The pool as it was before the looks.</param>
    public static void Settle(this PoolChange change, Pool before)
    {
        Conflicts(change);
        HolderReturned(change, before);
        NotOrdered(change, before);
        Adopt(change, before);
        if (before.Awaited.Count > 0 && change.Pool.Awaited.Count == 0) change.Record(new OwnershipVerified(change.Pool.Holder(), change.Pool.Epoch));
    }

    static void Conflicts(PoolChange change)
    {
        var pool = change.Pool;
        var holders = pool.Holders().ToList();
        List<HostName> involved = [.. holders.Union(pool.Conflict.Where(h => pool.Sightings.TryGetValue(h, out var last) && HeldWhenSeen(last))).Order()];
        if (holders.Count >= 2 && !pool.Conflict.SetEquals(involved))
            change.Record(new ConflictDetected(involved, [.. involved.Select(h => pool.Sightings[h].Event)]));
        else if (involved.Count < 2 && pool.Conflict.Count > 0)
            change.Record(new ConflictCleared(pool.Holder()));
    }

    /// <summary>Held, or held when the host was last heard of: that it has gone silent since takes it out of no conflict.</summary>
    static bool HeldWhenSeen(Sighting sighting) => sighting.Sight.IsHeld() && sighting.Sight.Health is not PoolHealth.Suspended;

    /// <summary>
    /// A failover that has not told the target to import yet is pointless once the holder is back with the pool; and a host
    /// that is back cannot be vouched for as fenced.
    /// </summary>
    static void HolderReturned(PoolChange change, Pool before)
    {
        if (change.Pool.RunningMove() is not { Kind: MoveKind.Failover, From: { } from } move || change.Context.Alive(from) is null) return;
        if (move.Step()?.Step is not (MoveStep.Fence or MoveStep.ReadLabels)) return;
        if (!change.Pool.Sightings.TryGetValue(from, out var sighting) || before.Sightings.GetValueOrDefault(from)?.Event == sighting.Event) return;

        if (sighting.IsAbsent() && move.Step()!.Step is MoveStep.Fence)
        {
            change.StepFailed(ZpoolFailure.Other, 0, $"{from} is back and does not have the pool imported");
            change.Abort(MoveEnd.HolderReturned, $"{from} answers again and does not have the pool; a switchover to {from} imports it there without force", holder: null);
            return;
        }

        if (!sighting.Holds()) return;

        change.StepFailed(ZpoolFailure.ActiveElsewhere, 0, $"{from} is back and has the pool imported");
        change.Abort(MoveEnd.HolderReturned, $"{from} answers again and has the pool imported", holder: from);
    }

    static void NotOrdered(PoolChange change, Pool before)
    {
        foreach (var host in change.Pool.Sightings.Keys)
        {
            var now = change.Pool.Sightings[host];
            var was = before.Sightings.GetValueOrDefault(host);
            if (now.Stale || !now.Sight.IsHeld() || was is { } && was.Event == now.Event) continue;

            if (now.Sight.Health is PoolHealth.Suspended && change.Pool.Holders().Any(h => h != host) && !(was is { Stale: false, Sight.Health: PoolHealth.Suspended }))
                change.Record(new OwnershipDisputed(host, change.Pool.Claimant, change.Pool.Epoch, Dispute.SuspendedCopy, [now.Event]));

            var heldBefore = was?.Sight.IsHeld() is true;
            var firstWord = was is null && before.Claimant is null && !before.Sightings.Values.Any(s => s.Sight.IsHeld());
            var attributed = change.Pool.Claimant == host || before.TypedImports.ContainsKey(host)
                || before.ToldLate.Contains(host) || change.Pool.OutstandingImport?.Host == host || change.Has<ImportSucceeded>(e => e.Host == host);
            if (heldBefore || firstWord || attributed) continue;

            change.Record(new OwnershipDisputed(host, change.Pool.Claimant, change.Pool.Epoch, Dispute.ImportNotOrdered, [now.Event]));
        }
    }

    /// <summary>
    /// The claim follows an import by hand once it is beyond doubt: one holder, and the claimant, if another, shown not to
    /// hold the pool. Otherwise what was decided stands, and the dispute is for people.
    /// </summary>
    static void Adopt(PoolChange change, Pool before)
    {
        var pool = change.Pool;
        if (pool.RunningMove() is not null || pool.Halt is not null || pool.Conflict.Count > 0) return;
        if (pool.Holder() is not { } holder || pool.Claimant == holder) return;
        if (pool.Claimant is { } claimant && !pool.Fenced.ContainsKey(claimant) && pool.Sightings.GetValueOrDefault(claimant)?.IsAbsent() is not true) return;
        if (pool.OutstandingImport is { } outstanding && outstanding.Host != holder) return;

        change.Claim(holder, before.Version == 0 ? ClaimBasis.Discovered : ClaimBasis.Observed);
    }
}
