using ZfsHaEvents.Simulator.Disks;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>A host's own multihost tunables (zfs(4)).</summary>
/// <param name="IntervalMilliseconds">zfs_multihost_interval.</param>
/// <param name="FailIntervals">zfs_multihost_fail_intervals; 0 never suspends.</param>
/// <param name="ImportIntervals">zfs_multihost_import_intervals.</param>
readonly record struct MmpTunables(uint IntervalMilliseconds, uint FailIntervals, uint ImportIntervals)
{
    const uint IntervalMillisecondsMin = 100;
    const uint FailIntervalsMin = 2;

    /// <summary>The values as the module bounds them (MMP_INTERVAL_OK, MMP_FAIL_INTVS_OK).</summary>
    public MmpTunables Bounded() => new(
        Math.Max(IntervalMilliseconds, IntervalMillisecondsMin),
        FailIntervals == 0 ? 0 : Math.Max(FailIntervals, FailIntervalsMin),
        Math.Max(ImportIntervals, 1));

    public TimeSpan Interval => TimeSpan.FromMilliseconds(IntervalMilliseconds);

    /// <summary>How long a holder goes on without a write that landed; nothing when it never suspends.</summary>
    public TimeSpan? FailWindow => FailIntervals == 0 ? null : Interval * FailIntervals;
}

/// <summary>
/// When an import must first watch the disks, and for how long (spa_activity_check_required, spa_activity_check_duration and
/// spa_activity_check_claim of OpenZFS 2.3.9). Pure.
/// </summary>
static class ActivityCheck
{
    /// <summary>Intervals for which an importer claims the pool with writes of its own (MMP_IMPORT_VERIFY_ITERS).</summary>
    public const int ClaimWrites = 10;

    /// <summary>How much longer than the holder's own limit an importer watches (MMP_IMPORT_SAFETY_FACTOR), as a factor.</summary>
    const int SafetyFactor = 2;

    static readonly TimeSpan DurationMin = TimeSpan.FromSeconds(1);

    /// <summary>How often a check looks at the disks.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <summary>The most that is added at random to a check, so that two importers do not stay in step.</summary>
    public const double JitterMax = 0.25;

    /// <summary>Only the host that exported the pool cleanly may import a multihost pool unchecked.</summary>
    /// <param name="best">The newest uberblock.</param>
    /// <param name="state">The pool's state by its labels.</param>
    /// <param name="labelHostId">The host that wrote them.</param>
    /// <param name="hostId">The importing host.</param>
    public static bool Required(Uberblock best, PoolState state, ulong labelHostId, uint hostId) =>
        best.MmpActive && !(state == PoolState.Exported && hostId != 0 && labelHostId == hostId);

    /// <summary>How long to watch before the jitter: by what the last holder wrote wherever it wrote it, not by the importer's own tunables.</summary>
    public static TimeSpan Duration(Uberblock best, MmpTunables local)
    {
        var own = Longer(DurationMin, local.Interval * local.ImportIntervals);
        if (best.Mmp is not { } mmp) return own;

        var interval = TimeSpan.FromMilliseconds(mmp.IntervalMilliseconds);
        if (mmp.FailIntervals > 0) return interval * mmp.FailIntervals * SafetyFactor;

        // A holder that never suspends itself gets the benefit of the doubt by its own measured pace.
        var delay = TimeSpan.FromTicks((long)best.MmpDelay / TimeSpan.NanosecondsPerTick);
        return Longer(own, (interval + delay) * local.ImportIntervals);
    }

    static TimeSpan Longer(TimeSpan left, TimeSpan right) => left > right ? left : right;
}
