using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests.Exploring;

/// <summary>The disks that all hosts share: one pool's label, and no multihost protection unless the pool has it.</summary>
public sealed class ModelDisks(bool multihost)
{
    public bool Multihost { get; } = multihost;

    public LabelState State { get; set; } = LabelState.Exported;

    public ZfsHostId HostId { get; set; }

    public PoolLabel Label => new(State, "tank", HostId, "somewhere", Txg: 1, Multihost, LeavesRead: 2, LeavesAsked: 2);
}

/// <summary>
/// A <c>zpool</c> at work. It looks at the label when it starts and acts when it ends, up to 40 s later, as ZFS does during an
/// activity check; it outlives the agent that started it, and it has the host lock.
/// </summary>
public sealed record Child(IOrder Order, bool Import, bool WillAct);

/// <summary>A storage host that keeps to the protocol in every respect, and to which anything may happen.</summary>
public sealed class ModelHost(HostName name, Cluster cluster)
{
    long _sequence;
    PoolSight? _reported;

    public HostName Name { get; } = name;

    public bool Powered { get; private set; } = true;

    public bool Connected { get; set; } = true;

    public bool AgentUp { get; private set; } = true;

    public bool Imported { get; set; }

    /// <summary>I/O has failed; nothing reaches the disks any more, and only a reboot ends it.</summary>
    public bool Suspended { get; set; }

    public Child? Child { get; private set; }

    /// <summary>The order the agent is at.</summary>
    public IOrder? Doing { get; private set; }

    /// <summary>Orders that wait on this host's queue, first in, first out. One that was taken stays until its report is on the bus.</summary>
    public List<(IOrder Order, bool Taken)> Orders { get; } = [];

    /// <summary>Reports on the host's disk that have not reached the bus, each with the order it completes.</summary>
    public List<(HostReport Report, OrderId? Completes)> Spool { get; } = [];

    /// <summary>The highest epoch obeyed: on disk, so that it outlives everything.</summary>
    public Epoch Obeyed { get; private set; }

    SessionId Session { get; set; } = cluster[name].Session;

    BootId Boot { get; set; } = cluster[name].Boot;

    public bool Writes => Powered && Imported && !Suspended;

    /// <summary>Alive in every sense: it renews its lease.</summary>
    public bool Renews => Powered && Connected && AgentUp;

    public bool InSession => Renews && cluster[Name].Alive && cluster[Name].Session == Session;

    PoolSight Sight(ModelDisks disks) => !Imported ? PoolSight.Absent
        : new(PoolPresence.ReadWrite, Suspended ? PoolHealth.Suspended : PoolHealth.Online, disks.Multihost, Sights.Leaves);

    public void PowerOff() => (Powered, AgentUp, Imported, Suspended, Child, Doing, _reported) = (false, false, false, false, null, null, null);

    public void CrashAgent() => (AgentUp, Doing) = (false, null);

    /// <summary>Boots if it was off, starts the agent if it was down, and opens a session in any case.</summary>
    public HostReconnected OpenSession(ModelDisks disks, DateTimeOffset now)
    {
        var standing = Powered ? cluster.Restart(Name) : cluster.Reboot(Name);
        if (!Powered) _sequence = 0;
        (Powered, AgentUp, Session, Boot) = (true, true, standing.Session, standing.Boot);
        _reported = Sight(disks);
        var obeyed = Obeyed > Epoch.None ? new ObeyedEpoch(Cluster.ThisHistory, Obeyed) : null;
        return new(Spec.Tank, Spec.TankName, Name, Session, Boot, ++_sequence, now, _reported, obeyed);
    }

    /// <summary>The watcher: reports what it has not reported yet.</summary>
    public void Watch(ModelDisks disks, DateTimeOffset now)
    {
        var sight = Sight(disks);
        if (_reported is not null && sight.SameAs(_reported)) return;
        _reported = sight;
        Say(null, null, new HostFact.Observed(++_sequence, now, sight));
    }

    /// <summary>Takes the first order and checks it as every agent does, before it waits for the lock: session, epoch, not-after.</summary>
    public void Take(DateTimeOffset now)
    {
        var order = Orders[0].Order;
        Orders[0] = (order, Taken: true);
        if (!Refuses(order.Header, now)) Doing = order;
    }

    bool Refuses(OrderHeader header, DateTimeOffset now)
    {
        OrderRefusal? refusal = header.Session != Session ? OrderRefusal.StaleSession
            : header.Epoch < Obeyed ? OrderRefusal.StaleEpoch
            : now > header.NotAfter ? OrderRefusal.Expired
            : null;
        if (refusal is { } reason) Say(header.Id, header.Id, new HostFact.OrderRefused(++_sequence, now, reason, ""));
        return refusal is not null;
    }

