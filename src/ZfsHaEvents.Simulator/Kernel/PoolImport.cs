using System.Diagnostics;
using System.Globalization;
using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.Protocol;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>What a command asks for when it imports.</summary>
/// <param name="PoolGuid">The pool.</param>
/// <param name="NewName">Another name for it, if wanted.</param>
/// <param name="Force">Whatever the labels say (ZFS_IMPORT_ANY_HOST). An activity check is made all the same.</param>
/// <param name="Mode">Read-only, alternate root, cachefile.</param>
/// <param name="Paths">The devices the command found, by leaf GUID.</param>
/// <param name="Seen">What the try before it saw, when it made an activity check.</param>
sealed record ImportRequest(
    ulong PoolGuid, string? NewName, bool Force, ImportMode Mode, IReadOnlyDictionary<ulong, string> Paths, SeenUberblock? Seen);

/// <summary>Why an import failed.</summary>
/// <param name="Error">None when it did not.</param>
/// <param name="Mmp">With EREMOTEIO: what the check found.</param>
/// <param name="Result">With EREMOTEIO: what else it may have been.</param>
/// <param name="Label">The newest label: whose name a refusal gives.</param>
readonly record struct ImportOutcome(Errno Error, MmpState? Mmp = null, MmpResult Result = MmpResult.None, VdevLabel? Label = null);

/// <summary>Trying and importing pools (spa_tryimport and spa_import, with the activity checks of 2.3.9).</summary>
sealed class PoolImport(HostKernel kernel)
{
    /// <summary>spa_load_state_t as import_progress shows it.</summary>
    const int LoadStateImport = 2;
    const int LoadStateTry = 3;

    /// <summary>Looks whether the pool can be imported; a multihost pool is watched as long as an import must watch it.</summary>
    /// <returns>Nothing when the pool cannot be read.</returns>
    /// <exception cref="OperationCanceledException">The caller is gone.</exception>
    public async Task<ImportConfig?> TryAsync(ulong poolGuid, IReadOnlyDictionary<ulong, string> paths, CancellationToken cancel)
    {
        await kernel.Namespace.WaitAsync(cancel);
        try
        {
            using var opened = OpenedPool.Open(kernel.Host, poolGuid, paths);
            if (opened is null) return null;

            MmpState? mmp = null;
            if (opened.NeedsCheck(kernel.HostId)) mmp = await CheckAsync(opened, LoadStateTry, cancel);
            return opened.Config(mmp);
        }
        finally
        {
            kernel.Namespace.Release();
        }
    }

    /// <exception cref="OperationCanceledException">The caller is gone before the pool was claimed.</exception>
    public async Task<ImportOutcome> ImportAsync(ImportRequest request, CancellationToken cancel)
    {
        await kernel.Namespace.WaitAsync(cancel);
        try
        {
            if (kernel.Pools.Exists(pool => pool.PoolGuid == request.PoolGuid)) return new(Errno.EEXIST);
            if (request.NewName is { } taken && kernel.Find(taken) is not null) return new(Errno.EEXIST);

            var opened = OpenedPool.Open(kernel.Host, request.PoolGuid, request.Paths);
            if (opened is null) return new(Errno.ENXIO);

            var outcome = await ImportOpenedAsync(opened, request, cancel);
            if (outcome.Error == Errno.None) return outcome;

            LogRefusal(opened, request, outcome);
            opened.Dispose();
            return outcome;
        }
        finally
        {
            kernel.Namespace.Release();
        }
    }

