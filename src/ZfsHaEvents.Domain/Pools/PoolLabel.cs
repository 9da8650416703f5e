using System.Text.Json.Serialization;

namespace ZfsHaEvents.Domain.Pools;

/// <summary>The <c>state</c> of a vdev label (<c>zdb -l</c>; POOL_STATE_* in sys/fs/zfs.h).</summary>
[JsonConverter(typeof(NameConverter<LabelState>))]
public enum LabelState
{
    /// <summary>Imported somewhere, or left so by a crash: the label cannot tell which.</summary>
    Active,

    /// <summary>Exported cleanly.</summary>
    Exported,

    /// <summary>Destroyed, spare, cache or anything else that is not a pool to import.</summary>
    Other,
}

/// <summary>
/// What a host read from a pool's disks with <c>zdb -lu</c>: the newest label and, from the newest uberblock, whether
/// multihost protection was on when it was written.
/// </summary>
/// <param name="State">The newest label's state.</param>
/// <param name="Name">The pool's name on the label.</param>
/// <param name="HostId">The hostid on the label: who imported the pool last; zero after an export that cleared it.</param>
/// <param name="HostName">The hostname on the label; hearsay, for people.</param>
/// <param name="Txg">The newest uberblock's transaction group.</param>
/// <param name="MmpActive">
/// The newest uberblock carries the MMP magic and a delay greater than 0. An importing host then watches the disks for
/// activity before it opens the pool, with <c>-f</c> too (module/zfs/mmp.c).
/// </param>
/// <param name="LeavesRead">How many leaf devices carried a readable label of this pool.</param>
/// <param name="LeavesAsked">How many leaf devices were asked.</param>
public sealed record PoolLabel(
    LabelState State, string Name, ZfsHostId HostId, string HostName, ulong Txg, bool MmpActive, int LeavesRead, int LeavesAsked);
