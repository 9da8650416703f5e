using System.Text.Json.Serialization;

namespace ZfsHaEvents.Domain.Pools;

/// <summary>The two ways a pool gets from one host to another.</summary>
[JsonConverter(typeof(NameConverter<MoveKind>))]
public enum MoveKind
{
    /// <summary>Planned: exported by the holder, then imported by the target.</summary>
    Switchover,

    /// <summary>Unplanned: the holder does not answer; fence, then take over.</summary>
    Failover,
}

/// <summary>The steps a move consists of, in no particular order; which come and when is decided as it goes.</summary>
[JsonConverter(typeof(NameConverter<MoveStep>))]
public enum MoveStep
{
    /// <summary>Make sure that the lost holder cannot write. Waits for a person when the method is manual.</summary>
    Fence,

    /// <summary>The target reads labels and uberblocks, to know whether force is needed and permitted.</summary>
    ReadLabels,

    /// <summary>The holder exports.</summary>
    Export,

    /// <summary>The target imports.</summary>
    Import,

    /// <summary>The former holder imports again, because the target could not.</summary>
    PutBack,
}

/// <summary>Why a move ended without bringing the pool to its target.</summary>
[JsonConverter(typeof(NameConverter<MoveEnd>))]
public enum MoveEnd
{
    /// <summary>The holder could not export; the pool stayed where it was.</summary>
    ExportRefused,

    /// <summary>The target could not import; the pool was put back.</summary>
    ImportRefused,

    /// <summary>Somebody writes to the disks: the holder that does not answer is alive.</summary>
    HolderStillActive,

    /// <summary>The lost holder came back with the pool before the target was told to import.</summary>
    HolderReturned,

    /// <summary>A person called it off.</summary>
    CalledOff,

    /// <summary>It is not known whether the export happened, or still will.</summary>
    ExportUnknown,

    /// <summary>It is not known whether the import happened, or still will.</summary>
    ImportUnknown,

    /// <summary>It was imported where it should be, and its I/O is suspended there.</summary>
    PoolSuspended,

    /// <summary>The takeover failed on the target, and there is nowhere to put the pool back to.</summary>
    TakeoverFailed,

    /// <summary>The former holder could not import it again either: nobody holds the pool.</summary>
    PutBackFailed,

    /// <summary>The holder was lost in mid-move.</summary>
    SourceLost,

    /// <summary>The target was lost in mid-move.</summary>
    TargetLost,

    /// <summary>No report came within the time an order may take.</summary>
    StepOverdue,

    /// <summary>The order was issued as often as it may be, each time for another session of its host, and none reported on it.</summary>
    ReissuedTooOften,

    /// <summary>The labels could not be read, or show another pool's history.</summary>
    LabelsUnreadable,

    /// <summary>The label names neither the lost holder nor the target: a third host has the pool.</summary>
    HeldByThirdHost,

    /// <summary>Force would be needed, and neither fencing evidence nor MMP on the disks permits it.</summary>
    ForceNotPermitted,

    /// <summary>A host would not carry out the order.</summary>
    OrderRefused,

    /// <summary>Between two steps the pool was seen imported where the move did not put it.</summary>
    HeldElsewhere,
}

/// <summary>An event of a switchover or failover, which is known by the id of the request that asked for it.</summary>
public abstract record MoveEvent(RequestId Id) : PoolEvent;

/// <summary>Somebody asked for it.</summary>
public abstract record MoveRequested(RequestId Id, HostName? To, string RequestedBy, string? Reason) : MoveEvent(Id);

/// <summary>It was not begun.</summary>
public abstract record MoveRefused(RequestId Id, Refusal Reason, string Detail) : MoveEvent(Id);

/// <summary>It is under way. <paramref name="From"/> is null when no host held the pool.</summary>
public abstract record MoveStarted(RequestId Id, HostName? From, HostName To, Epoch Epoch) : MoveEvent(Id);

/// <summary>A step was begun: an order was issued, or a person is waited for, and then there is no host and no order.</summary>
/// <param name="Session">The session the order is for.</param>
/// <param name="Boot">The boot the order is for: nothing it began outlives that.</param>
public abstract record MoveStepStarted(RequestId Id, MoveStep Step, HostName? Host, OrderId? Order, SessionId? Session, BootId? Boot) : MoveEvent(Id);

/// <summary>A step did what it was for.</summary>
/// <param name="Seconds">From the step's start to this, by the database's clock.</param>
/// <param name="ZpoolSeconds">Of it, inside external commands on the host.</param>
public abstract record MoveStepDone(RequestId Id, MoveStep Step, double Seconds, double ZpoolSeconds, string Detail) : MoveEvent(Id);

/// <summary>A step did not do what it was for.</summary>
public abstract record MoveStepFailed(RequestId Id, MoveStep Step, double Seconds, double ZpoolSeconds, ZpoolFailure Failure, string Detail) : MoveEvent(Id);

