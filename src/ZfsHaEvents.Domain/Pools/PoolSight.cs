using System.Text.Json.Serialization;

namespace ZfsHaEvents.Domain.Pools;

/// <summary>Whether, and how, a host has a pool imported.</summary>
[JsonConverter(typeof(NameConverter<PoolPresence>))]
public enum PoolPresence
{
    /// <summary>Nobody has looked, or the host that looked is gone.</summary>
    Unknown,

    /// <summary>The pool is not imported on the host.</summary>
    Absent,

    /// <summary>Imported with <c>readonly=on</c>.</summary>
    ReadOnly,

    /// <summary>Imported read-write: the host is a holder.</summary>
    ReadWrite,

    /// <summary>
    /// Imported, but <c>zpool get readonly</c> did not answer in time (it blocks while any activity check runs on that
    /// host). Treated as <see cref="ReadWrite"/>: in doubt a pool is held.
    /// </summary>
    Imported,
}

/// <summary>A pool's state in the words of <c>zpool list -o health</c> and of the kstat <c>/proc/spl/kstat/zfs/POOL/state</c>.</summary>
[JsonConverter(typeof(NameConverter<PoolHealth>))]
public enum PoolHealth
{
    Unknown,
    Online,
    Degraded,
    Faulted,
    Offline,
    Removed,
    Unavail,

    /// <summary>I/O is suspended: nothing is written, the pool cannot be exported, and only a reboot or <c>zpool clear</c> ends it.</summary>
    Suspended,
}

/// <summary>What one host sees of one pool at one moment.</summary>
/// <param name="Presence">Imported or not, and how.</param>
/// <param name="Health">The pool's state; <see cref="PoolHealth.Unknown"/> when absent.</param>
/// <param name="Multihost">The <c>multihost</c> property (zpoolprops(7)); null when it could not be read.</param>
/// <param name="Leaves">
/// The leaf vdevs' device paths as this host has them, in order; empty when not read. A takeover reads its labels there.
/// </param>
public sealed record PoolSight(PoolPresence Presence, PoolHealth Health, bool? Multihost, IReadOnlyList<string> Leaves)
{
    public static readonly PoolSight Absent = new(PoolPresence.Absent, PoolHealth.Unknown, null, []);

    public static readonly PoolSight Unknown = new(PoolPresence.Unknown, PoolHealth.Unknown, null, []);

    /// <summary>Whether the host may be writing to the disks.</summary>
    public bool IsHeld() => Presence is PoolPresence.ReadWrite or PoolPresence.Imported;

    /// <summary>Whether the host has the pool imported in any mode.</summary>
    public bool IsImported() => Presence is PoolPresence.ReadWrite or PoolPresence.ReadOnly or PoolPresence.Imported;

    /// <summary>Whether nothing worth an event differs. What could not be read this time differs from nothing.</summary>
    public bool SameAs(PoolSight other) =>
        PresenceOver(other) == other.Presence
        && Health == other.Health
        && (Multihost is null || Multihost == other.Multihost)
        && (Leaves.Count == 0 || Leaves.SequenceEqual(other.Leaves));

    /// <summary>This sight, with what it could not read taken from an earlier one.</summary>
    public PoolSight Over(PoolSight earlier) =>
        this with { Presence = PresenceOver(earlier), Multihost = Multihost ?? earlier.Multihost, Leaves = Leaves.Count == 0 ? earlier.Leaves : Leaves };

    /// <summary>
    /// "Imported" says that <c>readonly</c> could not be read. It unsays an earlier "read-write" as little as it could confirm it, and both
    /// mean held; an earlier "read-only" it does unsay.
    /// </summary>
    PoolPresence PresenceOver(PoolSight earlier) => Presence is PoolPresence.Imported && earlier.Presence is PoolPresence.ReadWrite ? earlier.Presence : Presence;
}
