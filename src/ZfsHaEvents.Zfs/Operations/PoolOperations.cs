using System.Diagnostics;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Commands;
using ZfsHaEvents.Zfs.Locks;

namespace ZfsHaEvents.Zfs.Operations;

/// <summary>
/// The one code path for what is done to pools on this host, ordered or typed: take the host lock, look, is it so already?, report
/// the intent, act within a time limit, look again, report. Success is what is seen, never an exit code.
/// </summary>
/// <remarks>
/// When an operation throws, or its lock was not to be had, no outcome is reported: nothing is known then, and above all not that the pool
/// is absent here. Doing any of them twice changes nothing the second time.
/// </remarks>
public sealed partial class PoolOperations(HostEnvironment host, IReportSink reports, TimeProvider time)
{
    /// <summary>A kstat flickers for up to 100 ms; what was asked and is not seen is looked at again for this long.</summary>
    static readonly TimeSpan SettleTime = TimeSpan.FromMilliseconds(300);

    /// <summary>How long to insist on knowing whether a pool is imported.</summary>
    static readonly TimeSpan CertaintyTime = TimeSpan.FromSeconds(10);

    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    readonly HostLocks _locks = new(host, time);
    readonly HostSequence _sequence = new(host);
    readonly Kstats _kstats = new(host);
    readonly PoolObserver _observer = new(host, time);
    readonly Zpool _zpool = new(host);

    /// <summary>Imports the pool read-write.</summary>
    /// <exception cref="HostException">A report could not be made durable, the host could not be looked at, or its lock not be opened.</exception>
    /// <exception cref="OperationCanceledException">The waiting was cancelled; a command that had been started runs on, under the lock.</exception>
    public Task<OperationOutcome> ImportAsync(ImportRequest request, CancellationToken cancellation = default) =>
        UnderLockAsync(request.Pool, request.Terms, (held, journal) => ImportAsync(request, held, journal, cancellation), cancellation);

    /// <summary>Exports the pool, never with <c>-f</c>.</summary>
    /// <exception cref="HostException">A report could not be made durable, the host could not be looked at, or its lock not be opened.</exception>
    /// <exception cref="OperationCanceledException">The waiting was cancelled; a command that had been started runs on, under the lock.</exception>
    public Task<OperationOutcome> ExportAsync(ExportRequest request, CancellationToken cancellation = default) =>
        UnderLockAsync(request.Pool, request.Terms, (held, journal) => ExportAsync(request, held, journal, cancellation), cancellation);

    /// <summary>Reads the pool's labels and newest uberblocks.</summary>
    /// <exception cref="HostException"/>
    /// <exception cref="OperationCanceledException"/>
    public async Task<OperationOutcome> ReadLabelsAsync(LabelsRequest request, CancellationToken cancellation = default)
    {
        var journal = NewJournal(request.Pool, request.Terms);
        if (await RefuseAsync(request.Terms, journal) is { } refused)
        {
            await journal.ReportOutcomeAsync(endsOrder: true, cancellation);
            return refused;
        }

        var reading = await _zpool.ReadLabelAsync(request.Pool, request.Leaves, request.Terms.Limit, cancellation);
        journal.Add(reading, reading.Detail);
        await journal.ReportOutcomeAsync(endsOrder: true, cancellation);
        var failure = reading.Label is null ? ZpoolFailure.LabelsUnreadable : ZpoolFailure.None;
        return new(failure, PoolSight.Unknown, null, reading.Detail) { Label = reading.Label };
    }

    /// <summary>
    /// Watches the pool's disks for writes, reading only and under no lock: until one is seen, or silence is certain, or the time is over.
    /// </summary>
    /// <param name="progress">Told how long it has watched, and how long it takes at most.</param>
    /// <exception cref="HostException"/>
    /// <exception cref="OperationCanceledException"/>
    public async Task<WatchedDisks> WatchDisksAsync(LabelsRequest request, Action<TimeSpan, TimeSpan>? progress = null, CancellationToken cancellation = default)
    {
        var journal = NewJournal(request.Pool, request.Terms);
        var watched = await new DiskWatch(_zpool).RunAsync(request.Pool, request.Leaves, request.Terms.Limit, progress, cancellation);
        journal.Add((number, at) => new HostFact.DisksWatched(number, at, watched.Verdict.Activity, watched.Seconds, watched.Leaves, watched.Verdict.Reason));
        await journal.ReportOutcomeAsync(endsOrder: false, cancellation);
        return watched;
    }

    async Task<OperationOutcome> UnderLockAsync(
        PoolGuid pool, OperationTerms terms, Func<HeldLock, Journal, Task<OperationOutcome>> operate, CancellationToken cancellation)
    {
        var journal = NewJournal(pool, terms);
        if (terms.BeforeLock?.Invoke() is { } refusal)
        {
            var refused = Refused(refusal, journal);
            await journal.ReportOutcomeAsync(endsOrder: true, cancellation);
            return refused;
        }

        var attempt = await _locks.AcquireAsync(pool, terms.Purpose, terms.LockWait, terms.Order?.Value, cancellation);
        if (attempt is LockAttempt.TimedOut { Waited: var waited, Holder: var holder })
        {
            journal.Add((number, at) => new HostFact.LockTimedOut(number, at, terms.Purpose, waited.TotalSeconds, holder));
            await journal.ReportOutcomeAsync(endsOrder: true, cancellation);
            return new(ZpoolFailure.LockTimedOut, PoolSight.Unknown, null, $"the host lock is held by {holder}");
        }

        var held = ((LockAttempt.Acquired)attempt).Lock;
        var since = Stopwatch.GetTimestamp();
        var ended = false; // When the operation throws, what was noted is reported; that is no outcome, and the order goes on.
        try
        {
            if (held.Broken is { } broken)
                journal.Add((number, at) => new HostFact.LockBroken(number, at, broken.PreviousHolder, broken.Evidence));
            if (!held.IsNested)
                journal.Add((number, at) => new HostFact.LockAcquired(number, at, terms.Purpose, held.Waited.TotalSeconds));
            var outcome = await operate(held, journal);
            ended = true;
            return outcome;
        }
        finally
        {
            if (!held.IsLeftToChild)
            {
                held.Dispose();
                if (!held.IsNested)
                    journal.Add((number, at) => new HostFact.LockReleased(number, at, terms.Purpose, Stopwatch.GetElapsedTime(since).TotalSeconds));
            }
            await journal.ReportOutcomeAsync(ended, cancellation);
        }
    }

