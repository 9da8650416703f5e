using System.Diagnostics;
using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.Protocol;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>How a pool was imported; nothing of it is stored in the pool.</summary>
/// <param name="ReadOnly">Nothing is written, and so nobody can see that the pool is imported.</param>
/// <param name="AltRoot">A folder all mountpoints are below.</param>
/// <param name="CacheFile">The cachefile property, when it was given.</param>
sealed record ImportMode(bool ReadOnly, string? AltRoot, string? CacheFile);

/// <summary>A pool as one host's kernel holds it: its contents in memory, its multihost writes, its transaction groups.</summary>
sealed partial class ImportedPool : IDisposable
{
    readonly HostKernel _kernel;
    readonly PoolDevices _devices;
    readonly PoolContents _contents;
    readonly ImportMode _mode;
    readonly ulong _loadGuid = RandomNumbers.NewGuid();
    readonly Lock _gate = new();
    readonly MmpPace _pace;

    Uberblock _synced;
    Uberblock _newest;
    ulong _labelTxg;
    bool _exported;

    /// <param name="kernel">The host's kernel.</param>
    /// <param name="contents">The pool as the newest uberblock has it.</param>
    /// <param name="devices">Its disks; the pool closes them.</param>
    /// <param name="best">The newest uberblock.</param>
    /// <param name="mode">How it is imported.</param>
    public ImportedPool(HostKernel kernel, PoolContents contents, PoolDevices devices, Uberblock best, ImportMode mode)
    {
        _kernel = kernel;
        _contents = contents;
        _devices = devices;
        _synced = _newest = best;
        _mode = mode;
        _pace = new(kernel.Time, kernel.Tunables());
    }

    public string Name => _contents.Name;

    public ulong PoolGuid => _contents.PoolGuid;

    public PoolStatus Status()
    {
        lock (_gate)
        {
            return new()
            {
                Name = Name,
                PoolGuid = PoolGuid,
                LoadGuid = _loadGuid,
                State = _devices.HealthWord(),
                Suspended = _suspended,
                ReadOnly = _mode.ReadOnly,
                AltRoot = _mode.AltRoot,
                CacheFile = _mode.CacheFile,
                AllocatedBytes = _contents.AllocatedBytes,
                LabelTxg = _labelTxg,
                Properties = new Dictionary<string, string>(_contents.Properties),
                Vdevs = _devices.Report(),
                Datasets = DatasetStatuses(),
                History = [.. _contents.History],
            };
        }
    }

    /// <summary>
    /// Begins the hold: labels that say so, the first transaction group, and from then on the pool's own thread. Logged before
    /// any of it is written.
    /// </summary>
    /// <param name="operation">Create or import.</param>
    /// <param name="forced">Whether force was asked for.</param>
    /// <param name="stillClaimed">Asked inside the disk gate: a claim that has grown old guards nothing. False makes this do nothing.</param>
    public bool Activate(TruthOperation operation, bool forced, Func<bool> stillClaimed)
    {
        lock (_gate)
        {
            using var passage = _kernel.DiskGate.Enter();
            if (!stillClaimed()) return false;

            LogTruth(operation, entry => entry with
            {
                Mode = _mode.ReadOnly ? "ro" : "rw",
                Forced = forced,
                Txg = _mode.ReadOnly ? _synced.Txg : _synced.Txg + 1,
            });
            if (!_mode.ReadOnly)
            {
                Relabel();
                WriteTxg(contentsChanged: true);
            }
            _kernel.Kstats.Add(Name, PoolGuid, StateWord());
            _kernel.Add(this);
        }
        _kernel.Events.Add($"sysevent.fs.zfs.pool_{(operation == TruthOperation.Create ? "create" : "import")}", Name, PoolGuid);
        if (!_mode.ReadOnly) _thread = new(this, _kernel.Time);
        return true;
    }