    /// <summary>The lock was not to be had: a child of an earlier agent has it.</summary>
    public void GiveUpOnLock(DateTimeOffset now)
    {
        var id = Doing!.Header.Id;
        Doing = null;
        Say(id, id, new HostFact.LockTimedOut(++_sequence, now, "order", 30, "an orphan"));
    }

    /// <summary>Goes on with the order under the lock: checks it once more, then the epoch goes to disk; starts the command, or reports what needs none.</summary>
    public void Begin(ModelDisks disks, DateTimeOffset now)
    {
        var id = Doing!.Header.Id;
        if (Refuses(Doing.Header, now))
        {
            Doing = null;
            return;
        }

        Obeyed = Doing.Header.Epoch;
        switch (Doing)
        {
            case ReadLabels:
                Doing = null;
                Say(id, id, new HostFact.LabelsRead(++_sequence, now, disks.Label, "", 0.1));
                break;
            case ExportPool when !Imported:
                End(disks, now, null, ZpoolFailure.None);
                break;
            case ExportPool:
                Child = new(Doing, Import: false, WillAct: !Suspended);
                break;
            case ImportPool when Imported:
                End(disks, now, null, ZpoolFailure.None);
                break;
            case ImportPool import:
                BeginImport(import, disks, now);
                break;
        }
    }

    void BeginImport(ImportPool import, ModelDisks disks, DateTimeOffset now)
    {
        var force = false;
        if (import.Force is { } proof && disks.State is LabelState.Active)
        {
            var failure = disks.HostId != proof.LastHolder ? ZpoolFailure.ActiveElsewhere
                : proof.RestsOnMmp() && !disks.Multihost ? ZpoolFailure.MmpNotOnDisk
                : ZpoolFailure.None;
            if (failure is not ZpoolFailure.None)
            {
                End(disks, now, null, failure);
                return;
            }

            force = true;
        }

        var mine = disks.State is LabelState.Exported || disks.HostId == Cluster.HostIdOf(Name);
        Child = new(import, Import: true, WillAct: force || mine);
    }

    /// <summary>The command ends, and with it, if the agent still waits for it, the order.</summary>
    public void EndChild(ModelDisks disks, bool othersWrite, bool fails, DateTimeOffset now)
    {
        var child = Child!;
        Child = null;
        var failure = fails ? ZpoolFailure.Busy
            : child is { Import: true, WillAct: false } ? ZpoolFailure.ForceRequired
            : child is { Import: true } && disks.Multihost && othersWrite ? ZpoolFailure.ActiveElsewhere
            : child is { WillAct: false } ? ZpoolFailure.Suspended
            : ZpoolFailure.None;
        if (failure is ZpoolFailure.None)
        {
            Imported = child.Import;
            disks.State = child.Import ? LabelState.Active : LabelState.Exported;
            disks.HostId = Cluster.HostIdOf(Name);
        }

        if (AgentUp && Doing == child.Order) End(disks, now, new(["zpool"], 0, failure, "", 1, Ended: true), failure);
    }

    /// <summary>The agent stops waiting for a command that cannot be killed.</summary>
    public void StopWaiting(ModelDisks disks, DateTimeOffset now) =>
        End(disks, now, new(["zpool"], null, ZpoolFailure.TimedOut, "", 60, Ended: false), ZpoolFailure.TimedOut);

    void End(ModelDisks disks, DateTimeOffset now, ZpoolRun? run, ZpoolFailure failure)
    {
        var order = Doing!;
        Doing = null;
        _reported = Sight(disks);
        Say(order.Header.Id, order.Header.Id, order is ImportPool
            ? new HostFact.ImportEnded(++_sequence, now, run, _reported, failure, 1)
            : new HostFact.ExportEnded(++_sequence, now, run, _reported, failure, 1));
    }

    void Say(OrderId? order, OrderId? completes, HostFact fact) =>
        Spool.Add((new(Spec.Tank, Spec.TankName, Name, Boot, order, Actors.Agent, [fact]), completes));

    public override string ToString() =>
        $"{Name}[{(Powered ? "" : "off ")}{(AgentUp ? "" : "no agent ")}{(Connected ? "" : "cut off ")}{(Imported ? "IMPORTED " : "")}{(Suspended ? "suspended " : "")}{Child?.Order.Header.Id}]";
}
