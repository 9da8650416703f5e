using System.Diagnostics;
using System.Text.Json;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests.Exploring;

/// <summary>
/// A pool that random messages are fed to, and what must hold after each of them. A broken rule is a <see cref="FindingException"/>.
/// </summary>
public sealed class ExploredPool(Journal journal)
{
    readonly ImportTracker _imports = new();
    readonly HashSet<OrderId> _orderIds = [];

    public Pool Pool { get; private set; } = Pool.Initial(Spec.Tank);

    public List<Recorded<PoolEvent>> History { get; } = [];

    public Decision<PoolEvent> Feed(IPoolMessage message, DecisionContext context)
    {
        journal.Note($"{message.GetType().Name} {JsonSerializer.Serialize<object>(message)}");
        var before = Pool;
        _imports.Learn(message);
        var decision = Decide(message, context);
        foreach (var recorded in decision.Events)
        {
            journal.Note($"     -> v{recorded.Version} {recorded.Event.GetType().Name}{(recorded.Stamp.Late ? " (late)" : "")} {JsonSerializer.Serialize<object>(recorded.Event)}");
            Rule(recorded.Version == Pool.Version + 1, "versions follow each other without gaps");
            Rule(recorded.Event is not OwnershipClaimed claim || claim.Epoch > Pool.Epoch, "every claim has a higher epoch than all before");
            History.Add(recorded);
            Pool = Pool.Evolve(recorded);
        }

        foreach (var (host, order) in Spec.OrdersIn(decision)) CheckOrder(before, host, order, context);
        _imports.Judge(decision, context);
        CheckEnd(decision);
        CheckAgain(message, decision, context);
        return decision;
    }

    /// <summary>The host has begun to look at the order.</summary>
    public void Taken(OrderId order) => _imports.Taken(order);

    /// <summary>Folding the stored history from its beginning, through JSON with default options, gives the same pool.</summary>
    public void CheckReplay()
    {
        var replayed = Pool.Initial(Spec.Tank);
        foreach (var recorded in History)
        {
            var type = recorded.Event.GetType();
            var stored = (PoolEvent)JsonSerializer.Deserialize(JsonSerializer.Serialize(recorded.Event, type), type)!;
            replayed = replayed.Evolve(recorded with { Event = stored });
        }

        Rule(Text(replayed) == Text(Pool), "folding the whole history gives the pool that the decisions went by");
    }

    public static string Text(Pool pool) => JsonSerializer.Serialize(pool);

    Decision<PoolEvent> Decide(IPoolMessage message, DecisionContext context)
    {
        try
        {
            return message.Decide(Pool, context);
        }
        catch (UnreachableException e)
        {
            throw new FindingException($"no decision throws; {message.GetType().Name} did: {e.Message}", e);
        }
        catch (Exception e) when (e is NullReferenceException or InvalidOperationException or ArgumentException or OverflowException or KeyNotFoundException)
        {
            throw new FindingException($"no decision throws; {message.GetType().Name} did: {e}", e);
        }
    }

    void CheckOrder(Pool before, HostName host, IOrder order, DecisionContext context)
    {
        var header = order.Header;
        Rule(_orderIds.Add(header.Id), $"an order's id names one order; {header.Id} was given out twice");
        Rule(context.Alive(host)?.Session == header.Session, "an order names the present session of a live host");
        Rule(header.Epoch == Pool.Epoch && header.Incarnation == context.Incarnation, "an order carries the present epoch and incarnation");
        Rule(Pool.Halt is null && !before.UnknownHistory, "a pool that is halted or not understood takes no orders");
        if (order is not ImportPool import) return;

        Rule(Pool.Claimant == host, "only the claimant is told to import");
        Rule(!Pool.Holders().Any(h => h != host), $"{host} is told to import while {string.Join(", ", Pool.Holders())} is seen to hold the pool");
        if (import.Force is { } proof) CheckProof(proof, host, context);
    }

    void CheckProof(ForceProof proof, HostName target, DecisionContext context)
    {
        var move = Pool.RunningMove()!;
        var asked = History.Find(e => e.Id == proof.AskedBy);
        Rule(asked?.Event is PoolScanned { Label.State: LabelState.Active }, "a forced import names the label that asks for force");
        var label = ((PoolScanned)asked!.Event).Label!;
        Rule(label.HostId == proof.LastHolder && label.HostId != context.Hosts[target].HostId, "the label is ACTIVE under the last holder's hostid, not the target's");
        if (proof.FencedBy is { } by)
        {
            var fenced = History.Find(e => e.Id == by);
            Rule(fenced?.Event is FencingConfirmed f && f.Host == move.From, "a forced import names the event that shows the last holder fenced");
            Rule(
                !History.Exists(e => e.Version > fenced!.Version && e.Stamp is { Late: false } && e.Stamp.Host == move.From && e.Event is PoolObserved),
                "fencing evidence is void once the fenced host has spoken again");
        }
        else
        {
            Rule(Pool.Policy.Fencing is FencingMethod.MmpAlone && label.MmpActive, "force without fencing rests on MMP, by policy and as read from the disks");
        }
    }

    void CheckEnd(Decision<PoolEvent> decision)
    {
        foreach (var recorded in decision.Events)
        {
            if (recorded.Event is MoveCompleted completed)
                Rule(Pool.Holders().Contains(completed.Holder), "a move that is completed has left the pool with its target, able to write");
        }
    }

    /// <summary>Requests decide nothing when they come again; reports are recorded as late, order nothing and leave the present as it is.</summary>
    void CheckAgain(IPoolMessage message, Decision<PoolEvent> first, DecisionContext context)
    {
        var again = Decide(message, context);
        if (message is not (HostReport or HostReconnected))
        {
            // A reminder is sent once more under the id that it was sent with: the queue has it already.
            var isNothing = again.IsNothing() || message is StepOverdue { Again: false } && again.Events.Count == 0 && again.Messages.SequenceEqual(first.Messages);
            Rule(isNothing, $"{message.GetType().Name} decided twice decides nothing the second time, not {string.Join(' ', again.Events.Select(e => e.Event.GetType().Name))}");
            return;
        }

        // What is decided in a moment is sent once more under its id as well.
        Rule(again.Messages.All(m => m.Message is TakeoverDue && first.Messages.Contains(m)), $"{message.GetType().Name} decided twice tells nobody anything the second time");
        var after = again.Events.Aggregate(Pool, (pool, e) => pool.Evolve(e));
        Rule(Text(after with { Version = 0 }) == Text(Pool with { Version = 0 }), $"{message.GetType().Name} decided twice changes nothing of the present the second time");
    }

    static void Rule(bool holds, string rule)
    {
        if (!holds) throw new FindingException(rule);
    }
}
