using System.Text.Json.Serialization;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Hosts;

/// <summary>
/// Something that happened or was seen on a host, about one pool. Hosts report facts; what follows from them is decided
/// elsewhere.
/// </summary>
/// <param name="Sequence">
/// Orders the facts of one boot of one host: drawn in the same moment as the look, under a lock across the host's
/// processes. A fact with a lower number never changes what a higher one established.
/// </param>
/// <param name="ObservedAt">The host's clock.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(LockAcquired), "lock-acquired")]
[JsonDerivedType(typeof(LockReleased), "lock-released")]
[JsonDerivedType(typeof(LockTimedOut), "lock-timed-out")]
[JsonDerivedType(typeof(LockBroken), "lock-broken")]
[JsonDerivedType(typeof(ImportStarted), "import-started")]
[JsonDerivedType(typeof(ImportEnded), "import-ended")]
[JsonDerivedType(typeof(ExportStarted), "export-started")]
[JsonDerivedType(typeof(ExportEnded), "export-ended")]
[JsonDerivedType(typeof(Observed), "observed")]
[JsonDerivedType(typeof(LabelsRead), "labels-read")]
[JsonDerivedType(typeof(DisksWatched), "disks-watched")]
[JsonDerivedType(typeof(OrderRefused), "order-refused")]
public abstract record HostFact(long Sequence, DateTimeOffset ObservedAt)
{
    /// <summary>The host lock of the pool was taken.</summary>
    /// <param name="WaitedSeconds">From asking to having.</param>
    public sealed record LockAcquired(long Sequence, DateTimeOffset ObservedAt, string Purpose, double WaitedSeconds) : HostFact(Sequence, ObservedAt);

    /// <summary>The host lock was given back by its holder.</summary>
    public sealed record LockReleased(long Sequence, DateTimeOffset ObservedAt, string Purpose, double HeldSeconds) : HostFact(Sequence, ObservedAt);

    /// <summary>The host lock was not to be had in the time given.</summary>
    /// <param name="Holder">Who had it, as the lock's record says.</param>
    public sealed record LockTimedOut(long Sequence, DateTimeOffset ObservedAt, string Purpose, double WaitedSeconds, string Holder) : HostFact(Sequence, ObservedAt);

    /// <summary>The lock was found free although its record names a holder: that one died without releasing it.</summary>
    public sealed record LockBroken(long Sequence, DateTimeOffset ObservedAt, string PreviousHolder, string Evidence) : HostFact(Sequence, ObservedAt);

    /// <summary>An import is about to be tried: written before the command starts.</summary>
    public sealed record ImportStarted(long Sequence, DateTimeOffset ObservedAt, IReadOnlyList<string> Arguments, string? Reason) : HostFact(Sequence, ObservedAt);

    /// <summary>An import attempt is over, or we stopped waiting for it.</summary>
    /// <param name="Run">The command; null when the pool was imported already and none was run.</param>
    /// <param name="Sight">What was seen afterwards: this, not the exit code, says how it went.</param>
    /// <param name="Failure">Why not, when it is not so.</param>
    /// <param name="ZpoolSeconds">Time inside external commands for this attempt, all together.</param>
    public sealed record ImportEnded(long Sequence, DateTimeOffset ObservedAt, ZpoolRun? Run, PoolSight Sight, ZpoolFailure Failure, double ZpoolSeconds)
        : HostFact(Sequence, ObservedAt);

    /// <summary>An export is about to be tried: written before the command starts.</summary>
    public sealed record ExportStarted(long Sequence, DateTimeOffset ObservedAt, IReadOnlyList<string> Arguments, string? Reason) : HostFact(Sequence, ObservedAt);

    /// <summary>An export attempt is over, or we stopped waiting for it; see <see cref="ImportEnded"/>.</summary>
    public sealed record ExportEnded(long Sequence, DateTimeOffset ObservedAt, ZpoolRun? Run, PoolSight Sight, ZpoolFailure Failure, double ZpoolSeconds)
        : HostFact(Sequence, ObservedAt);

    /// <summary>The watcher saw the pool in a state it had not reported yet.</summary>
    public sealed record Observed(long Sequence, DateTimeOffset ObservedAt, PoolSight Sight) : HostFact(Sequence, ObservedAt);

    /// <summary>The pool's labels were read.</summary>
    /// <param name="Label">Null when no leaf carried a readable label of this pool.</param>
    /// <param name="Detail">What the reader printed about the leaves that could not be read.</param>
    /// <param name="ZpoolSeconds">Time inside external commands.</param>
    public sealed record LabelsRead(long Sequence, DateTimeOffset ObservedAt, PoolLabel? Label, string Detail, double ZpoolSeconds) : HostFact(Sequence, ObservedAt);

    /// <summary>The pool's disks were watched for writes of whoever has it imported.</summary>
    /// <param name="WatchedSeconds">Between the first reading of all leaves and the last.</param>
    /// <param name="Reason">What the verdict rests on.</param>
    public sealed record DisksWatched(long Sequence, DateTimeOffset ObservedAt, DiskActivity Activity, double WatchedSeconds, IReadOnlyList<WatchedLeaf> Leaves, string Reason)
        : HostFact(Sequence, ObservedAt);

    /// <summary>The host did not carry out an order; nothing was run.</summary>
    public sealed record OrderRefused(long Sequence, DateTimeOffset ObservedAt, OrderRefusal Reason, string Detail) : HostFact(Sequence, ObservedAt);
}

/// <summary>Why a host did not carry out an order.</summary>
[JsonConverter(typeof(NameConverter<OrderRefusal>))]
public enum OrderRefusal
{
    /// <summary>The order was made for an earlier session of this host.</summary>
    StaleSession,

    /// <summary>The host has obeyed a higher epoch for this pool.</summary>
    StaleEpoch,

    /// <summary>The order belongs to another history than the one this session was opened with.</summary>
    ForeignIncarnation,

    /// <summary>The order's not-after time has passed.</summary>
    Expired,

    /// <summary>The epoch could not be written to disk, so the effect was not begun.</summary>
    EpochNotRecorded,

    /// <summary>No order: an import that a person typed, against which the server's knowledge spoke, or the lack of it.</summary>
    NotPermitted,

    /// <summary>No order: reports were turned away, and with them what they were to begin, because the host's spool was full.</summary>
    SpoolFull,
}
