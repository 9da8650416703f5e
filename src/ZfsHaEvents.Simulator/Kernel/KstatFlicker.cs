using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>
/// While the fault is on, pool states read OFFLINE or empty for moments, as real kstats were seen to: a state is a snapshot taken
/// without a lock, in bursts of up to 78 ms.
/// </summary>
sealed class KstatFlicker : IDisposable
{
    const int BurstMillisecondsMax = 80;

    static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    readonly HostKernel _kernel;
    readonly Timer _timer;

    public KstatFlicker(HostKernel kernel)
    {
        _kernel = kernel;
        _timer = new(_ => Flicker(), null, LookEvery, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => _timer.Dispose();

    void Flicker()
    {
        if (Fault.Flicker.IsOn(_kernel.Host))
        {
            foreach (var pool in _kernel.Pools)
            {
                pool.ShowState(Random.Shared.Next(2) == 0 ? "OFFLINE\n" : "");
                Thread.Sleep(Random.Shared.Next(1, BurstMillisecondsMax));
                pool.ShowState(text: null);
            }
        }
        try
        {
            _timer.Change(LookEvery, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // The kernel powers off.
        }
    }
}
