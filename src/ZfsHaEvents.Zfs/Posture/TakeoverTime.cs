namespace ZfsHaEvents.Zfs.Posture;

/// <summary>
/// How long an import on another host takes at least and at most because of multihost, when it takes a pool over from this one: the watching for somebody who
/// writes, and the writing of a claim of its own.
/// </summary>
/// <param name="WatchSecondsMin">The activity check (spa_activity_check_duration, module/zfs/spa.c).</param>
/// <param name="WatchSecondsMax">With the quarter that is added at random, so that two importers do not stay in step; null when it depends on the holder's measured pace of writing too.</param>
/// <param name="ClaimSeconds">Ten intervals (MMP_IMPORT_VERIFY_ITERS).</param>
/// <param name="HasClaim">This release is known to make a claim; null when that is not known.</param>
/// <param name="SuspendSeconds">How long this host goes on without a multihost write that landed before it suspends its pools; null for ever.</param>
public sealed record TakeoverTime(double WatchSecondsMin, double? WatchSecondsMax, double ClaimSeconds, bool? HasClaim, double? SuspendSeconds)
{
    // sys/mmp.h.
    const ulong IntervalMillisecondsMin = 100;
    const ulong FailIntervalsMin = 2;
    const int ImportSafetyFactor = 2;
    const int ImportVerifyIterations = 10;

    /// <summary>An import's check is longer by up to this share, at random (spa_activity_check).</summary>
    const double RandomShareMax = 0.25;
    const double WatchSecondsLeast = 1;

    public double SecondsMin => WatchSecondsMin + (HasClaim == true ? ClaimSeconds : 0);

    public double? SecondsMax => WatchSecondsMax + (HasClaim == false ? 0 : ClaimSeconds);

    /// <summary>As OpenZFS since 0.8 computes it, by what the last holder wrote into its uberblocks and, without a limit there, by the importer's own parameters, which are taken to be the same.</summary>
    /// <param name="interval">zfs_multihost_interval, in milliseconds.</param>
    public static TakeoverTime Of(ulong interval, ulong failIntervals, ulong importIntervals, bool? hasClaim)
    {
        var seconds = Math.Max(interval, IntervalMillisecondsMin) / 1000.0;
        var claim = ImportVerifyIterations * seconds;
        if (failIntervals == 0)
        {
            // At least, for the holder's mmp_delay is added, which is not known here.
            return new(Math.Max(WatchSecondsLeast, seconds * Math.Max(importIntervals, 1)), null, claim, hasClaim, null);
        }

        var suspend = Math.Max(failIntervals, FailIntervalsMin) * seconds;
        var watch = suspend * ImportSafetyFactor;
        return new(watch, watch * (1 + RandomShareMax), claim, hasClaim, suspend);
    }

    /// <summary>
    /// Whether an import claims the pool before it goes on; null when that is not known of the release. 2.4.1 brought it; 2.3.9 was seen to
    /// make it, so which of the maintenance releases of 2.2 and 2.3 do is not known.
    /// </summary>
    public static bool? Claims(ZfsVersion version) => version switch
    {
        { Major: 2, Minor: 3, Patch: >= 9 } => true,
        { Major: 2, Minor: 2 or 3 } => null,
        _ => !version.IsBefore(2, 4, 1),
    };
}
