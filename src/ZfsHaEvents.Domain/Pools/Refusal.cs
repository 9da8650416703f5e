using System.Text.Json.Serialization;

namespace ZfsHaEvents.Domain.Pools;

/// <summary>Why a request was not carried out: one name for each "no", so that the audit and the tests speak of the same thing.</summary>
[JsonConverter(typeof(NameConverter<Refusal>))]
public enum Refusal
{
    /// <summary>The stream holds an event this version does not know: nothing is ordered on history we cannot read.</summary>
    UnknownHistory,

    /// <summary>Another switchover or failover of this pool is running.</summary>
    MoveInProgress,

    /// <summary>An earlier one halted and nobody has acknowledged it.</summary>
    HaltNotAcknowledged,

    /// <summary>Two hosts have the pool imported read-write.</summary>
    ConflictActive,

    /// <summary>No host of that name has ever registered.</summary>
    UnknownHost,

    /// <summary>The target's lease is not live.</summary>
    TargetNotAlive,

    /// <summary>The target has the pool already.</summary>
    AlreadyHeldByTarget,

    /// <summary>The holder's lease is not live: a switchover needs the holder to export. Ask for a failover.</summary>
    HolderNotAlive,

    /// <summary>The holder's lease is live: a failover is for a holder that does not answer. Ask for a switchover.</summary>
    HolderAlive,

    /// <summary>The pool's I/O is suspended on the holder: it cannot be exported there.</summary>
    PoolSuspended,

    /// <summary>No host holds the pool and none has claimed it: there is nothing to take over.</summary>
    NothingToTakeOver,

    /// <summary>An import was ordered on another host, and nobody has shown yet that it ended without effect.</summary>
    ImportOutstanding,

    /// <summary>Not every host has reported since an eviction or takeover, and without multihost nothing else would notice a second holder.</summary>
    OwnershipUnverified,

    /// <summary>Fencing would rest on MMP alone, and multihost is not known to be on.</summary>
    MultihostOff,

    /// <summary>No target was named, and the policy names none that is alive.</summary>
    NoTarget,

    /// <summary>The leaf devices of the pool have never been reported, so no host can be asked to read its labels.</summary>
    LeavesUnknown,

    /// <summary>There is nothing of that kind to confirm, acknowledge or abort.</summary>
    NothingPending,

    /// <summary>An order is with a host; only its outcome can end this now.</summary>
    OrderOutstanding,

    /// <summary>A person vouched for something, or acknowledged it, and did not say what they know.</summary>
    EvidenceMissing,

    /// <summary>The host that a person vouches for is not the one that the pool is to be taken over from.</summary>
    NotTheHolder,

    /// <summary>A host whose lease is live cannot be confirmed as fenced.</summary>
    HostAlive,
}
