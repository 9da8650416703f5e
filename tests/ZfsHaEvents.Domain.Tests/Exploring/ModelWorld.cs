using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests.Exploring;

/// <summary>
/// Three faithful hosts, their disks, the bus between them and the decisions, and a fate that does its worst: crashes, partitions,
/// lost leases, late reports, orders that arrive when everything has changed. People only say what is true when they say it.
/// Nobody imports by hand, so a second holder is always the doing of an order.
/// </summary>
public sealed class ModelWorld(int seed)
{
    static readonly HostName[] Names = [Spec.A, Spec.B, Spec.C];
    static readonly PoolReference Tank = new(Spec.Tank.ToString());

    readonly Random _random = new(seed);
    readonly Cluster _cluster = new(Names);
    readonly List<IPoolMessage> _bus = [];
    readonly List<(DateTimeOffset Due, IPoolMessage Message)> _scheduled = [];
    List<ModelHost> _hosts = [];
    ModelDisks _disks = new(multihost: false);
    ExploredPool _pool = null!;
    DateTimeOffset _now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    int _requests;
    int _messages;

    public Journal Journal { get; } = new();

    public void Run(int steps)
    {
        _disks = new(multihost: Chance(25));
        _pool = new(Journal);
        _hosts = [.. Names.Select(n => new ModelHost(n, _cluster))];
        Journal.Note($"multihost is {(_disks.Multihost ? "on" : "off")}");
        _hosts[0].Imported = true;
        (_disks.State, _disks.HostId) = (LabelState.Active, Cluster.HostIdOf(Spec.A));
        foreach (var host in _hosts) _bus.Add(host.OpenSession(_disks, _now));
        while (_bus.Count > 0) Handle();

        for (var step = 0; step < steps; step++)
        {
            _now += TimeSpan.FromSeconds(_random.Next(0, 12));
            Step(_hosts[_random.Next(_hosts.Count)]);
            CheckHolders();
        }

        Calm();
        _pool.CheckReplay();
    }

    void CheckHolders()
    {
        var writers = _hosts.Where(h => h.Writes).Select(h => h.Name).ToList();
        if (writers.Count > 1) throw new FindingException($"{string.Join(" and ", writers)} write to the pool at once");
    }

    void Step(ModelHost host)
    {
        switch (_random.Next(100))
        {
            case < 24 when _bus.Count > 0: Handle(); break;
            case < 36 when host.Renews && host.Spool.Count > 0: Flush(host); break;
            case < 48 when host is { Renews: true, Doing: null } && host.Orders.Exists(o => !o.Taken): Take(host); break;
            case < 58 when host is { AgentUp: true, Doing: not null, Child: null }: Note(host, "begins"); host.Begin(_disks, _now); break;
            case < 60 when host is { AgentUp: true, Doing: { } doing, Child: { } child } && doing != child.Order: Note(host, "gets no lock"); host.GiveUpOnLock(_now); break;
            case < 61 when host is { AgentUp: true, Doing: { } doing, Child: { } child } && doing == child.Order: Note(host, "stops waiting"); host.StopWaiting(_disks, _now); break;
            case < 70 when host.Child is not null: EndChild(host); break;
            case < 74 when host.AgentUp: host.Watch(_disks, _now); break;
            case < 76 when host.AgentUp: Note(host, "agent dies"); Orphan(host); host.CrashAgent(); break;
            case < 78 when host.Powered: Note(host, "loses power"); Orphan(host); host.PowerOff(); break;
            case < 80: Note(host, host.Connected ? "is cut off" : "is connected again"); host.Connected = !host.Connected; break;
            case < 81 when host.Writes: Note(host, "suspends the pool"); host.Suspended = true; break;
            case < 85 when host.Connected && !host.InSession: Open(host); break;
            case < 89 when !host.Renews && _cluster[host.Name].Alive: Expire(host); break;
            case < 91: Overdue(); break;
            default: Ask(host.Name); break;
        }
    }

    void Handle()
    {
        var message = _bus[0];
        _bus.RemoveAt(0);
        var decision = _pool.Feed(message, _cluster.Context(message is IRequest r ? $"m#{r.Id}" : $"m#{++_messages}", _now));
        if (decision.VoidsOrders)
            foreach (var host in _hosts) host.Orders.RemoveAll(o => !o.Taken);
        foreach (var (to, order) in Spec.OrdersIn(decision)) _hosts.Single(h => h.Name == to).Orders.Add((order, Taken: false));
        foreach (var outgoing in decision.Messages)
            if (outgoing is { Message: IPoolMessage later, Delay: { } delay }) _scheduled.Add((_now + delay, later));
    }

    void Flush(ModelHost host)
    {
        var (report, completes) = host.Spool[0];
        host.Spool.RemoveAt(0);
        _bus.Add(report);
        if (completes is { } order) host.Orders.RemoveAll(o => o.Order.Header.Id == order);
    }

    void Take(ModelHost host)
    {
        // In the order of the queue, skipping nothing: a taken order that was not completed is given out again first.
        if (host.Orders[0].Taken) return;
        Note(host, $"takes {host.Orders[0].Order.Header.Id}");
        _pool.Taken(host.Orders[0].Order.Header.Id);
        host.Take(_now);
    }

    /// <summary>What the agent had taken is given out again once it is gone.</summary>
    static void Orphan(ModelHost host)
    {
        for (var i = 0; i < host.Orders.Count; i++)
            if (!host.Spool.Exists(s => s.Completes == host.Orders[i].Order.Header.Id)) host.Orders[i] = (host.Orders[i].Order, Taken: false);
    }

