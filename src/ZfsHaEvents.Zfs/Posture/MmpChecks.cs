namespace ZfsHaEvents.Zfs.Posture;

/// <summary>The parameters of multihost, and the take-over time that they imply.</summary>
static class MmpChecks
{
    const string Check = "mmp-parameters";
    const string WhyParameters = "how long a take-over waits, and when this host stops writing, follow from them";

    // An uberblock has 24 bits for the interval in milliseconds and 16 for the fail intervals (MMP_INTERVAL_SET and MMP_FAIL_INT_SET, sys/uberblock_impl.h).
    const ulong IntervalMax = 0xffffff;
    const ulong FailIntervalsMax = 0xffff;

    public static IEnumerable<PostureFinding> Of(PostureFacts facts)
    {
        var mmp = facts.Mmp;
        foreach (var (name, value, max) in new[]
        {
            ("zfs_multihost_interval", mmp.Interval, IntervalMax), ("zfs_multihost_fail_intervals", mmp.FailIntervals, FailIntervalsMax), ("zfs_multihost_import_intervals", mmp.ImportIntervals, ulong.MaxValue),
        })
        {
            if (!value.IsKnown)
            {
                yield return PostureChecks.Unknown(Check, null, name, value.Unknown!, WhyParameters);
            }
            else if (value.Value > max)
            {
                yield return new(
                    Check, PostureSeverity.Critical, null, $"{name} is {value.Value}, more than an uberblock can hold ({max})",
                    "other hosts read a smaller number there, and import the pool before this host has stopped writing", [], $"Write a value of up to {max} to /sys/module/zfs/parameters/{name}.");
            }
        }

        if (mmp.FailIntervals is { IsKnown: true, Value: 0 })
        {
            yield return new(
                Check, PostureSeverity.Critical, null, "zfs_multihost_fail_intervals is 0: this host never suspends a pool whose multihost writes fail",
                "when it is cut off from some disks, or stands still for a while, it goes on writing to a pool that another host has taken over in the meantime", [],
                "Write 10, the default, to /sys/module/zfs/parameters/zfs_multihost_fail_intervals, and take it out of /etc/modprobe.d.");
        }
    }

    /// <summary>Null when a parameter is not known or does not fit an uberblock, or the release is one that computes it otherwise.</summary>
    public static TakeoverTime? TakeoverTimeOf(PostureFacts facts) =>
        facts is { Mmp: { Interval: { IsKnown: true, Value: <= IntervalMax and var interval }, FailIntervals: { IsKnown: true, Value: <= FailIntervalsMax and var fail }, ImportIntervals: { IsKnown: true, Value: var import } }, Version.IsKnown: true }
            && !facts.Version.Value.IsBefore(0, 8)
            ? TakeoverTime.Of(interval, fail, import, TakeoverTime.Claims(facts.Version.Value))
            : null;
}
