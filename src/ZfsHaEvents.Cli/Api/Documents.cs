using System.Text.Json;
using ZfsHaEvents.Cli.OnHost;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Domain.Views;
using ZfsHaEvents.Zfs.Locks;
using ZfsHaEvents.Zfs.Posture;
using ZfsHaEvents.Zfs.Spooling;

namespace ZfsHaEvents.Cli.Api;

// What --json prints, beyond what the server's own answers are. Names of members are frozen.

/// <summary>An error, on standard error.</summary>
/// <param name="Error">The class: <c>usage</c>, <c>refused</c>, <c>unreachable</c>, <c>failed</c>.</param>
/// <param name="Reason">One word that programs can go by.</param>
/// <param name="Advice">What to do instead; empty when there is nothing to say.</param>
sealed record ErrorDocument(string Error, string Reason, string Detail, string Advice, int ExitCode);

/// <summary>Something that is said beside the result, on standard error.</summary>
sealed record NoticeDocument(string Notice);

/// <summary>An event, with the sentence that <c>history</c> makes of it.</summary>
sealed record HistoryDocument(
    long Version, EventId Id, string Type, DateTimeOffset ObservedAt, DateTimeOffset RecordedAt, string? Host, string? Boot, long? Sequence, bool Late, string? Actor,
    string? Request, string? Message, string? Trace, string Sentence, JsonElement Data)
{
    public static HistoryDocument Of(HistoryEntry e, string sentence) => new(
        e.Version, e.Id, e.Type, e.ObservedAt, e.RecordedAt, e.Host, e.Boot, e.Sequence, e.Late, e.Actor, e.Request, e.Message, e.Trace, sentence, e.Data);
}

/// <summary>Who holds or held a pool.</summary>
/// <param name="At">The instant asked about.</param>
/// <param name="Known">Anything was known of the pool by then.</param>
/// <param name="Claimant">The host that might hold it.</param>
/// <param name="Holders">The hosts that were seen holding it.</param>
/// <param name="Awaited">The hosts whose word is missing.</param>
/// <param name="Verdict"><c>held</c>, <c>nobody</c>, <c>conflict</c> or <c>doubt</c>.</param>
/// <param name="Agrees">Claim and observation say the same.</param>
/// <param name="Sentence">All of it for people.</param>
sealed record OwnerDocument(
    PoolGuid Pool, PoolName? Name, DateTimeOffset At, bool Known, HostName? Claimant, Epoch Epoch, IReadOnlyList<HolderAt> Holders, IReadOnlyList<HostName> Awaited,
    string Verdict, bool Agrees, string Sentence);

/// <summary>A dossier with the events it rests on.</summary>
sealed record DossierDocument(Dossier Dossier, IReadOnlyList<HistoryDocument> Events);

/// <summary>A request was recorded; what came of it at once.</summary>
sealed record RequestDocument(RequestId Id, IReadOnlyList<HistoryDocument> Events);

/// <summary>A message was put on the bus.</summary>
/// <param name="Id">The message's own id.</param>
/// <param name="Row">The id of its row on the queue.</param>
/// <param name="Follow">The command that shows what becomes of it.</param>
sealed record SentDocument(string Id, string Type, Guid Row, string Follow);

/// <summary>What came of one dead letter that was to be replayed or discarded.</summary>
/// <param name="Outcome"><c>replayed</c> or <c>discarded</c>; or the server's reason for doing neither, such as <c>UnknownDeadLetter</c>.</param>
/// <param name="Queue">The queue that the message was taken from; null when nothing was done.</param>
/// <param name="Detail">Why nothing was done; null when it was done.</param>
sealed record DeadLetterOutcome(Guid Id, string Outcome, string? Queue, string? Detail);

/// <summary>A message type.</summary>
/// <param name="Group"><c>request</c>, <c>report</c>, <c>internal</c> or <c>order</c>.</param>
/// <param name="Example">A whole message of this type; null for what only the product sends.</param>
sealed record MessageTypeDocument(string Type, string Group, JsonElement? Example);

/// <summary>An import or export on this host.</summary>
/// <param name="Failure"><c>None</c> when what was asked is so.</param>
/// <param name="WasSo">It was so already; nothing was run.</param>
sealed record OperationDocument(PoolGuid Pool, HostName Host, ZpoolFailure Failure, bool WasSo, PoolSight Sight, ZpoolRun? Run, string Detail);

/// <summary>A pool whose labels are on this host's devices.</summary>
/// <param name="Devices">The devices that carry them, as this host names them.</param>
/// <param name="ImportedHere">It is imported on this host now.</param>
sealed record ScannedPoolDocument(PoolGuid Pool, string Name, PoolLabel Label, IReadOnlyList<string> Devices, bool ImportedHere);

/// <summary>What watching a pool's disks from this host came to.</summary>
/// <param name="ImportedHere">It is imported on this host: the writes may be its own.</param>
sealed record WitnessDocument(PoolGuid Pool, HostName Host, DiskActivity Activity, string Reason, double WatchedSeconds, IReadOnlyList<WatchedLeaf> Leaves, bool ImportedHere);

/// <summary>What was found on this host's devices.</summary>
/// <param name="Problems">Devices that could not be read, and why.</param>
sealed record ScanDocument(HostName Host, int DevicesRead, IReadOnlyList<ScannedPoolDocument> Pools, IReadOnlyList<string> Problems);

/// <summary>How safely this host and its pools are set up.</summary>
/// <param name="Verdict"><c>fine</c>, <c>unsafe</c> or <c>undetermined</c>.</param>
/// <param name="HostId">SPL's active hostid; null when it is not known.</param>
/// <param name="Version">OpenZFS's; null when it is not known.</param>
/// <param name="TakeoverTime">What the host's parameters imply; null when that is not known.</param>
/// <param name="Pools">The imported pools that were looked at.</param>
/// <param name="Findings">The worst first.</param>
sealed record PostureDocument(
    HostName Host, string Verdict, ZfsHostId? HostId, string? Version, TakeoverTime? TakeoverTime, IReadOnlyList<PoolName> Pools, IReadOnlyList<PostureFinding> Findings)
{
    public static PostureDocument Of(HostName host, PostureReport report) => new(
        host, report.IsViolated() ? "unsafe" : report.IsUncertain() ? "undetermined" : "fine", report.HostId, report.Version, report.TakeoverTime, report.Pools, report.Findings);
}

/// <summary>A host lock.</summary>
/// <param name="Name">The pool's name while it is imported here; null otherwise.</param>
/// <param name="Holder">Who took it last and has not given it back, as recorded; null when nobody is, or the record is torn.</param>
/// <param name="Processes">Those that have it, as the kernel shows them.</param>
/// <param name="Waiting">Those that wait for it.</param>
/// <param name="Evidence">Why the recorded holder cannot have it any more; null unless it is stale.</param>
sealed record LockDocument(
    PoolGuid Pool, string? Name, LockCondition State, LockRecord? Holder, IReadOnlyList<LockProcess> Processes, IReadOnlyList<LockProcess> Waiting, string? Evidence);

/// <summary>The host locks of this host.</summary>
/// <param name="Problems">A sentence for each file that could not be read as a lock.</param>
sealed record LocksDocument(HostName Host, IReadOnlyList<LockDocument> Locks, IReadOnlyList<string> Problems);

/// <summary>What waits on this host's disk to be told.</summary>
/// <param name="State">In one word: what the exit code says.</param>
sealed record SpoolDocument(HostName Host, SpoolCondition State, SpoolFound Spool);
