using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Hosts;

/// <summary>
/// A host opened a session: what it sees of this pool now, and the highest epoch it has obeyed for it. Sent to every pool,
/// because "not imported here" is an answer too.
/// </summary>
/// <param name="Obeyed">What stands on the host's disk for this pool; null when it never obeyed an order about it.</param>
public sealed record HostReconnected(
    PoolGuid PoolId, PoolName? Name, HostName Host, SessionId Session, BootId Boot, long Sequence, DateTimeOffset ObservedAt,
    PoolSight Sight, ObeyedEpoch? Obeyed) : IPoolMessage
{
    public PoolReference Pool => new(PoolId.ToString());

    public Decision<PoolEvent> Decide(Pool pool, DecisionContext context)
    {
        var change = new PoolChange(pool, context);
        if (pool.Version == 0 && !Sight.IsImported() && Obeyed is null) return change.Done();

        change.Discover(PoolId, Name, Host);
        change.See(Host, Sight, new(ObservedAt, Host, Boot, Sequence, Actors.Agent, change.IsLate(Host, Boot, Sequence)));
        Compare(change);
        var present = context.Alive(Host)?.Session == Session; // If not, it has opened another one since, and that will tell.
        if (present) RuleOut(change);
        change.Settle(before: pool);
        if (present && change.Pool.RunningMove()?.Step() is { Order: { } order } step && step.Host == Host && step.Session != Session && pool.Move?.Awaits(order) is true)
            change.Reissue($"{Host} opened session {Session}");
        if (present) RuleOut(change); // The move may have halted instead.
        Takeover.BeginSoonIfPossible(change);
        return change.Done();
    }

    /// <summary>
    /// An import ordered in an earlier session that no move waits for any more: it cannot take effect if the host has rebooted
    /// since, or has not obeyed its epoch, and the session it was for is over.
    /// </summary>
    void RuleOut(PoolChange change)
    {
        if (change.Pool.OutstandingImport is not { } outstanding || outstanding.Host != Host || outstanding.Session == Session || change.Pool.Move?.Awaits(outstanding.Order) is true) return;

        // Nothing obeyed at all may also mean that the record was lost: only a lower epoch, read from it, shows something.
        var neverBegun = Obeyed is { } obeyed && !outstanding.Begun && obeyed.Incarnation == change.Context.Incarnation && obeyed.Epoch < outstanding.Epoch;
        if (outstanding.Boot != Boot) change.Record(new ImportRuledOut(Host, outstanding.Order, $"{Host} has rebooted since"));
        else if (neverBegun) change.Record(new ImportRuledOut(Host, outstanding.Order, $"{Host} never began it: the highest epoch it has obeyed is {Obeyed!.Epoch}, and its session is over"));
    }

    /// <summary>A host that obeyed more than we ever ordered shows that our history is not the newest.</summary>
    void Compare(PoolChange change)
    {
        if (Obeyed is not { } obeyed) return;

        var foreign = obeyed.Incarnation != change.Context.Incarnation;
        if (foreign ? change.Pool.KnownIncarnations.Contains(obeyed.Incarnation) : obeyed.Epoch <= change.Pool.Epoch || obeyed.Epoch <= change.Pool.Halt?.Epoch) return;

        if (change.Pool.RunningMove() is not null) change.Halt(MoveEnd.OrderRefused, $"{Host} has obeyed epoch {obeyed.Epoch} of incarnation {obeyed.Incarnation}");
        change.Record(new PoolHalted(foreign ? HaltCause.ForeignIncarnation : HaltCause.EpochAhead, Host, obeyed.Incarnation, obeyed.Epoch, change.Pool.Epoch));
    }
}

/// <summary>The highest epoch a host has obeyed for a pool, and the history it belonged to.</summary>
public sealed record ObeyedEpoch(Incarnation Incarnation, Epoch Epoch);

/// <summary>A host's lease was lost: what it saw of this pool is no longer known to be so.</summary>
public sealed record HostLost(PoolGuid PoolId, HostName Host, SessionId Session) : IPoolMessage
{
    public PoolReference Pool => new(PoolId.ToString());

    public Decision<PoolEvent> Decide(Pool pool, DecisionContext context)
    {
        var change = new PoolChange(pool, context);
        if (pool.Version == 0 || context.Alive(Host) is not null) return change.Done(); // It is back already, in a newer session.

        var fresh = pool.Sightings.TryGetValue(Host, out var sighting) && !sighting.Stale;
        if (fresh && (sighting!.Sight.IsImported() || pool.Claimant == Host)) change.Record(new OwnershipUnverified(Doubt.HostLost, [Host]));

        if (change.Pool.RunningMove() is { } move) LostInMove(change, move);
        else if (fresh && change.Pool.LostHolder == Host && pool.Policy.Automatic) Takeover.BeginByPolicy(change, Host, Session);
        return change.Done();
    }

    void LostInMove(PoolChange change, Move move)
    {
        if (move.Step() is not { } step || step.Host != Host) return; // Not its turn; if its turn comes, it will be missed then.

        change.StepFailed(ZpoolFailure.TimedOut, 0, $"the lease of {Host} was lost");
        change.Halt(change.Lost(Host), $"the lease of {Host} was lost during {step.Step}; whether {step.Order} took effect is not known");
    }
}
