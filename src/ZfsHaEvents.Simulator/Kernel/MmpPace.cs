using System.Diagnostics;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>When multihost writes landed, and how long a holder may go on without one (mmp_thread, mmp_delay_update).</summary>
sealed class MmpPace
{
    /// <summary>A lowered limit comes into force by this share with every beat, so that lowering it never suspends a healthy pool.</summary>
    const int SmoothingBeats = 32;

    readonly SimulatedTime _time;
    long _landedAt = Stopwatch.GetTimestamp();
    TimeSpan? _failWindow;
    TimeSpan _delay;

    public MmpPace(SimulatedTime time, MmpTunables tunables)
    {
        _time = time;
        _failWindow = tunables.FailWindow;
        _delay = tunables.Interval;
    }

    /// <summary>What an uberblock's mmp_delay says: a decaying average of the time between writes, at least an interval per leaf.</summary>
    public ulong DelayNanoseconds => (ulong)(_delay.Ticks * TimeSpan.NanosecondsPerTick);

    /// <summary>Multihost was just switched on, or the pool resumed: the first write gets its full time.</summary>
    public void Restart(MmpTunables tunables)
    {
        _landedAt = Stopwatch.GetTimestamp();
        _delay = tunables.Interval;
    }

    /// <summary>When the last write landed.</summary>
    public long LandedAt => _landedAt;

    /// <summary>The machine that simulates this host was busy for so long: no fault of the host's.</summary>
    public void Forgive(TimeSpan late) => _landedAt = Math.Min(Stopwatch.GetTimestamp(), _landedAt + (long)(late.TotalSeconds * Stopwatch.Frequency));

    public void Retune(MmpTunables tunables) => _failWindow = tunables.FailWindow is { } wanted && _failWindow is { } current && wanted < current
        ? (current * (SmoothingBeats - 1) + wanted) / SmoothingBeats
        : tunables.FailWindow;

    /// <summary>The nominal gap since the last write that landed, once it is longer than the limit; nothing while in time.</summary>
    public TimeSpan? Overdue(MmpTunables tunables)
    {
        if (tunables.FailWindow is null || _failWindow is not { } window) return null;

        var gap = _time.NominalSince(_landedAt);
        return gap > window ? gap : null;
    }

    public void Landed(bool multihost, MmpTunables tunables, int leaves)
    {
        var gap = _time.NominalSince(_landedAt);
        _landedAt = Stopwatch.GetTimestamp();
        if (!multihost) return;

        if (gap > _delay)
        {
            _delay = gap;
            return;
        }
        var average = (gap + _delay * 127) / 128;
        var least = tunables.Interval / Math.Max(1, leaves);
        _delay = average > least ? average : least;
    }
}
