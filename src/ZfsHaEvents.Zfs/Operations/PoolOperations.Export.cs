using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Commands;
using ZfsHaEvents.Zfs.Locks;

namespace ZfsHaEvents.Zfs.Operations;

public sealed partial class PoolOperations
{
    async Task<OperationOutcome> ExportAsync(ExportRequest request, HeldLock held, Journal journal, CancellationToken cancellation)
    {
        var terms = request.Terms;
        var limit = new TimeLeft(terms.Limit);
        if (await RefuseAsync(terms, journal) is { } refused) return refused;

        await WaitForForeignImportAsync(request.Pool, limit, cancellation);
        var before = await ForCertainAsync(() => _observer.GlanceAsync(request.Pool, cancellation), journal);
        if (before.Name is not { } name) return ExportEnded(journal, before, null, ZpoolFailure.None, "");

        string[] commandLine = ["zpool", .. Zpool.ExportArguments(name)];
        journal.ReportIntent((number, at) => new HostFact.ExportStarted(number, at, commandLine, terms.Reason));

        // Only now is the name used, which is all that zpool export takes; it must still be this pool's.
        if (_kstats.Read().FirstOrDefault(seen => seen.Name == name) is not { } present || (present.PoolGuid ?? request.Pool) != request.Pool)
        {
            var now = await ForCertainAsync(() => _observer.GlanceAsync(request.Pool, cancellation), journal);
            return ExportEnded(
                journal, now, null, now.Sight.IsImported() ? ZpoolFailure.NotImported : ZpoolFailure.None, $"'{name}' was no longer the pool's name; nothing was run");
        }

        var result = await ActAsync(held, journal, () => _zpool.ExportAsync(name, held, limit.Now(), cancellation));
        var after = await LookAfterAsync(request.Pool, imported: false, result.Run.Ended, journal);
        return ExportEnded(journal, after, result.Run, FailureOf(result.Run, isDone: !after.Sight.IsImported()), result.Run.Stderr.Trim());
    }

    static OperationOutcome ExportEnded(Journal journal, HostLook look, ZpoolRun? run, ZpoolFailure failure, string detail)
    {
        journal.Add(new HostFact.ExportEnded(look.Sequence, look.ObservedAt, run, look.Sight, failure, journal.ZpoolSeconds));
        return new(failure, look.Sight, run, detail);
    }
}
