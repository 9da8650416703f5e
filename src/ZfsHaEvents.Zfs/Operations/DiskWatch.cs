using System.Diagnostics;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Commands;

namespace ZfsHaEvents.Zfs.Operations;

/// <summary>What watching a pool's disks yielded.</summary>
/// <param name="Seconds">From the end of the first reading of all leaves to the beginning of the last one.</param>
public sealed record WatchedDisks(DiskWitness Verdict, double Seconds, IReadOnlyList<WatchedLeaf> Leaves);

/// <summary>
/// Looks again and again at the newest uberblock of each leaf (<c>zdb -lu</c>). Whoever has the pool imported writes one with each transaction group,
/// and with multihost on also at rest: to each leaf once in each <c>zfs_multihost_interval</c> (zfs(4)).
/// </summary>
sealed class DiskWatch(Zpool zpool)
{
    /// <summary>Without multihost silence proves nothing, but a pool in use writes every <c>zfs_txg_timeout</c>, 5 s by default.</summary>
    static readonly TimeSpan WithoutMultihost = TimeSpan.FromSeconds(7);

    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>For one reading of all leaves: a disk that is slow to fail.</summary>
    static readonly TimeSpan ReadLimit = TimeSpan.FromSeconds(10);

    /// <param name="longest">To watch at most; readings that hang come on top, each within its own limit.</param>
    public async Task<WatchedDisks> RunAsync(PoolGuid pool, IReadOnlyList<string> leaves, TimeSpan longest, Action<TimeSpan, TimeSpan>? progress, CancellationToken cancellation)
    {
        var first = await zpool.ReadLeafLabelsAsync(pool, leaves, ReadLimit, cancellation);
        var begin = Stopwatch.GetTimestamp();
        var missing = ZdbOutput.Missing([.. first.Select(leaf => leaf.Label).OfType<LeafLabel>()]);
        var marks = first.Select(leaf => MarkOf(leaf.Label)).ToList();
        var needed = marks.OfType<UberblockMark>().Max(mark => mark.MmpMilliseconds) is { } interval
            ? TimeSpan.FromMilliseconds(DiskWitness.Intervals * interval) + Pause
            : WithoutMultihost;
        if (needed > longest) needed = longest;
        while (true)
        {
            progress?.Invoke(Stopwatch.GetElapsedTime(begin), needed);
            await Task.Delay(Pause, cancellation);
            var watched = Stopwatch.GetElapsedTime(begin);
            var last = await zpool.ReadLeafLabelsAsync(pool, leaves, ReadLimit, cancellation);
            List<WatchedLeaf> seen = [.. leaves.Select((leaf, i) => new WatchedLeaf(leaf, marks[i], MarkOf(last[i].Label), first[i].Problem ?? last[i].Problem))];
            var verdict = DiskWitness.Of(seen, watched.TotalSeconds, missing);
            if (watched >= needed || verdict.Activity is DiskActivity.Writing) return new(verdict, watched.TotalSeconds, seen);
        }
    }

    static UberblockMark? MarkOf(LeafLabel? leaf) => leaf?.Newest is { } u
        ? new(u.Txg, u.Timestamp, u.MmpSequence, u.MmpActive() && u.MmpInterval > 0 ? u.MmpInterval : null)
        : null;
}
