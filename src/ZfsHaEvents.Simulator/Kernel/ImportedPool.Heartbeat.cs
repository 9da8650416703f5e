using System.Diagnostics;
using ZfsHaEvents.Simulator.Protocol;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>What the pool's own thread does: multihost writes, and a transaction group every few seconds.</summary>
sealed partial class ImportedPool
{
    /// <summary>zfs_txg_timeout. An idle multihost pool writes one as well, an idle other pool none.</summary>
    static readonly TimeSpan TxgEvery = TimeSpan.FromSeconds(5);

    PoolThread? _thread;
    long _txgWrittenAt = Stopwatch.GetTimestamp();
    ushort _sequence;
    bool _workload;

    /// <summary>Turns a steady stream of data writes on or off.</summary>
    public void SetWorkload(bool on)
    {
        lock (_gate) _workload = on;
        _thread?.Wake();
    }

    /// <summary>One beat.</summary>
    /// <param name="late">By how much real time it comes too late.</param>
    /// <returns>The nominal time until the next one; nothing when there is nothing to wait for.</returns>
    public TimeSpan? Beat(TimeSpan late)
    {
        lock (_gate)
        {
            if (_mode.ReadOnly || _exported) return null;

            // At a fiftieth of the pace, a busy machine's every hiccup would suspend pools that no real host would have suspended.
            if (late > TimeSpan.Zero && !_kernel.Host.WasFrozenSince(_pace.LandedAt)) _pace.Forgive(late);

            var tunables = _kernel.Tunables();
            _pace.Retune(tunables);
            if (_suspended == SuspendReason.None && _contents.Multihost) BeatMultihost(tunables);
            if (_suspended == SuspendReason.None && TxgIsDue()) BeatTxg();
            if (_contents.Multihost) return tunables.Interval / Math.Max(1, _devices.Leaves.Count);
            return _workload ? TxgEvery : null;
        }
    }

    void BeatMultihost(MmpTunables tunables)
    {
        using var passage = _kernel.DiskGate.Enter();
        if (_pace.Overdue(tunables) is { } gap)
        {
            Suspend(SuspendReason.Multihost, $"no multihost write for {gap.TotalMilliseconds:0} ms");
            return;
        }
        if (_devices.HasNewerThan(_synced, _newest))
        {
            Suspend(SuspendReason.Multihost, "another host has written");
            return;
        }
        var now = SimulatedTime.UnixSeconds();
        // A wrapped sequence would not be the best any more; it starts anew with every second, as in mmp_write_uberblock.
        _sequence = now == _newest.Timestamp && _newest.Mmp is not null ? (ushort)(_sequence + 1) : (ushort)1;
        var beat = _synced with
        {
            Timestamp = Math.Max(now, _newest.Timestamp),
            MmpDelay = _pace.DelayNanoseconds,
            Mmp = new((uint)tunables.Interval.TotalMilliseconds, (ushort)tunables.FailIntervals, _sequence),
        };
        if (!_devices.WriteMmp(beat)) return;

        _newest = beat;
        _pace.Landed(multihost: true, tunables, _devices.Leaves.Count);
    }

    bool TxgIsDue() => (_contents.Multihost || _workload) && _kernel.Time.NominalSince(_txgWrittenAt) >= TxgEvery;

    void BeatTxg()
    {
        using var passage = _kernel.DiskGate.Enter();
        if (!MayWrite()) return;

        if (_workload)
        {
            LogTruth(TruthOperation.Write, entry => entry with { Txg = _synced.Txg + 1 });
            _contents.Writes++;
        }
        WriteTxg(contentsChanged: _workload);
    }
}

/// <summary>The thread a held pool beats on. A thread of its own: work queued behind other work would come late, and late means suspended.</summary>
sealed class PoolThread : IDisposable
{
    readonly ImportedPool _pool;
    readonly SimulatedTime _time;
    readonly AutoResetEvent _wake = new(initialState: false);
    readonly Thread _thread;
    volatile bool _stopping;

    public PoolThread(ImportedPool pool, SimulatedTime time)
    {
        _pool = pool;
        _time = time;
        _thread = new(Run) { IsBackground = true, Name = $"mmp {pool.Name}" };
        _thread.Start();
    }

    public void Wake() => _wake.Set();

    /// <summary>Ends the thread and waits for its last beat.</summary>
    public void Dispose()
    {
        _stopping = true;
        _wake.Set();
        if (_thread != Thread.CurrentThread) _thread.Join();
        _wake.Dispose();
    }

    void Run()
    {
        var late = TimeSpan.Zero;
        while (!_stopping)
        {
            var wait = _pool.Beat(late) is { } nominal ? Milliseconds(_time.Real(nominal)) : Timeout.Infinite;
            var began = Stopwatch.GetTimestamp();
            _wake.WaitOne(wait);
            late = wait is Timeout.Infinite ? TimeSpan.Zero : Stopwatch.GetElapsedTime(began) - TimeSpan.FromMilliseconds(wait);
        }
    }

    static int Milliseconds(TimeSpan real) => Math.Max(1, (int)real.TotalMilliseconds);
}