    async Task<ImportOutcome> ImportOpenedAsync(OpenedPool opened, ImportRequest request, CancellationToken cancel)
    {
        var (contents, label, best) = (opened.Contents, opened.Label, opened.Best);
        if (request.NewName is null && kernel.Find(contents.Name) is not null) return new(Errno.EEXIST);
        if (opened.Devices.Health() == VdevHealth.Unavailable) return new(Errno.ENXIO);

        var heldByOther = label.State == PoolState.Active && label.HostId != 0 && label.HostId != kernel.HostId;
        if (heldByOther && !request.Force) return new(Errno.EBADF);

        var check = opened.NeedsCheck(kernel.HostId);
        if (check)
        {
            var mmp = request.Seen is { } seen
                ? VerifySeen(opened, seen)
                : await CheckAsync(opened, LoadStateImport, cancel);
            if (mmp != MmpState.Inactive) return new(Errno.EREMOTEIO, mmp, MmpResult.None, label);
        }
        // Reading a whole pool takes its time, and no signal ends it.
        await Task.Delay(TimeSpan.FromSeconds(kernel.Settings.Current.ImportSeconds), CancellationToken.None);

        var claimedAt = Stopwatch.GetTimestamp();
        if (check)
        {
            var claim = await new MmpClaim(kernel, opened, LoadStateImport).EstablishAsync(cancel);
            if (claim.Outcome is not MmpClaimOutcome.Established)
            {
                var result = claim.Outcome == MmpClaimOutcome.Unreachable ? MmpResult.ClaimUnreachable : MmpResult.None;
                return new(Errno.EREMOTEIO, MmpState.Active, result, opened.Devices.Label() ?? label);
            }
            claimedAt = claim.WrittenAt;
        }
        contents.Name = request.NewName ?? contents.Name;
        foreach (var step in (ReadOnlySpan<string>)["open", "import"])
        {
            contents.Remember(new(
                SimulatedTime.UnixSeconds(), kernel.Host.Name, best.Txg + 1, $"{step} {PoolCreation.Version(kernel.Host.Name)}"));
        }
        var pool = new ImportedPool(kernel, contents, opened.Devices, best, request.Mode);
        return pool.Activate(TruthOperation.Import, request.Force, () => !check || StillClaimed(opened, claimedAt))
            ? new(Errno.None)
            : new(Errno.EREMOTEIO, MmpState.Active, MmpResult.None, label);
    }

    /// <summary>Nothing changed on the disks since the last claim write, and it is younger than a holder's own limit.</summary>
    bool StillClaimed(OpenedPool opened, long claimedAt)
    {
        var mmp = opened.Best.Mmp ?? throw new UnreachableException("A claimed pool has multihost settings.");
        var limit = TimeSpan.FromMilliseconds(mmp.IntervalMilliseconds) * Math.Max((int)mmp.FailIntervals, ActivityCheck.ClaimWrites);
        return kernel.Time.NominalSince(claimedAt) < limit && opened.Devices.Best() == opened.Best;
    }

    MmpState VerifySeen(OpenedPool opened, SeenUberblock seen)
    {
        if (kernel.HostId == 0) return MmpState.NoHostId;

        return SeenUberblock.Of(opened.Best) == seen ? MmpState.Inactive : MmpState.Active;
    }

    async Task<MmpState> CheckAsync(OpenedPool opened, int loadState, CancellationToken cancel)
    {
        if (kernel.HostId == 0) return MmpState.NoHostId;

        var progress = new CheckProgress(opened.PoolGuid, opened.Contents.Name, loadState);
        return await kernel.WatchAsync(opened.Devices, opened.Best, progress, cancel) ? MmpState.Active : MmpState.Inactive;
    }

    void LogRefusal(OpenedPool opened, ImportRequest request, ImportOutcome outcome) =>
        kernel.Log(kernel.Entry(TruthOperation.ImportRefused) with
        {
            Pool = opened.PoolGuid.ToString(CultureInfo.InvariantCulture),
            Name = opened.Contents.Name,
            Mode = request.Mode.ReadOnly ? "ro" : "rw",
            Forced = request.Force,
            Reason = string.Join(' ', ((object?[])[outcome.Error, outcome.Mmp, outcome.Result]).Where(part => part is not null)),
        });
}
