using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests.Exploring;

/// <summary>
/// One random sequence of messages to a pool that three hosts share. What the hosts say need not make sense together: people
/// type commands, reports overtake each other, agents and hosts die at any point. Only the form is right: an order's outcome is
/// of the order's kind and from the order's host.
/// </summary>
public sealed class Chaos(int seed)
{
    static readonly HostName[] Names = [Spec.A, Spec.B, Spec.C];
    static readonly PoolReference Tank = new(Spec.Tank.ToString());

    readonly Random _random = new(seed);
    readonly Cluster _cluster = new(Names);
    readonly Dictionary<HostName, long> _sequences = Names.ToDictionary(n => n, _ => 0L);
    readonly List<(HostName Host, IOrder Order)> _orders = [];
    readonly List<RequestId> _moves = [];
    DateTimeOffset _now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    int _messages;
    int _requests;

    public Journal Journal { get; } = new();

    public void Run(int steps)
    {
        var pool = new ExploredPool(Journal);
        var multihost = _random.Next(2) == 0;
        for (var step = 0; step < steps; step++)
        {
            _now += TimeSpan.FromSeconds(_random.Next(1, 20));
            var message = Next(pool.Pool, multihost);
            var decision = pool.Feed(message, _cluster.Context(message is IRequest r ? $"x#{r.Id}" : $"x#{++_messages}", _now));
            _orders.AddRange(Spec.OrdersIn(decision));
            _moves.AddRange(decision.Events.Select(e => e.Event).OfType<MoveStarted>().Select(m => m.Id));
            foreach (var (_, order) in Spec.OrdersIn(decision))
                if (Chance(50)) pool.Taken(order.Header.Id);
        }

        pool.CheckReplay();
    }

    IPoolMessage Next(Pool pool, bool multihost)
    {
        if (pool.Version == 0) return Report(Any(), null, [new HostFact.Observed(Draw(Spec.A), _now, Sight(multihost))]);
        return _random.Next(100) switch
        {
            < 35 when Awaited(pool) is var (host, order) => Outcome(host, order, multihost),
            < 40 when _orders.Count > 0 => Stray(multihost),
            < 55 => Typed(Any(), multihost),
            < 65 => Lose(Any()),
            < 78 => Return(Any(), pool, multihost),
            < 81 when _orders.Count > 0 => Overdue(),
            < 84 when pool.LostHolder is { } lost => new TakeoverDue(Spec.Tank, Chance(90) ? lost : Any()),
            < 87 when pool.Halt is not null => new AcknowledgeHalt(NewId(), Tank, "anna", "seen"),
            < 90 => new ConfirmFencing(NewId(), Tank, Any(), "anna", "power is off"),
            < 92 => new SetPoolPolicy(NewId(), Tank, new(Chance(50), Chance(50) ? FencingMethod.Manual : FencingMethod.MmpAlone, [Any(), Any()]), "anna"),
            < 93 when _moves.Count > 0 => new CallOffMove(NewId(), Tank, Chance(70) ? _moves[^1] : _moves[0], "anna", "no"),
            < 97 => new FailoverPool(NewId(), Tank, "anna", Chance(80) ? Any() : null, null, Chance(70) ? Any() : null, Chance(70) ? "pulled the plug" : null),
            _ => new SwitchoverPool(NewId(), Tank, Any(), "anna"),
        };
    }

    static (HostName Host, IOrder Order)? AwaitedOf(IEnumerable<(HostName Host, IOrder Order)> orders, Pool pool)
    {
        foreach (var (host, order) in orders.Reverse())
            if (pool.Move?.Awaits(order.Header.Id) is true) return (host, order);
        return null;
    }

    (HostName Host, IOrder Order)? Awaited(Pool pool) => AwaitedOf(_orders, pool);

    HostReport Outcome(HostName host, IOrder order, bool multihost) => Report(host, order.Header.Id, [Fact(host, order, multihost)]);

    /// <summary>The outcome of any order ever given, however old.</summary>
    HostReport Stray(bool multihost)
    {
        var (host, order) = _orders[_random.Next(_orders.Count)];
        return Outcome(host, order, multihost);
    }

