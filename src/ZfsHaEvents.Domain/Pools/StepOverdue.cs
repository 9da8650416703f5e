namespace ZfsHaEvents.Domain.Pools;

/// <summary>
/// Sent with every order, to arrive when a report should have come long ago. If the move still waits for that order it is sent
/// once more, and then the move halts; an import that was ordered stays outstanding, because silence proves nothing.
/// </summary>
/// <param name="Again">
/// It has fallen due before. Having been put before the report, it comes first after an outage in which both came due; the second
/// one lies behind the report.
/// </param>
public sealed record StepOverdue(PoolGuid PoolId, OrderId Order, MoveStep Step, bool Again = false) : IPoolMessage
{
    public PoolReference Pool => new(PoolId.ToString());

    public Decision<PoolEvent> Decide(Pool pool, DecisionContext context)
    {
        var change = new PoolChange(pool, context);
        if (pool.Move?.Awaits(Order) is not true) return change.Done();

        if (!Again)
        {
            change.Send(Queues.Server, $"{Order}/overdue/again", this with { Again = true }, delay: context.Times.Grace);
            return change.Done();
        }

        change.StepFailed(ZpoolFailure.TimedOut, 0, $"no report on {Order}");
        change.Halt(MoveEnd.StepOverdue, $"{Step}: no report on {Order} in the time it may take");
        return change.Done();
    }
}