/// <summary>The target holds the pool, as seen there.</summary>
public abstract record MoveCompleted(RequestId Id, HostName Holder, Epoch Epoch, double Seconds) : MoveEvent(Id);

/// <summary>It ended in good order without moving the pool.</summary>
public abstract record MoveAborted(RequestId Id, MoveEnd Reason, string Detail, HostName? Holder, double Seconds) : MoveEvent(Id);

/// <summary>It stopped and needs a person.</summary>
public abstract record MoveHalted(RequestId Id, MoveEnd Reason, string Detail, double Seconds) : MoveEvent(Id);

/// <inheritdoc cref="MoveRequested"/>
public sealed record SwitchoverRequested(RequestId Id, HostName? To, string RequestedBy, string? Reason) : MoveRequested(Id, To, RequestedBy, Reason);

/// <inheritdoc cref="MoveRefused"/>
public sealed record SwitchoverRefused(RequestId Id, Refusal Reason, string Detail) : MoveRefused(Id, Reason, Detail);

/// <inheritdoc cref="MoveStarted"/>
public sealed record SwitchoverStarted(RequestId Id, HostName? From, HostName To, Epoch Epoch) : MoveStarted(Id, From, To, Epoch);

/// <inheritdoc cref="MoveStepStarted"/>
public sealed record SwitchoverStepStarted(RequestId Id, MoveStep Step, HostName? Host, OrderId? Order, SessionId? Session, BootId? Boot)
    : MoveStepStarted(Id, Step, Host, Order, Session, Boot);

/// <inheritdoc cref="MoveStepDone"/>
public sealed record SwitchoverStepDone(RequestId Id, MoveStep Step, double Seconds, double ZpoolSeconds, string Detail)
    : MoveStepDone(Id, Step, Seconds, ZpoolSeconds, Detail);

/// <inheritdoc cref="MoveStepFailed"/>
public sealed record SwitchoverStepFailed(RequestId Id, MoveStep Step, double Seconds, double ZpoolSeconds, ZpoolFailure Failure, string Detail)
    : MoveStepFailed(Id, Step, Seconds, ZpoolSeconds, Failure, Detail);

/// <inheritdoc cref="MoveCompleted"/>
public sealed record SwitchoverCompleted(RequestId Id, HostName Holder, Epoch Epoch, double Seconds) : MoveCompleted(Id, Holder, Epoch, Seconds);

/// <inheritdoc cref="MoveAborted"/>
public sealed record SwitchoverAborted(RequestId Id, MoveEnd Reason, string Detail, HostName? Holder, double Seconds)
    : MoveAborted(Id, Reason, Detail, Holder, Seconds);

/// <inheritdoc cref="MoveHalted"/>
public sealed record SwitchoverHalted(RequestId Id, MoveEnd Reason, string Detail, double Seconds) : MoveHalted(Id, Reason, Detail, Seconds);

/// <inheritdoc cref="MoveRequested"/>
public sealed record FailoverRequested(RequestId Id, HostName? To, string RequestedBy, string? Reason) : MoveRequested(Id, To, RequestedBy, Reason);

/// <inheritdoc cref="MoveRefused"/>
public sealed record FailoverRefused(RequestId Id, Refusal Reason, string Detail) : MoveRefused(Id, Reason, Detail);

/// <inheritdoc cref="MoveStarted"/>
public sealed record FailoverStarted(RequestId Id, HostName? From, HostName To, Epoch Epoch) : MoveStarted(Id, From, To, Epoch);

/// <inheritdoc cref="MoveStepStarted"/>
public sealed record FailoverStepStarted(RequestId Id, MoveStep Step, HostName? Host, OrderId? Order, SessionId? Session, BootId? Boot)
    : MoveStepStarted(Id, Step, Host, Order, Session, Boot);

/// <inheritdoc cref="MoveStepDone"/>
public sealed record FailoverStepDone(RequestId Id, MoveStep Step, double Seconds, double ZpoolSeconds, string Detail)
    : MoveStepDone(Id, Step, Seconds, ZpoolSeconds, Detail);

/// <inheritdoc cref="MoveStepFailed"/>
public sealed record FailoverStepFailed(RequestId Id, MoveStep Step, double Seconds, double ZpoolSeconds, ZpoolFailure Failure, string Detail)
    : MoveStepFailed(Id, Step, Seconds, ZpoolSeconds, Failure, Detail);

/// <inheritdoc cref="MoveCompleted"/>
public sealed record FailoverCompleted(RequestId Id, HostName Holder, Epoch Epoch, double Seconds) : MoveCompleted(Id, Holder, Epoch, Seconds);

/// <inheritdoc cref="MoveAborted"/>
public sealed record FailoverAborted(RequestId Id, MoveEnd Reason, string Detail, HostName? Holder, double Seconds)
    : MoveAborted(Id, Reason, Detail, Holder, Seconds);

/// <inheritdoc cref="MoveHalted"/>
public sealed record FailoverHalted(RequestId Id, MoveEnd Reason, string Detail, double Seconds) : MoveHalted(Id, Reason, Detail, Seconds);