    /// <summary>Changes the pool's contents and commits them with one transaction group.</summary>
    /// <param name="operation">What the truth log calls it: a data write or another change.</param>
    /// <param name="change">The change; it is made only when it can be written.</param>
    /// <param name="relabel">Whether the labels hold something of what changes.</param>
    public Errno Commit(TruthOperation operation, Action<PoolContents, ulong> change, bool relabel = false)
    {
        lock (_gate)
        {
            if (_mode.ReadOnly) return Errno.EROFS;
            if (_exported) return Errno.ENOENT;

            using var passage = _kernel.DiskGate.Enter();
            if (!MayWrite()) return Errno.EAGAIN;

            var txg = _synced.Txg + 1;
            LogTruth(operation, entry => entry with { Txg = txg });
            change(_contents, txg);
            if (relabel) Relabel();
            WriteTxg(contentsChanged: true);
            return Errno.None;
        }
    }

    /// <summary>Shows a text in the pool's kstat, or its state again.</summary>
    public void ShowState(string? text)
    {
        lock (_gate)
        {
            if (!_exported) _kernel.Kstats.Show(Name, text ?? StateWord() + "\n");
        }
    }

    public void Dispose()
    {
        _thread?.Dispose();
        _devices.Dispose();
    }

    /// <summary>
    /// The last look before anything is written: not suspended, disks there, and with multihost on neither a gap in which
    /// another host could have taken over, nor signs that one did. Whatever fails suspends the pool.
    /// </summary>
    bool MayWrite()
    {
        if (_suspended != SuspendReason.None) return false;

        if (_contents.Multihost && _pace.Overdue(_kernel.Tunables()) is { } gap)
        {
            Suspend(SuspendReason.Multihost, $"no multihost write for {gap.TotalMilliseconds:0} ms");
            return false;
        }
        if (_contents.Multihost && _devices.HasNewerThan(_synced, _newest))
        {
            Suspend(SuspendReason.Multihost, "another host has written");
            return false;
        }
        if (_devices.CanWrite()) return true;

        Suspend(SuspendReason.IoFailure, "no device takes a write");
        return false;
    }

    /// <summary>Commits the next transaction group. The caller is inside the disk gate and may write.</summary>
    void WriteTxg(bool contentsChanged)
    {
        if (_devices.FaultUnreachable()) contentsChanged = true;
        var txg = _synced.Txg + 1;
        var tunables = _kernel.Tunables();
        var next = new Uberblock(
            txg,
            _contents.GuidSum(),
            SimulatedTime.UnixSeconds(),
            contentsChanged ? txg : _synced.Birth,
            _contents.Multihost ? _pace.DelayNanoseconds : 0,
            _contents.Multihost ? new((uint)tunables.Interval.TotalMilliseconds, (ushort)tunables.FailIntervals, Sequence: 0) : null);
        if (contentsChanged) _contents.Vdevs = _devices.Recorded();
        _devices.WriteTxg(next, _synced.Birth, contentsChanged ? _contents.ToList() : null);
        _synced = _newest = next;
        _txgWrittenAt = Stopwatch.GetTimestamp();
        // A transaction group's uberblock is as good a sign of life as a multihost write.
        _pace.Landed(_contents.Multihost, tunables, _devices.Leaves.Count);
    }

    /// <summary>Writes the labels of a pool in use, with the number of the transaction group that follows.</summary>
    void Relabel()
    {
        _labelTxg = _synced.Txg + 1;
        WriteLabels(PoolState.Active);
    }

    void WriteLabels(PoolState state)
    {
        var hostId = _kernel.HostId;
        _devices.WriteLabels((topLevel, leaf) => new(
            Name, state, _labelTxg, PoolGuid, _contents.Comment, hostId, _kernel.Host.Name, leaf.VdevGuid,
            (ulong)_contents.Vdevs.Count, topLevel));
    }

    string StateWord() => _suspended == SuspendReason.None ? _devices.HealthWord() : "SUSPENDED";

    void LogTruth(TruthOperation operation, Func<TruthEntry, TruthEntry> details) => _kernel.Log(details(_kernel.Entry(operation) with
    {
        Pool = PoolGuid.ToString(System.Globalization.CultureInfo.InvariantCulture),
        Name = Name,
    }));
}
