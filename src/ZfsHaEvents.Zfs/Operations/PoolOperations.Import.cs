using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Commands;
using ZfsHaEvents.Zfs.Locks;

namespace ZfsHaEvents.Zfs.Operations;

public sealed partial class PoolOperations
{
    async Task<OperationOutcome> ImportAsync(ImportRequest request, HeldLock held, Journal journal, CancellationToken cancellation)
    {
        var terms = request.Terms;
        var limit = new TimeLeft(terms.Limit);
        if (await RefuseAsync(terms, journal) is { } refused) return refused;

        await WaitForForeignImportAsync(request.Pool, limit, cancellation);
        var before = await ForCertainAsync(() => _observer.LookAsync(request.Pool, cancellation), journal);
        if (before.Sight.IsHeld()) return ImportEnded(journal, before, null, ZpoolFailure.None, "");

        var force = false;
        if (request.Force is { } proof)
        {
            var check = await CheckForceAsync(request, proof, limit, journal, cancellation);
            if (check.Failure != ZpoolFailure.None)
            {
                // Looked at anew, for what is reported later must have been seen later.
                var now = await ForCertainAsync(() => _observer.LookAsync(request.Pool, cancellation), journal);
                return ImportEnded(journal, now, null, check.Failure, check.Detail);
            }
            force = check.Force;
        }

        var options = new ImportOptions(force, request.NoMount, Devices(request.Leaves));
        string[] commandLine = ["zpool", .. Zpool.ImportArguments(request.Pool, options)];
        journal.ReportIntent((number, at) => new HostFact.ImportStarted(number, at, commandLine, terms.Reason));
        var result = await ActAsync(held, journal, () => _zpool.ImportAsync(request.Pool, options, held, limit.Now(), cancellation));

        if (result.Run.Failure == ZpoolFailure.NotVisible && options.Devices.Count > 0)
        {
            // The paths exist here and are other disks. ZFS's own search goes by what is on them.
            result = await ActAsync(held, journal, () => _zpool.ImportAsync(request.Pool, options with { Devices = [] }, held, limit.Now(), cancellation));
        }

        var after = await LookAfterAsync(request.Pool, imported: true, result.Run.Ended, journal);
        return ImportEnded(journal, after, result.Run, FailureOf(result.Run, isDone: after.Sight.IsHeld()), result.Run.Stderr.Trim());
    }

    async Task<ForceCheck> CheckForceAsync(ImportRequest request, ForceProof proof, TimeLeft limit, Journal journal, CancellationToken cancellation)
    {
        var reading = await _zpool.ReadLabelAsync(request.Pool, request.Leaves, limit.Now() / 2, cancellation); // The rest is the import's.
        journal.Spend(reading.Seconds);
        var check = ForceCheck.Of(proof, reading);
        var detail = check.Detail.EndsWith(reading.Detail, StringComparison.Ordinal) ? check.Detail : $"{check.Detail}\n{reading.Detail}";
        journal.Add(reading, detail);
        return check;
    }

    /// <summary>
    /// The devices that the search may be confined to, which spares it every other disk of the host: all leaves, if they are all here
    /// and their names mean the same disk on every host. None otherwise: with a part of the leaves a pool would be imported
    /// degraded although its other disks are there under other names.
    /// </summary>
    List<string> Devices(IReadOnlyList<string> leaves) => leaves.All(leaf => HasStableName(leaf) && host.HasDevice(leaf)) ? [.. leaves] : [];

    static bool HasStableName(string leaf) =>
        Zpool.IsDevicePath(leaf)
        && (leaf.StartsWith("/dev/disk/by-", StringComparison.Ordinal) || leaf.StartsWith("/dev/mapper/", StringComparison.Ordinal));

    static OperationOutcome ImportEnded(Journal journal, HostLook look, ZpoolRun? run, ZpoolFailure failure, string detail)
    {
        journal.Add(new HostFact.ImportEnded(look.Sequence, look.ObservedAt, run, look.Sight, failure, journal.ZpoolSeconds));
        return new(failure, look.Sight, run, detail);
    }
}
