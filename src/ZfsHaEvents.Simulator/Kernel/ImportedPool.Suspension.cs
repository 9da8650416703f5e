using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.Protocol;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>A pool whose I/O is suspended, and its way back.</summary>
sealed partial class ImportedPool
{
    SuspendReason _suspended;
    TaskCompletionSource _resumed = NewSource();

    /// <summary>Completes when the pool's I/O goes on; completed while it is not suspended.</summary>
    public Task Resumed
    {
        get
        {
            lock (_gate) return _suspended == SuspendReason.None ? Task.CompletedTask : _resumed.Task;
        }
    }

    /// <summary>
    /// Resumes a suspended pool, or clears the errors of one that is not (<c>zpool clear</c>). A multihost pool is first watched
    /// as long as an import would watch it: another host may have taken it.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller is gone.</exception>
    public async Task<Errno> ClearAsync(CancellationToken cancel)
    {
        bool suspended;
        bool multihost;
        lock (_gate)
        {
            suspended = _suspended != SuspendReason.None;
            multihost = _contents.Multihost;
        }
        if (!suspended) return ClearErrors();
        if (multihost && await OthersAreActiveAsync(cancel)) return Errno.EREMOTEIO;

        return Resume();
    }

    Errno ClearErrors()
    {
        lock (_gate)
        {
            var repaired = false;
            foreach (var leaf in _devices.Leaves)
            {
                leaf.ReadErrors = leaf.WriteErrors = 0;
                repaired |= leaf.Faulted && leaf.Reach() is not null;
                leaf.Faulted &= leaf.Reach() is null;
            }
            if (!repaired || _mode.ReadOnly) return Errno.None;

            using var passage = _kernel.DiskGate.Enter();
            if (!MayWrite()) return Errno.EAGAIN;

            Relabel();
            WriteTxg(contentsChanged: true);
            _kernel.Kstats.SetState(Name, StateWord());
            return Errno.None;
        }
    }

    /// <summary>Whether another host took the pool or is about to (spa_mmp_remote_host_activity).</summary>
    async Task<bool> OthersAreActiveAsync(CancellationToken cancel)
    {
        Uberblock newest;
        lock (_gate) newest = _newest;
        if (_devices.Label() is not { } label || label.HostId != _kernel.HostId) return true;
        if (_devices.Best() is not { } best || best.CompareTo(newest) != 0) return true;

        return await _kernel.WatchAsync(_devices, best, progress: null, cancel);
    }

    Errno Resume()
    {
        TaskCompletionSource resumed;
        lock (_gate)
        {
            using var passage = _kernel.DiskGate.Enter();
            foreach (var leaf in _devices.Leaves) leaf.Faulted &= leaf.Reach() is null;
            if (!_devices.CanWrite()) return Errno.EIO;

            foreach (var leaf in _devices.Leaves) leaf.ReadErrors = leaf.WriteErrors = 0;
            _suspended = SuspendReason.None;
            _pace.Restart(_kernel.Tunables());
            LogTruth(TruthOperation.Resume, entry => entry with { Mode = "rw", Txg = _synced.Txg + 1 });
            WriteTxg(contentsChanged: true);
            _kernel.Kstats.SetState(Name, StateWord());
            resumed = _resumed;
            _resumed = NewSource();
        }
        resumed.SetResult();
        _thread?.Wake();
        return Errno.None;
    }

    void Suspend(SuspendReason reason, string why)
    {
        _suspended = reason;
        LogTruth(TruthOperation.Suspend, entry => entry with { Reason = why });
        _kernel.Kstats.SetState(Name, StateWord());
        _kernel.Events.Add("ereport.fs.zfs.io_failure", Name, PoolGuid);
    }

    static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
