using System.Diagnostics;

namespace ZfsHaEvents.Zfs.Tests;

/// <summary>For what happens in another process, soon.</summary>
static class Eventually
{
    public static async Task TrueAsync(Func<bool> condition)
    {
        var started = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(started) > TimeSpan.FromSeconds(15)) throw new TimeoutException("It did not become true.");
            await Task.Delay(10);
        }
    }
}
