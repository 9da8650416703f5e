using System.Text.Json.Serialization;

namespace ZfsHaEvents.Domain.Pools;

/// <summary>
/// What can happen to a pool: the vocabulary of its stream, closed. The stored names are frozen; a changed shape is a new name.
/// Who, when and where stands in the event's <see cref="Stamp"/>.
/// </summary>
public abstract record PoolEvent;

/// <summary>What a host saw or did, by itself or on an order.</summary>
public interface IHostDeed
{
    HostName Host { get; }

    /// <summary>The order behind it; null for what nobody ordered.</summary>
    OrderId? Order { get; }
}

// ---- what hosts saw and did ------------------------------------------------------------------------------------------

/// <summary>The first that was ever heard of the pool.</summary>
public sealed record PoolDiscovered(PoolGuid Pool, PoolName? Name, HostName Host) : PoolEvent;

/// <summary>The pool goes by another name now (<c>zpool import OLD NEW</c>).</summary>
public sealed record PoolRenamed(PoolName? From, PoolName To) : PoolEvent;

/// <summary>A host read the pool's labels; null when no leaf carried one.</summary>
public sealed record PoolScanned(HostName Host, OrderId? Order, PoolLabel? Label, string Detail, double ZpoolSeconds) : PoolEvent, IHostDeed;

/// <summary>A host watched the pool's disks, reading only: whether somebody writes to them. It permits nothing by itself.</summary>
/// <param name="WatchedSeconds">Between the first reading of all leaves and the last.</param>
/// <param name="Reason">What the verdict rests on.</param>
public sealed record DisksWatched(HostName Host, OrderId? Order, DiskActivity Activity, double WatchedSeconds, IReadOnlyList<WatchedLeaf> Leaves, string Reason) : PoolEvent, IHostDeed;

/// <summary>A host's own lock around the pool was taken.</summary>
public sealed record PoolLockAcquired(HostName Host, OrderId? Order, string Purpose, double WaitedSeconds) : PoolEvent, IHostDeed;

/// <summary>The host lock was given back.</summary>
public sealed record PoolLockReleased(HostName Host, OrderId? Order, string Purpose, double HeldSeconds) : PoolEvent, IHostDeed;

/// <summary>The host lock was not to be had in time.</summary>
public sealed record PoolLockTimedOut(HostName Host, OrderId? Order, string Purpose, double WaitedSeconds, string Holder) : PoolEvent, IHostDeed;

/// <summary>A lock's holder had died without releasing it; the kernel had freed it.</summary>
public sealed record PoolLockBroken(HostName Host, OrderId? Order, string PreviousHolder, string Evidence) : PoolEvent, IHostDeed;

/// <summary>An import is about to run: intent before effect.</summary>
public sealed record ImportStarted(HostName Host, OrderId? Order, IReadOnlyList<string> Arguments, string? Reason) : PoolEvent, IHostDeed;

/// <summary>The pool was seen imported read-write on the host after the attempt. <paramref name="Run"/> is null when it was so already.</summary>
public sealed record ImportSucceeded(HostName Host, OrderId? Order, ZpoolRun? Run, PoolSight Sight, double ZpoolSeconds) : PoolEvent, IHostDeed;

/// <summary>ZFS looked and said no.</summary>
public sealed record ImportRefused(HostName Host, OrderId? Order, ZpoolFailure Failure, ZpoolRun? Run, PoolSight Sight, double ZpoolSeconds) : PoolEvent, IHostDeed;

/// <summary>The import did not come about for another reason, or nobody can tell yet.</summary>
public sealed record ImportFailed(HostName Host, OrderId? Order, ZpoolFailure Failure, ZpoolRun? Run, PoolSight Sight, double ZpoolSeconds) : PoolEvent, IHostDeed;

/// <summary>An export is about to run: intent before effect.</summary>
public sealed record ExportStarted(HostName Host, OrderId? Order, IReadOnlyList<string> Arguments, string? Reason) : PoolEvent, IHostDeed;

/// <summary>The pool was seen absent from the host after the attempt. <paramref name="Run"/> is null when it was so already.</summary>
public sealed record ExportSucceeded(HostName Host, OrderId? Order, ZpoolRun? Run, PoolSight Sight, double ZpoolSeconds) : PoolEvent, IHostDeed;

/// <summary>ZFS looked and said no: busy, suspended.</summary>
public sealed record ExportRefused(HostName Host, OrderId? Order, ZpoolFailure Failure, ZpoolRun? Run, PoolSight Sight, double ZpoolSeconds) : PoolEvent, IHostDeed;

/// <summary>The export did not come about for another reason, or nobody can tell yet.</summary>
public sealed record ExportFailed(HostName Host, OrderId? Order, ZpoolFailure Failure, ZpoolRun? Run, PoolSight Sight, double ZpoolSeconds) : PoolEvent, IHostDeed;

/// <summary>A host sees the pool differently from what it reported last.</summary>
public sealed record PoolObserved(HostName Host, PoolSight Sight) : PoolEvent;

/// <summary>The pool's state on a host that has it imported changed.</summary>
public sealed record PoolHealthChanged(HostName Host, PoolHealth From, PoolHealth To) : PoolEvent;

/// <summary>A host did not carry out an order, or what a person typed there; nothing was run.</summary>
public sealed record OrderRefused(HostName Host, OrderId? Order, Hosts.OrderRefusal Reason, string Detail) : PoolEvent, IHostDeed;