    void EndChild(ModelHost host)
    {
        Note(host, $"child of {host.Child!.Order.Header.Id} ends");
        host.EndChild(_disks, _hosts.Exists(h => h != host && h.Writes), fails: Chance(15), _now);
        Note(host, "so");
    }

    void Open(ModelHost host)
    {
        Orphan(host);
        _bus.Add(host.OpenSession(_disks, _now));
        Note(host, "opens a session");
    }

    void Expire(ModelHost host)
    {
        Note(host, "lease lost");
        _cluster.Lose(host.Name);
        _bus.Add(new HostLost(Spec.Tank, host.Name, _cluster[host.Name].Session));
    }

    void Overdue()
    {
        _now += TimeSpan.FromSeconds(_random.Next(120));
        foreach (var (_, message) in _scheduled.Where(s => s.Due <= _now)) _bus.Add(message);
        _scheduled.RemoveAll(s => s.Due <= _now);
    }

    void Ask(HostName host)
    {
        var pool = _pool.Pool;
        IPoolMessage? request = _random.Next(12) switch
        {
            < 3 when pool.Halt is not null => new AcknowledgeHalt(NewId(), Tank, "anna", "seen"),
            < 5 when !Powered(host) => new ConfirmFencing(NewId(), Tank, host, "anna", "it is off"),
            5 when pool.Move is { } move => new CallOffMove(NewId(), Tank, move.Id, "anna", "no"),
            6 when _disks.Multihost => new SetPoolPolicy(NewId(), Tank, new(Chance(50), Chance(70) ? FencingMethod.MmpAlone : FencingMethod.Manual, Names), "anna"),
            // She looks at who had the pool and goes to see that this host is off, before she says so.
            < 10 when pool.LastHolder() is { } from && !Powered(from) && Chance(50) => new FailoverPool(NewId(), Tank, "anna", host, null, from, $"{from} is off"),
            < 10 => new FailoverPool(NewId(), Tank, "anna", host),
            _ => new SwitchoverPool(NewId(), Tank, host, "anna"),
        };
        if (request is not null) _bus.Add(request);
    }

    bool Powered(HostName host) => _hosts.Single(h => h.Name == host).Powered;

    /// <summary>
    /// Fate lets go: everything starts, every message arrives, every child ends, every halt is acknowledged. Then the pool must
    /// not be stuck: any host may be asked to take it.
    /// </summary>
    void Calm()
    {
        Journal.Note("---- calm");
        for (var round = 0; round < 400; round++)
        {
            _now += TimeSpan.FromSeconds(3);
            foreach (var host in _hosts)
            {
                host.Connected = true;
                if (host.Suspended) host.PowerOff();
                if (!host.InSession) Open(host);
                if (host.Child is not null) host.EndChild(_disks, _hosts.Exists(h => h != host && h.Writes), fails: false, _now);
                if (host is { Doing: not null, Child: null }) host.Begin(_disks, _now);
                if (host.Doing is null && host.Orders.Count > 0) Take(host);
                host.Watch(_disks, _now);
                while (host.Spool.Count > 0) Flush(host);
                CheckHolders();
            }

            while (_bus.Count > 0) Handle();
            if (_pool.Pool.Halt is not null) _bus.Add(new AcknowledgeHalt(NewId(), Tank, "anna", "seen"));
            if (_pool.Pool.RunningMove()?.Step() is { Step: MoveStep.Fence }) _bus.Add(new CallOffMove(NewId(), Tank, _pool.Pool.Move!.Id, "anna", "all are back"));
            // The way out of an import that nobody reported the end of: to import there once more.
            if (_pool.Pool is { Halt: null, OutstandingImport.Host: var there } && _pool.Pool.RunningMove() is null && _pool.Pool.Holders().All(h => h != there))
                _bus.Add(new SwitchoverPool(NewId(), Tank, there, "anna"));
            if (_bus.Count == 0 && _pool.Pool.RunningMove() is null && _hosts.TrueForAll(h => h is { Child: null, Doing: null, Orders.Count: 0, Spool.Count: 0 })) break;
        }

        if (_pool.Pool.RunningMove() is { } move) throw new FindingException($"every move ends once all hosts are well; {move.Kind} {move.Step()?.Step} does not");
        CheckSeen();
        CheckFree();
    }

    /// <summary>Every live host may be asked to take the pool.</summary>
    void CheckFree()
    {
        foreach (var to in Names.Where(n => n != _pool.Pool.Holder()))
        {
            var decision = new SwitchoverPool(NewId(), Tank, to, "anna").Decide(_pool.Pool, _cluster.Context("free", _now));
            if (decision.Events.Select(e => e.Event).OfType<SwitchoverRefused>().FirstOrDefault() is { } refused)
                throw new FindingException($"when all is calm no switchover is refused; {refused.Reason} is");
        }
    }

    /// <summary>What the stream believes is so.</summary>
    void CheckSeen()
    {
        var held = _hosts.Where(h => h.Writes).Select(h => h.Name).ToList();
        if (!_pool.Pool.Holders().SequenceEqual(held)) throw new FindingException("when all is calm the pool is believed to be where it is");
        if (_pool.Pool.Conflict.Count > 0) throw new FindingException("when all is calm no conflict is believed that never was");
    }

    void Note(ModelHost host, string what) => Journal.Note($"          {host} {what}");

    RequestId NewId() => new($"q{++_requests}");

    bool Chance(int percent) => _random.Next(100) < percent;
}
