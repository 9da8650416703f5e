namespace ZfsHaEvents.Domain.Pools;

/// <summary>
/// Sent with every order, to arrive when a report should have come long ago. If the move still waits for that order it halts;
/// an import that was ordered stays outstanding, because silence proves nothing.
/// </summary>
public sealed record StepOverdue(PoolGuid PoolId, OrderId Order, MoveStep Step) : IPoolMessage
{
    public PoolReference Pool => new(PoolId.ToString());

    public Decision<PoolEvent> Decide(Pool pool, DecisionContext context)
    {
        var change = new PoolChange(pool, context);
        if (pool.Move?.Awaits(Order) is not true) return change.Done();

        change.StepFailed(ZpoolFailure.TimedOut, 0, $"no report on {Order}");
        change.Halt(MoveEnd.StepOverdue, $"{Step}: no report on {Order} in the time it may take");
        return change.Done();
    }
}
