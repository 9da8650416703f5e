using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests;

/// <summary>The messages of the stories, and the openings most of them share.</summary>
public abstract partial class Spec
{
    long _sequence;
    int _requests;

    /// <summary>One counter for all hosts: a fact made later in a story is a later fact, unless the story says otherwise.</summary>
    protected long NextSequence() => ++_sequence;

    protected RequestId NewId() => new($"r{++_requests}");

    protected static PoolReference TheTank => new(Tank.ToString());

    // ---- requests ----------------------------------------------------------------------------------------------------

    protected SwitchoverPool Switchover(HostName to, string? id = null) => new(id is null ? NewId() : new(id), TheTank, to, "anna", "maintenance");

    /// <param name="fencing">Her word that A, or the host named, cannot write.</param>
    protected FailoverPool Failover(HostName? to, string? fencing = null, string? id = null, HostName? fenced = null) =>
        new(id is null ? NewId() : new(id), TheTank, "anna", to, "host is down", fencing is null ? null : fenced ?? A, fencing);

    protected ConfirmFencing Confirm(HostName host) => new(NewId(), TheTank, host, "anna", "powered off at the PDU, ticket 17");

    protected CallOffMove CallOff(RequestId move) => new(NewId(), TheTank, move, "anna", "not needed any more");

    protected AcknowledgeHalt Acknowledge() => new(NewId(), TheTank, "anna", "looked at both hosts");

    protected SetPoolPolicy Policy(bool automatic = false, FencingMethod fencing = FencingMethod.Manual, params HostName[] targets) =>
        new(NewId(), TheTank, new(automatic, fencing, targets), "anna");

    // ---- reports -----------------------------------------------------------------------------------------------------

    protected HostReport Report(HostName host, OrderId? order, params IReadOnlyList<HostFact> facts) =>
        new(Tank, TankName, host, Cluster[host].Boot, order, order is null ? "root" : Actors.Agent, facts);

    protected HostReport Report(HostName host, PoolSight sight) => Report(host, null, Observed(sight));

    protected HostFact Observed(PoolSight sight) => new HostFact.Observed(NextSequence(), Now, sight);

    protected HostFact ImportStarted() => new HostFact.ImportStarted(NextSequence(), Now, ["zpool", "import", "9001"], Reason: null);

    protected HostFact ImportEnded(PoolSight sight, ZpoolFailure failure = ZpoolFailure.None, bool ended = true, bool ran = true) =>
        new HostFact.ImportEnded(NextSequence(), Now, ran ? Run(failure, ended) : null, sight, failure, ZpoolSeconds: 1);

    protected HostFact ExportEnded(PoolSight sight, ZpoolFailure failure = ZpoolFailure.None, bool ended = true, bool ran = true) =>
        new HostFact.ExportEnded(NextSequence(), Now, ran ? Run(failure, ended) : null, sight, failure, ZpoolSeconds: 1);

    protected HostFact LabelsRead(PoolLabel? label) => new HostFact.LabelsRead(NextSequence(), Now, label, label is null ? "no label on any leaf" : "", ZpoolSeconds: 1);

    protected HostFact Refused(OrderRefusal reason) => new HostFact.OrderRefused(NextSequence(), Now, reason, "says the host");

    protected HostFact LockTimedOut() => new HostFact.LockTimedOut(NextSequence(), Now, "import", WaitedSeconds: 30, "pid 4711");

    static ZpoolRun Run(ZpoolFailure failure, bool ended) =>
        new(["zpool", "import", "9001"], ended ? (failure is ZpoolFailure.None ? 0 : 1) : null, failure, failure is ZpoolFailure.None ? "" : $"cannot: {failure}", 1, ended);

    /// <summary>The session that the host has opened by now reaches the pool.</summary>
    protected HostReconnected Reconnected(HostName host, PoolSight sight, ObeyedEpoch? obeyed = null)
    {
        var standing = Cluster[host];
        return new(Tank, TankName, host, standing.Session, standing.Boot, NextSequence(), Now, sight, obeyed);
    }

    /// <summary>The host's lease was lost in its present session.</summary>
    protected HostLost Lost(HostName host)
    {
        Cluster.Lose(host);
        return new(Tank, host, Cluster[host].Session);
    }

    // ---- openings ----------------------------------------------------------------------------------------------------

    /// <summary>The pool was discovered on the host, which has the claim; the others have said that they do not have it.</summary>
    protected static IEnumerable<Past> HeldBy(HostName holder, PoolSight? sight = null) =>
    [
        new PoolDiscovered(Tank, TankName, holder),
        new PoolObserved(holder, sight ?? Sights.Held),
        new OwnershipClaimed(holder, new(1), ClaimBasis.Discovered),
        .. new[] { A, B, C }.Where(h => h != holder).Select(h => new Past(new PoolObserved(h, Sights.Absent))),
    ];

    /// <summary>A switchover from A to B, until A was told to export.</summary>
    protected ExportPool ExportingOnA(PoolSight? sight = null)
    {
        Given(HeldBy(A, sight)).When(Switchover(B));
        return OrderTo<ExportPool>(A);
    }

    /// <summary>A switchover from A to B, until B was told to import.</summary>
    protected ImportPool ImportingOnB(PoolSight? sight = null)
    {
        var export = ExportingOnA(sight);
        When(Report(A, export.Header.Id, ExportEnded(Sights.Absent)));
        return OrderTo<ImportPool>(B);
    }

    /// <summary>A switchover from A to B that failed on B, until A was told to import again.</summary>
    protected ImportPool PuttingBackOnA()
    {
        var import = ImportingOnB();
        When(Report(B, import.Header.Id, ImportEnded(Sights.Absent, ZpoolFailure.DevicesMissing)));
        return OrderTo<ImportPool>(A);
    }

    /// <summary>A was lost, and a failover to B waits for somebody to confirm that A is fenced.</summary>
    protected RequestId WaitingForFencingOfA(PoolSight? sight = null)
    {
        Given(HeldBy(A, sight)).When(Lost(A)).When(Failover(B));
        return Pool.RunningMove()!.Id;
    }

    /// <summary>A was lost and fenced, and B was told to read the labels.</summary>
    protected ReadLabels ReadingLabelsOnB(PoolSight? sight = null)
    {
        WaitingForFencingOfA(sight);
        When(Confirm(A));
        return OrderTo<ReadLabels>(B);
    }

    /// <summary>A was lost, the policy permits MMP alone, and B was told to read the labels.</summary>
    protected ReadLabels ReadingLabelsOnBByMmp()
    {
        Given(HeldBy(A)).When(Policy(fencing: FencingMethod.MmpAlone)).When(Lost(A)).When(Failover(B));
        return OrderTo<ReadLabels>(B);
    }

    /// <summary>A was lost and fenced, and B was told to import with force.</summary>
    protected ImportPool TakingOverOnB(PoolSight? sight = null)
    {
        var read = ReadingLabelsOnB(sight);
        When(Report(B, read.Header.Id, LabelsRead(Sights.Label(LabelState.Active, A))));
        return OrderTo<ImportPool>(B);
    }
}
