using System.Diagnostics;
using ZfsHaEvents.Cli.Text;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Zfs;
using ZfsHaEvents.Zfs.Operations;

namespace ZfsHaEvents.Cli.OnHost;

/// <summary>Shows how an operation on this host is getting on, on a terminal, until it ends.</summary>
static class OperationProgress
{
    static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(250);

    /// <param name="doing">What is done to which pool: <c>importing tank1 on b</c>.</param>
    public static async Task<OperationOutcome> ShowAsync(Screen screen, ThisHost host, PoolGuid pool, string doing, Task<OperationOutcome> operation)
    {
        if (!screen.IsTerminal) return await operation;

        var started = Stopwatch.GetTimestamp();
        do screen.Status(Text(doing, Stopwatch.GetElapsedTime(started), host.ImportOf(pool)));
        while (await Task.WhenAny(operation, Task.Delay(Beat)) != operation);
        screen.ClearStatus();
        return await operation;
    }

    public static string Text(string doing, TimeSpan elapsed, ImportProgress? import)
    {
        var check = import is { MultihostSeconds: > 0 and var left } ? $"; ZFS watches the disks for another host, {left} s left" : "";
        return $"  {doing} … {Human.Duration(elapsed.TotalSeconds)}{check}";
    }
}