    /// <summary>Runs a command with an effect. If it does not end, or is no longer waited for, the lock is its own from then on.</summary>
    static async Task<ChildResult> ActAsync(HeldLock held, Journal journal, Func<Task<ChildResult>> run)
    {
        try
        {
            var result = await run();
            journal.Spend(result.Run.Seconds);
            if (!result.Run.Ended) held.LeaveToChild();
            return result;
        }
        catch (OperationCanceledException) // We are shutting down; the command is not.
        {
            held.LeaveToChild();
            throw;
        }
    }

    /// <summary>What a command's run comes to. What is seen decides; the exit code and the words only say why it is not so.</summary>
    static ZpoolFailure FailureOf(ZpoolRun run, bool isDone) => run switch
    {
        { Ended: false } => ZpoolFailure.TimedOut,
        _ when isDone => ZpoolFailure.None,
        { ExitCode: 0 } => ZpoolFailure.DidNothing,
        _ => run.Failure,
    };

    /// <summary>Asks the gate, and notes its refusal.</summary>
    static async Task<OperationOutcome?> RefuseAsync(OperationTerms terms, Journal journal) =>
        terms.Gate is { } gate && await gate() is { } refusal ? Refused(refusal, journal) : null;

    static OperationOutcome Refused(Refusal refusal, Journal journal)
    {
        journal.Add((number, at) => new HostFact.OrderRefused(number, at, refusal.Reason, refusal.Detail));
        return new(ZpoolFailure.Other, PoolSight.Unknown, null, refusal.Detail) { Refused = refusal };
    }

    /// <summary>Looks when an effect should be visible: if it is not, then once more when the kstats had time to settle.</summary>
    /// <param name="ended">The command has ended. While it has not, the kernel may be at it, and the look may yield that nothing is known.</param>
    async Task<HostLook> LookAfterAsync(PoolGuid pool, bool imported, bool ended, Journal journal)
    {
        var started = Stopwatch.GetTimestamp();
        while (_kstats.Read().Any(seen => seen.PoolGuid == pool) != imported && Stopwatch.GetElapsedTime(started) < SettleTime) await Task.Delay(PollInterval);
        if (!ended)
        {
            var look = await _observer.LookAsync(pool, CancellationToken.None);
            journal.Spend(look.ZpoolSeconds);
            journal.Name ??= look.Name;
            return look;
        }

        return await ForCertainAsync(() => _observer.LookAsync(pool, CancellationToken.None), journal);
    }

    /// <summary>Looks until it can be told whether the pool is imported.</summary>
    /// <exception cref="HostException">It cannot.</exception>
    static async Task<HostLook> ForCertainAsync(Func<Task<HostLook>> lookAsync, Journal journal)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var look = await lookAsync();
            journal.Spend(look.ZpoolSeconds);
            if (look.Sight.Presence != PoolPresence.Unknown)
            {
                journal.Name ??= look.Name;
                return look;
            }
            if (Stopwatch.GetElapsedTime(started) > CertaintyTime)
                throw new HostException($"It cannot be told whether the pool is imported: the kernel is importing it, or shows no pool GUIDs (OpenZFS before 2.2) and zpool list does not answer.");
        }
    }

    /// <summary>
    /// Waits while the kernel is at an import of the pool that did not take the host lock: typed behind our back. Until it is over
    /// the pool is neither imported nor absent.
    /// </summary>
    /// <exception cref="HostException">It is not over within the limit.</exception>
    async Task WaitForForeignImportAsync(PoolGuid pool, TimeLeft limit, CancellationToken cancellation)
    {
        while (_kstats.ReadImportOf(pool) is { } import)
        {
            if (limit.IsOver())
                throw new HostException($"An import of pool {pool} that did not take the host lock is in progress ({import.Notes}); nothing was done.");
            await Task.Delay(PollInterval, cancellation);
        }
    }

    /// <summary>Of the limit of an operation, counted from when its lock was had.</summary>
    sealed class TimeLeft(TimeSpan limit)
    {
        readonly long _started = Stopwatch.GetTimestamp();

        public bool IsOver() => Stopwatch.GetElapsedTime(_started) >= limit;

        /// <summary>Never nothing: a command is always given the chance to be refused.</summary>
        public TimeSpan Now() => TimeSpan.FromMilliseconds(Math.Max(1, (limit - Stopwatch.GetElapsedTime(_started)).TotalMilliseconds));
    }

    Journal NewJournal(PoolGuid pool, OperationTerms terms) => new(host, _sequence, reports, time, pool, terms);
}