/// <summary>An order was issued again because its host opened a new session.</summary>
public sealed record OrderReissued(OrderId Order, OrderId Previous, HostName Host, SessionId Session, BootId Boot, string Reason) : PoolEvent;

/// <summary>
/// An import that was ordered has had no effect and can have none any more, although no report on the order came: no other
/// host is held up by it from here on.
/// </summary>
/// <param name="Evidence">What shows it.</param>
public sealed record ImportRuledOut(HostName Host, OrderId Order, string Evidence) : PoolEvent;

// ---- ownership -------------------------------------------------------------------------------------------------------

/// <summary>What a claim rests on.</summary>
[JsonConverter(typeof(NameConverter<ClaimBasis>))]
public enum ClaimBasis
{
    /// <summary>The pool was first seen there.</summary>
    Discovered,

    /// <summary>It was imported there by hand, and every other host has shown that it does not hold it.</summary>
    Observed,

    /// <summary>A switchover put it there.</summary>
    Switchover,

    /// <summary>A takeover put it there.</summary>
    Takeover,

    /// <summary>A switchover failed on the target, and the pool goes back to where it was.</summary>
    PutBack,
}

/// <summary>From now on this host may hold the pool.</summary>
public sealed record OwnershipClaimed(HostName Host, Epoch Epoch, ClaimBasis Basis) : PoolEvent;

/// <summary>The host's claim ended.</summary>
public sealed record OwnershipReleased(HostName Host, Epoch Epoch) : PoolEvent;

/// <summary>Why it is not certain who holds the pool.</summary>
[JsonConverter(typeof(NameConverter<Doubt>))]
public enum Doubt
{
    /// <summary>The lease of a host that held the pool was lost.</summary>
    HostLost,

    /// <summary>The pool was taken over from a host that has not reported since.</summary>
    TakenOver,

    /// <summary>ZFS saw somebody write to the disks of a host that was taken for silent, or that somebody had vouched for.</summary>
    StillActive,
}

/// <summary>Nothing that needs certainty runs until every one of these hosts has reported, or is fenced.</summary>
public sealed record OwnershipUnverified(Doubt Reason, IReadOnlyList<HostName> Awaited) : PoolEvent;

/// <summary>Every host whose word was missing has reported since.</summary>
public sealed record OwnershipVerified(HostName? Holder, Epoch Epoch) : PoolEvent;

/// <summary>Why what was seen and what was decided disagree.</summary>
[JsonConverter(typeof(NameConverter<Dispute>))]
public enum Dispute
{
    /// <summary>A host has the pool imported read-write, and neither an order nor a recorded command put it there.</summary>
    ImportNotOrdered,

    /// <summary>A host came back with a suspended copy of a pool that another host holds.</summary>
    SuspendedCopy,
}

/// <summary>What was seen disagrees with what was decided.</summary>
public sealed record OwnershipDisputed(HostName Host, HostName? Claimant, Epoch Epoch, Dispute Reason, IReadOnlyList<EventId> Evidence) : PoolEvent;

/// <summary>Several hosts have the pool imported read-write at once. <paramref name="Evidence"/>: one observation of each, in the order of the hosts.</summary>
public sealed record ConflictDetected(IReadOnlyList<HostName> Hosts, IReadOnlyList<EventId> Evidence) : PoolEvent;

/// <summary>At most one host has the pool imported read-write again. What they wrote meanwhile is another matter.</summary>
public sealed record ConflictCleared(HostName? Holder) : PoolEvent;

// ---- people ----------------------------------------------------------------------------------------------------------

/// <summary>How the pool is failed over from now on.</summary>
public sealed record PolicySet(RequestId Request, PoolPolicy Policy, string By) : PoolEvent;

/// <summary>A person wants a move called off; that it was aborted stands beside this.</summary>
public sealed record CallOffRequested(RequestId Request, RequestId Move, string By, string Reason) : PoolEvent;

/// <summary>A person vouches that the host cannot write to this pool's disks.</summary>
public sealed record FencingConfirmed(RequestId Request, HostName Host, string By, string Statement) : PoolEvent;

/// <summary>A confirmation, acknowledgement or other request that is neither a switchover nor a failover was refused.</summary>
public sealed record RequestRefused(RequestId Request, string Kind, Refusal Reason, string Detail, string By) : PoolEvent;

/// <summary>Why a pool takes no orders although no move of it halted.</summary>
[JsonConverter(typeof(NameConverter<HaltCause>))]
public enum HaltCause
{
    /// <summary>A host has obeyed a higher epoch than we ever gave out: our history is not the newest.</summary>
    EpochAhead,

    /// <summary>A host has obeyed orders of another history: the database was restored or replaced.</summary>
    ForeignIncarnation,
}

/// <summary>The pool takes no orders until a person acknowledges it.</summary>
public sealed record PoolHalted(HaltCause Cause, HostName Host, Incarnation ReportedIncarnation, Epoch Reported, Epoch Ours) : PoolEvent;

/// <summary>A person has looked at the halt; the pool takes requests again, from <paramref name="Epoch"/> on.</summary>
public sealed record HaltAcknowledged(RequestId Request, string By, string Comment, Epoch Epoch) : PoolEvent;

/// <summary>A person has seen the alert.</summary>
public sealed record AlertAcknowledged(RequestId Request, string Alert, string By, string Comment) : PoolEvent;

/// <summary>An event of a stored type that this version does not know. Never stored; it is what such an event is read as.</summary>
public sealed record UnknownEvent(string StoredType) : PoolEvent;
