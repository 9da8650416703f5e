using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Zfs.Operations;

/// <summary>On whose behalf an operation is done, and within which bounds.</summary>
/// <param name="Purpose">What the host lock is taken for, for people.</param>
/// <param name="Actor">Who does it: <c>zfsha-agent</c>, or the Unix user of a typed command.</param>
/// <param name="Limit">From having the lock to the end of the command with the effect; or for reading all labels.</param>
/// <param name="LockWait">How long to wait for the host lock.</param>
public sealed record OperationTerms(string Purpose, string Actor, TimeSpan Limit, TimeSpan LockWait)
{
    /// <summary>The order being carried out; null for a typed command.</summary>
    public OrderId? Order { get; init; }

    /// <summary>Why, in the words of who asked; recorded before the effect.</summary>
    public string? Reason { get; init; }

    /// <summary>
    /// Asked before the lock is waited for, so that what does not stand anyhow holds up nothing that comes after it. Must have no
    /// effect: the gate is asked all the same.
    /// </summary>
    public Func<Refusal?>? BeforeLock { get; init; }

    /// <summary>
    /// Asked when the lock is held, before anything is done or reported as done already. The agent checks the order and
    /// records its epoch here. A refusal is reported and ends the operation; so does an exception, which goes to the caller.
    /// </summary>
    public Func<Task<Refusal?>>? Gate { get; init; }

    /// <summary>How long, once an effect was begun, a report of its outcome that cannot be written is tried again.</summary>
    public TimeSpan ReportPatience { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>Import a pool read-write.</summary>
/// <param name="Force">The proof that <c>-f</c> is needed and permitted; null for an import without it.</param>
/// <param name="Leaves">The pool's leaf devices, as the last holder had them.</param>
public sealed record ImportRequest(PoolGuid Pool, ForceProof? Force, IReadOnlyList<string> Leaves, OperationTerms Terms)
{
    /// <summary>Mount no file system (<c>-N</c>).</summary>
    public bool NoMount { get; init; }
}

/// <summary>Export a pool.</summary>
public sealed record ExportRequest(PoolGuid Pool, OperationTerms Terms);

/// <summary>Read a pool's labels, under no lock.</summary>
/// <param name="Leaves">The pool's leaf devices, as the last holder had them.</param>
public sealed record LabelsRequest(PoolGuid Pool, IReadOnlyList<string> Leaves, OperationTerms Terms);

/// <summary>How an operation went; all of it has been reported as well.</summary>
/// <param name="Failure"><see cref="ZpoolFailure.None"/> when what was asked is so, whoever made it so.</param>
/// <param name="Sight">What was seen last; <see cref="PoolSight.Unknown"/> when the lock was not to be had.</param>
/// <param name="Run">The command with the effect; null when none was run.</param>
/// <param name="Detail">More about the failure; empty when there is nothing more to say.</param>
public sealed record OperationOutcome(ZpoolFailure Failure, PoolSight Sight, ZpoolRun? Run, string Detail)
{
    /// <summary>Set when the gate refused.</summary>
    public Refusal? Refused { get; init; }

    /// <summary>The label that was read, if labels were read and the pool's was found.</summary>
    public PoolLabel? Label { get; init; }
}

/// <summary>Where a host's reports go, to be forwarded to the server.</summary>
public interface IReportSink
{
    /// <summary>The report is durable on this host when this returns.</summary>
    /// <param name="endsOrder">The order in the report, if there is one, is over with it: it need not be given out again.</param>
    /// <exception cref="HostException">It could not be made durable.</exception>
    void Append(HostReport report, bool endsOrder);
}
