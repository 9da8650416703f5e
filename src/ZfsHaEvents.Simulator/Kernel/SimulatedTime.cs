using System.Diagnostics;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>
/// The time of multihost protection in a world that may run faster than the real one. Nominal is what OpenZFS would take; real is
/// what the world takes. Both come from the monotonic clock, which goes on while a frozen process does not.
/// </summary>
sealed class SimulatedTime(LiveSettings settings)
{
    public TimeSpan Real(TimeSpan nominal) => nominal * settings.Current.TimeScale;

    /// <summary>The nominal time since a stamp taken with <see cref="Stopwatch.GetTimestamp"/>.</summary>
    public TimeSpan NominalSince(long stamp) => Stopwatch.GetElapsedTime(stamp) / settings.Current.TimeScale;

    public Task DelayAsync(TimeSpan nominal, CancellationToken cancel) => Task.Delay(Real(nominal), cancel);

    /// <summary>The clock's seconds since 1970, as uberblocks hold them.</summary>
    public static ulong UnixSeconds() => (ulong)DateTimeOffset.UtcNow.ToUnixTimeSeconds();
}
