using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.Protocol;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>How an export ended.</summary>
/// <param name="Error">What it failed with.</param>
/// <param name="BusyMountpoint">The file system somebody sits in, when that was the reason.</param>
readonly record struct ExportOutcome(Errno Error, string? BusyMountpoint = null);

/// <summary>The end of a hold.</summary>
sealed partial class ImportedPool
{
    /// <summary>An export commits a few transaction groups more (TXG_DEFER_SIZE + 1) before the labels can say that it is done.</summary>
    const int FinalTxgs = 3;

    readonly SemaphoreSlim _exporting = new(1, 1);

    /// <summary>
    /// What zpool_disable_datasets does before an export. A command that is killed between the two leaves the pool imported and
    /// unmounted. A suspended pool is let by: its export sleeps.
    /// </summary>
    public ExportOutcome UnmountForExport()
    {
        lock (_gate)
        {
            if (_suspended != SuspendReason.None) return new(Errno.None);

            return UnmountAll() is { } busy ? new(Errno.EBUSY, busy) : new(Errno.None);
        }
    }

    /// <summary>
    /// Unmounts what is still mounted and exports. An export of a suspended pool sleeps uninterruptibly until the pool resumes, however long ago its
    /// caller was killed; with force it fails at once.
    /// </summary>
    /// <param name="force">Whether it was asked for.</param>
    /// <param name="command">The command line, for the pool's history.</param>
    /// <param name="call">Who waits for it.</param>
    public async Task<ExportOutcome> ExportAsync(bool force, string command, KernelCall call)
    {
        if (force && !Resumed.IsCompleted) return new(Errno.EAGAIN);

        await SleepWhileSuspendedAsync(call);
        await _exporting.WaitAsync();
        try
        {
            while (true)
            {
                lock (_gate)
                {
                    if (_exported) return new(Errno.ENOENT);
                    if (UnmountAll() is { } busy) return new(Errno.EBUSY, busy);
                    if (_busy is not null) return new(Errno.EBUSY);
                }
                await Task.Delay(TimeSpan.FromSeconds(_kernel.Settings.Current.ExportSeconds));
                if (TryFinish(command))
                {
                    _kernel.Events.Add("sysevent.fs.zfs.pool_export", Name, PoolGuid);
                    Dispose();
                    return new(Errno.None);
                }
                await SleepWhileSuspendedAsync(call);
            }
        }
        finally
        {
            _exporting.Release();
        }
    }

    async Task SleepWhileSuspendedAsync(KernelCall call)
    {
        while (!Resumed.IsCompleted)
        {
            await call.SleepUninterruptiblyAsync();
            await Resumed;
        }
    }

    /// <summary>Writes the last transaction groups and the labels of an exported pool; false when the pool got suspended meanwhile.</summary>
    bool TryFinish(string command)
    {
        lock (_gate)
        {
            if (!_mode.ReadOnly)
            {
                using var passage = _kernel.DiskGate.Enter();
                if (!MayWrite()) return false;

                _labelTxg = _synced.Txg + 1;
                _contents.Remember(new(SimulatedTime.UnixSeconds(), _kernel.Host.Name, Txg: null, command));
                WriteTxg(contentsChanged: true);
                for (var left = FinalTxgs; left > 0; left--) WriteTxg(contentsChanged: false);
                // Last, for whoever reads them may import the pool at once.
                WriteLabels(PoolState.Exported);
            }
            _exported = true;
            LogTruth(TruthOperation.Export, entry => entry with { Mode = _mode.ReadOnly ? "ro" : "rw", Txg = _synced.Txg });
            _kernel.Remove(this);
            _kernel.Kstats.Remove(Name);
            return true;
        }
    }
}