    HostFact Fact(HostName host, IOrder order, bool multihost)
    {
        var number = Draw(host);
        if (Chance(15)) return new HostFact.OrderRefused(number, _now, Enum.GetValues<OrderRefusal>()[_random.Next(5)], "says the host");
        if (Chance(5) && order is not ReadLabels) return new HostFact.LockTimedOut(number, _now, "order", 30, "pid 4711");
        var run = Chance(15) ? null : new ZpoolRun(["zpool"], 1, ZpoolFailure.Other, "words", 1, Ended: Chance(90));
        var failure = Enum.GetValues<ZpoolFailure>()[_random.Next(Enum.GetValues<ZpoolFailure>().Length)];
        return order switch
        {
            ExportPool => new HostFact.ExportEnded(number, _now, run, Chance(70) ? PoolSight.Absent : Sight(multihost), failure, 1),
            ImportPool => new HostFact.ImportEnded(number, _now, run, Chance(40) ? PoolSight.Absent : Sight(multihost), failure, 1),
            _ => new HostFact.LabelsRead(number, _now, Label(multihost), "", 1),
        };
    }

    PoolLabel? Label(bool multihost) => Chance(10) ? null : Sights.Label(Chance(75) ? LabelState.Active : LabelState.Exported, Any(), multihost && Chance(90));

    HostReport Typed(HostName host, bool multihost)
    {
        var number = Draw(host);
        HostFact fact = _random.Next(4) switch
        {
            0 => new HostFact.ImportStarted(number, _now, ["zpool", "import"], null),
            1 => new HostFact.ImportEnded(number, _now, new(["zpool"], 0, ZpoolFailure.None, "", 1, Ended: true), Sight(multihost), ZpoolFailure.None, 1),
            _ => new HostFact.Observed(number, _now, Sight(multihost)),
        };
        return Report(host, null, [fact]) with { Boot = Chance(90) ? _cluster[host].Boot : Cluster.BootOf(host, 1) };
    }

    PoolSight Sight(bool multihost) => _random.Next(10) switch
    {
        < 5 => PoolSight.Absent,
        < 8 => Sights.Held with { Multihost = multihost },
        8 => Sights.Suspended with { Multihost = multihost },
        _ => Sights.HeldReadOnly with { Multihost = multihost },
    };

    HostLost Lose(HostName host)
    {
        _cluster.Lose(host);
        return new(Spec.Tank, host, _cluster[host].Session);
    }

    HostReconnected Return(HostName host, Pool pool, bool multihost)
    {
        var standing = Chance(50) ? _cluster.Restart(host) : _cluster.Reboot(host);
        var obeyed = Chance(5) ? new ObeyedEpoch(Chance(50) ? Cluster.ThisHistory : new(Derived.Uuid("another history")), new(pool.Epoch.Value + _random.Next(-1, 3))) : null;
        return new(Spec.Tank, Spec.TankName, host, standing.Session, standing.Boot, Draw(host), _now, Sight(multihost), obeyed);
    }

    StepOverdue Overdue()
    {
        var (_, order) = _orders[Chance(70) ? _orders.Count - 1 : _random.Next(_orders.Count)];
        return new(Spec.Tank, order.Header.Id, order switch { ExportPool => MoveStep.Export, ReadLabels => MoveStep.ReadLabels, _ => MoveStep.Import }, Again: Chance(70));
    }

    HostReport Report(HostName host, OrderId? order, IReadOnlyList<HostFact> facts) =>
        new(Spec.Tank, Spec.TankName, host, _cluster[host].Boot, order, "somebody", facts);

    /// <summary>Mostly the next number of the host; sometimes an earlier one: the report was overtaken.</summary>
    long Draw(HostName host) => Chance(90) ? ++_sequences[host] : Math.Max(1, _sequences[host] - _random.Next(3));

    RequestId NewId() => new($"q{++_requests}");

    HostName Any() => Names[_random.Next(Names.Length)];

    bool Chance(int percent) => _random.Next(100) < percent;
}
