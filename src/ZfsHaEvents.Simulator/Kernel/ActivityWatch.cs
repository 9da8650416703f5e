using System.Diagnostics;
using ZfsHaEvents.Simulator.Disks;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>Where an activity check shows how it gets on.</summary>
readonly record struct CheckProgress(ulong PoolGuid, string Pool, int LoadState);

/// <summary>The first part of an activity check (spa_activity_check_tryimport): watch the disks for as long as a living holder would need to be seen.</summary>
static class ActivityWatch
{
    /// <summary>Whether somebody else writes to the pool.</summary>
    /// <exception cref="OperationCanceledException">The caller is gone.</exception>
    public static async Task<bool> WatchAsync(
        this HostKernel kernel, PoolDevices devices, Uberblock best, CheckProgress? progress, CancellationToken cancel)
    {
        var duration = ActivityCheck.Duration(best, kernel.Tunables());
        duration += duration * (Random.Shared.NextDouble() * ActivityCheck.JitterMax);
        var notes = $"Checking MMP activity, waiting {(long)duration.TotalMilliseconds} ms";
        var startedAt = Stopwatch.GetTimestamp();
        try
        {
            while (duration - kernel.Time.NominalSince(startedAt) is var left && left > TimeSpan.Zero)
            {
                if (progress is { } show) kernel.Kstats.ShowProgress(show.PoolGuid, show.Pool, show.LoadState, left, notes);
                if (devices.Best() is not { } now || now.CompareTo(best) != 0) return true;

                await kernel.Time.DelayAsync(left < ActivityCheck.LookEvery ? left : ActivityCheck.LookEvery, cancel);
            }
            return devices.Best() is not { } last || last.CompareTo(best) != 0;
        }
        finally
        {
            if (progress is not null) kernel.Kstats.ClearProgress();
        }
    }
}
