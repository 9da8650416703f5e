namespace ZfsHaEvents.Domain.Pools;

/// <summary>
/// Sent when what stood in the way of a failover that the policy owes went away by itself, to arrive a moment later: after a network or a power
/// that failed for all, hosts come back one by one, and the holder need not be the first.
/// </summary>
/// <param name="Lost">The host that was lost with the pool.</param>
public sealed record TakeoverDue(PoolGuid PoolId, HostName Lost) : IPoolMessage
{
    public PoolReference Pool => new(PoolId.ToString());

    public Decision<PoolEvent> Decide(Pool pool, DecisionContext context)
    {
        var change = new PoolChange(pool, context);
        if (pool.LostHolder == Lost) Takeover.BeginIfPossible(change);
        return change.Done();
    }
}
