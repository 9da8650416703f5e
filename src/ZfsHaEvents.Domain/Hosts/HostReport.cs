using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Hosts;

/// <summary>Facts about one pool from one host, in the order in which they happened there.</summary>
/// <param name="PoolId">The pool.</param>
/// <param name="Name">Its name there, when known.</param>
/// <param name="Host">Who reports.</param>
/// <param name="Boot">The boot in which the facts were observed; not necessarily the host's present one.</param>
/// <param name="Order">The order that caused them; null for what nobody ordered.</param>
/// <param name="Actor">Who did it: <c>zfsha-agent</c>, or the Unix user of a typed command.</param>
public sealed record HostReport(
    PoolGuid PoolId, PoolName? Name, HostName Host, BootId Boot, OrderId? Order, string Actor, IReadOnlyList<HostFact> Facts) : IPoolMessage
{
    public PoolReference Pool => new(PoolId.ToString());

    public Decision<PoolEvent> Decide(Pool pool, DecisionContext context)
    {
        var change = new PoolChange(pool, context);
        change.Discover(PoolId, Name, Host);
        var early = Order is null && change.IsLost(Host);
        foreach (var fact in Facts)
        {
            var stamp = new Stamp(fact.ObservedAt, Host, Boot, fact.Sequence, Actor, early || change.IsLate(Host, Boot, fact.Sequence));
            Apply(change, fact, stamp);
        }

        StillLost(change, before: pool);
        change.Settle(before: pool);
        Takeover.BeginSoonIfPossible(change);
        return change.Done();
    }

    /// <summary>The outcome of an order tells how a lost host had the pool in the end, and not that the host is back.</summary>
    void StillLost(PoolChange change, Pool before)
    {
        if (change.Context.Alive(Host) is null && change.Pool.Sightings.TryGetValue(Host, out var now) && now.Holds() && before.Sightings.GetValueOrDefault(Host)?.Stale is true)
            change.Record(new OwnershipUnverified(Doubt.HostLost, [Host]));
    }

    void Apply(PoolChange change, HostFact fact, Stamp stamp)
    {
        switch (fact)
        {
            case HostFact.LockAcquired f:
                change.Record(new PoolLockAcquired(Host, Order, f.Purpose, f.WaitedSeconds), stamp);
                break;
            case HostFact.LockReleased f:
                change.Record(new PoolLockReleased(Host, Order, f.Purpose, f.HeldSeconds), stamp);
                break;
            case HostFact.LockTimedOut f:
                LockTimedOut(change, f, stamp);
                break;
            case HostFact.LockBroken f:
                change.Record(new PoolLockBroken(Host, Order, f.PreviousHolder, f.Evidence), stamp);
                break;
            case HostFact.ImportStarted f:
                change.Record(new ImportStarted(Host, Order, f.Arguments, f.Reason), stamp);
                break;
            case HostFact.ExportStarted f:
                change.Record(new ExportStarted(Host, Order, f.Arguments, f.Reason), stamp);
                break;
            case HostFact.ImportEnded f:
                ImportEnded(change, f, stamp);
                break;
            case HostFact.ExportEnded f:
                ExportEnded(change, f, stamp);
                break;
            case HostFact.LabelsRead f:
                LabelsRead(change, f, stamp);
                break;
            case HostFact.DisksWatched f:
                change.Record(new DisksWatched(Host, Order, f.Activity, f.WatchedSeconds, f.Leaves, f.Reason), stamp);
                break;
            case HostFact.OrderRefused f:
                OrderRefused(change, f, stamp);
                break;
            case HostFact.Observed f:
                change.See(Host, f.Sight, stamp);
                break;
            default:
                throw new System.Diagnostics.UnreachableException($"{fact.GetType().Name} is not a fact we know.");
        }
    }

    void LockTimedOut(PoolChange change, HostFact.LockTimedOut f, Stamp stamp)
    {
        var awaited = Awaited(change, stamp, MoveStep.Export, MoveStep.ReadLabels, MoveStep.Import, MoveStep.PutBack);
        change.Record(new PoolLockTimedOut(Host, Order, f.Purpose, f.WaitedSeconds, f.Holder), stamp);
        if (awaited) StepOutcome.LockTimedOut(change, f);
    }

    void ImportEnded(PoolChange change, HostFact.ImportEnded f, Stamp stamp)
    {
        var awaited = Awaited(change, stamp, MoveStep.Import, MoveStep.PutBack);
        PoolEvent outcome = f.Sight.IsHeld() ? new ImportSucceeded(Host, Order, f.Run, f.Sight, f.ZpoolSeconds)
            : f.Failure.IsRefusal() ? new ImportRefused(Host, Order, f.Failure, f.Run, f.Sight, f.ZpoolSeconds)
            : new ImportFailed(Host, Order, f.Failure, f.Run, f.Sight, f.ZpoolSeconds);
        change.RecordHealth(Host, f.Sight, stamp, () => change.Record(outcome, stamp));
        if (awaited) StepOutcome.Imported(change, f);
    }

    void ExportEnded(PoolChange change, HostFact.ExportEnded f, Stamp stamp)
    {
        var awaited = Awaited(change, stamp, MoveStep.Export);
        PoolEvent outcome = f.Sight.Presence is PoolPresence.Absent && f.Run is null or { Ended: true } ? new ExportSucceeded(Host, Order, f.Run, f.Sight, f.ZpoolSeconds)
            : f.Failure.IsRefusal() ? new ExportRefused(Host, Order, f.Failure, f.Run, f.Sight, f.ZpoolSeconds)
            : new ExportFailed(Host, Order, f.Failure, f.Run, f.Sight, f.ZpoolSeconds);
        change.RecordHealth(Host, f.Sight, stamp, () => change.Record(outcome, stamp));
        if (awaited) StepOutcome.Exported(change, f);
    }

    void LabelsRead(PoolChange change, HostFact.LabelsRead f, Stamp stamp)
    {
        var awaited = Awaited(change, stamp, MoveStep.ReadLabels); // An import with a proof reads them too, as part of its own step.
        change.Record(new PoolScanned(Host, Order, f.Label, f.Detail, f.ZpoolSeconds), stamp);
        if (awaited) Takeover.LabelsRead(change, f.Label, f.ZpoolSeconds, f.Detail);
    }

    void OrderRefused(PoolChange change, HostFact.OrderRefused f, Stamp stamp)
    {
        var awaited = Awaited(change, stamp, MoveStep.Export, MoveStep.ReadLabels, MoveStep.Import, MoveStep.PutBack);
        change.Record(new OrderRefused(Host, Order, f.Reason, f.Detail), stamp);
        if (awaited) StepOutcome.OrderRefused(change, f);
    }

    /// <summary>Whether the running move waits for this outcome. Asked before it is recorded, because recording may change the answer.</summary>
    bool Awaited(PoolChange change, Stamp stamp, params ReadOnlySpan<MoveStep> steps) => !stamp.Late && change.Pool.Move?.Awaits(Host, Order, steps) is true;
}
