using System.Text.Json.Serialization;

namespace ZfsHaEvents.Domain.Pools;

/// <summary>Whether somebody writes to a pool's disks, as a host found that only read them.</summary>
[JsonConverter(typeof(NameConverter<DiskActivity>))]
public enum DiskActivity
{
    /// <summary>It cannot be told: multihost is off, a leaf could not be read, or the time was too short.</summary>
    Unknown,

    /// <summary>A newer uberblock appeared while the disks were watched: some host has the pool imported.</summary>
    Writing,

    /// <summary>Multihost is on and its writes stayed away from every leaf for two of its intervals and more. Evidence, never fencing.</summary>
    Silent,
}

/// <summary>One uberblock, as far as it tells when it was written (<c>struct uberblock</c>, sys/uberblock_impl.h).</summary>
/// <param name="Txg">The transaction group.</param>
/// <param name="Timestamp">Seconds since 1970 by the writing host's clock.</param>
/// <param name="MmpSequence">Counts the multihost writes within a second.</param>
/// <param name="MmpMilliseconds">How often each leaf gets a multihost write, as the writing host meant it (<c>zfs_multihost_interval</c>); null while multihost is off.</param>
public sealed record UberblockMark(ulong Txg, long Timestamp, int MmpSequence, double? MmpMilliseconds)
{
    /// <summary>Which of two was written later: as the kernel compares them (vdev_uberblock_compare, module/zfs/vdev_label.c).</summary>
    public bool IsNewerThan(UberblockMark other) => (Txg, Timestamp, MmpSequence).CompareTo((other.Txg, other.Timestamp, other.MmpSequence)) > 0;
}

/// <summary>One leaf device while it was watched.</summary>
/// <param name="Path">As the watching host knows it.</param>
/// <param name="First">The newest uberblock on it at first; null when it could not be read, or carried none of this pool.</param>
/// <param name="Last">The newest one at last; null when it could not be read then.</param>
/// <param name="Problem">Why it could not be read.</param>
public sealed record WatchedLeaf(string Path, UberblockMark? First, UberblockMark? Last, string? Problem)
{
    /// <summary>Somebody wrote to it meanwhile.</summary>
    public bool WasWritten() => First is not null && Last is not null && Last.IsNewerThan(First);
}

/// <summary>What watching a pool's disks comes to.</summary>
/// <param name="Activity">The verdict.</param>
/// <param name="Reason">What it rests on, for people.</param>
public sealed record DiskWitness(DiskActivity Activity, string Reason)
{
    /// <summary>So many intervals without a write make silence: each leaf gets one in each.</summary>
    public const int Intervals = 2;

    /// <param name="watchedSeconds">From the end of the first reading of all leaves to the beginning of the last one.</param>
    /// <param name="missing">What the labels say the pool has besides; null when these are all its leaves.</param>
    public static DiskWitness Of(IReadOnlyList<WatchedLeaf> leaves, double watchedSeconds, string? missing)
    {
        if (leaves.FirstOrDefault(l => l.WasWritten()) is { } written)
            return new(DiskActivity.Writing, $"{written.Path}: uberblock of txg {written.First!.Txg}, then of txg {written.Last!.Txg}");
        if (leaves.Count == 0) return new(DiskActivity.Unknown, "no device carries a label of the pool");
        if (leaves.FirstOrDefault(l => l.First is null || l.Last is null) is { } unread) return new(DiskActivity.Unknown, unread.Problem ?? $"{unread.Path}: no uberblock could be read");
        if (missing is not null) return new(DiskActivity.Unknown, missing);

        var newest = leaves.Select(l => l.Last!).Aggregate((one, other) => other.IsNewerThan(one) ? other : one);
        if (newest.MmpMilliseconds is not { } milliseconds) return new(DiskActivity.Unknown, $"multihost is off as of txg {newest.Txg}, or does not tell its interval: a pool at rest writes nothing");

        var needed = Intervals * milliseconds / 1000;
        return watchedSeconds < needed
            ? new(DiskActivity.Unknown, FormattableString.Invariant($"watched for {watchedSeconds:0.##} s: {Intervals} multihost intervals are {needed:0.#} s"))
            : new(DiskActivity.Silent, FormattableString.Invariant($"no write to any of {leaves.Count} leaves in {watchedSeconds:0.#} s, where multihost writes to each every {milliseconds / 1000:0.###} s"));
    }
}
