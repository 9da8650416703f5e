namespace ZfsHaEvents.Store;

/// <summary>An event to be appended.</summary>
/// <param name="Type">The stored alias; frozen once an event of it is stored.</param>
/// <param name="DotnetType">"Namespace.Type, Assembly": what a Marten application resolves an unregistered alias by.</param>
/// <param name="Json">The body: PascalCase members, readable with System.Text.Json's defaults.</param>
/// <param name="HeadersJson">A flat JSON object of metadata.</param>
/// <param name="ObservedAt">When it happened, by the clock of who saw it.</param>
/// <param name="Actor">Who did it (<c>user_name</c>).</param>
/// <param name="Correlation">What it belongs to (<c>correlation_id</c>).</param>
public sealed record NewEvent(
    Guid Id, string Type, string DotnetType, string Json, string HeadersJson, DateTimeOffset ObservedAt, string Actor, string? Correlation);

/// <summary>An event as it is stored.</summary>
/// <param name="Version">Its place in its stream, from 1.</param>
/// <param name="RecordedAt">The database's clock.</param>
/// <param name="Causation">The message that led to it (<c>causation_id</c>).</param>
public sealed record StoredEvent(
    string Stream, long Version, Guid Id, string Type, string Json, string HeadersJson, DateTimeOffset RecordedAt, DateTimeOffset ObservedAt,
    string? Actor, string? Correlation, string? Causation);

/// <summary>A stream, and what the database knew in the same moment.</summary>
/// <param name="Version">The stream's version; 0 when it does not exist.</param>
/// <param name="Now">The database's clock, read in the same statement.</param>
/// <param name="Incarnation">The identity of this history.</param>
/// <param name="Leases">Every lease, read in the same statement.</param>
public sealed record StreamRead(long Version, IReadOnlyList<StoredEvent> Events, DateTimeOffset Now, Guid Incarnation, IReadOnlyList<Lease> Leases);

/// <summary>A lease as the database judges it.</summary>
/// <param name="Alive">Not declared lost. That it was not renewed in time is the watch's to judge, which alone knows of its own gaps.</param>
/// <param name="Attributes">What the holder said of itself when it was granted; JSON.</param>
public sealed record Lease(string Holder, Guid Session, DateTimeOffset RenewedAt, bool Lost, bool Alive, string Attributes);

/// <summary>A lease that ran out and has not been declared lost yet.</summary>
public sealed record ExpiredLease(string Holder, Guid Session, DateTimeOffset RenewedAt, double LeaseSeconds);

/// <summary>A message to be put on a queue.</summary>
/// <param name="Id">Its row's identity: putting it twice puts it once.</param>
/// <param name="Json">A CloudEvents 1.0 message in structured JSON; its <c>subject</c> is the group in which messages stay in order.</param>
/// <param name="Delay">How long until it falls due.</param>
public sealed record NewMessage(Guid Id, string Queue, string Json, TimeSpan Delay);

/// <summary>A message taken from a queue, for as long as the visibility time-out lasts.</summary>
/// <param name="Attempts">How often it has been taken, this time included. It is the lease: only the last taker can complete it.</param>
/// <param name="Failures">How often a fault of its handlers failed it; written back when it is given back.</param>
/// <param name="Now">The database's clock when it was taken.</param>
public sealed record ClaimedMessage(Guid Id, string Queue, string Json, int Attempts, int Failures, DateTimeOffset EnqueuedAt, DateTimeOffset Now);

/// <summary>A message that was given up on.</summary>
public sealed record DeadLetter(Guid Id, string Queue, string Json, int Attempts, string Reason, string Detail, DateTimeOffset EnqueuedAt, DateTimeOffset DeadAt);

/// <summary>The message that a commit handles: it is deleted with the commit, and its key remembered.</summary>
/// <param name="Key">Identifies the message however often it was put on the queue; null to remember nothing.</param>
public sealed record Handled(Guid Id, int Attempts, string? Key);

/// <summary>A document written with the commit.</summary>
/// <param name="Kind">Which table: <c>mt_doc_{kind}</c>.</param>
/// <param name="Version">The version of the stream it was made from.</param>
public sealed record Document(string Kind, string Id, string Json, string DotnetType, long Version);

/// <summary>What a commit does to a lease.</summary>
public abstract record LeaseChange(string Holder, Guid Session)
{
    /// <summary>A new session takes the lease, whoever had it.</summary>
    public sealed record Grant(string Holder, Guid Session, TimeSpan Duration, string Attributes) : LeaseChange(Holder, Session);

    /// <summary>The lease is declared lost: only if it has still not been renewed when the commit gets there.</summary>
    public sealed record Lose(string Holder, Guid Session) : LeaseChange(Holder, Session);
}

/// <summary>Undelivered messages that a commit makes void: those of a group, in queues whose name begins so.</summary>
public sealed record Void(string Group, string QueuePrefix);

/// <summary>Everything that follows from one message, in one transaction.</summary>
/// <param name="ExpectedVersion">The version that the decision was made on.</param>
/// <param name="RecordedAt">The database's clock as read with the stream.</param>
/// <param name="Causation">The message's key, for <c>causation_id</c>.</param>
public sealed record Commit(string Stream, string StreamType, long ExpectedVersion, DateTimeOffset RecordedAt, string? Causation)
{
    public IReadOnlyList<NewEvent> Events { get; init; } = [];

    public Handled? Handled { get; init; }

    public IReadOnlyList<NewMessage> Messages { get; init; } = [];

    public Void? Void { get; init; }

    public IReadOnlyList<Document> Documents { get; init; } = [];

    public LeaseChange? Lease { get; init; }
}

/// <summary>What became of a commit. Everything but <see cref="Committed"/> and <see cref="Duplicate"/> changed nothing.</summary>
public enum CommitResult
{
    Committed,

    /// <summary>The message's key was handled before; the message is gone from the queue, and nothing else was written.</summary>
    Duplicate,

    /// <summary>Somebody appended first. Load and decide again.</summary>
    VersionConflict,

    /// <summary>The message was taken by somebody else meanwhile; theirs is the outcome.</summary>
    NotOurs,

    /// <summary>The lease to be declared lost was renewed after all.</summary>
    LeaseHeld,

    /// <summary>The stream is archived and takes no events.</summary>
    Archived,
}

/// <summary>Which events of a stream are wanted, newest first or oldest first.</summary>
/// <param name="Types">Only these aliases; empty for all.</param>
/// <param name="Host">Only what this host saw or did (<c>host</c> in the headers).</param>
/// <param name="Correlation">Only what belongs to this request.</param>
/// <param name="From">Observed at or after.</param>
/// <param name="To">Observed before or at.</param>
/// <param name="AfterVersion">Only later versions.</param>
/// <param name="Limit">At most so many.</param>
public sealed record EventQuery(
    string Stream, IReadOnlyList<string> Types, string? Host, string? Correlation, DateTimeOffset? From, DateTimeOffset? To, long AfterVersion, int Limit, bool NewestFirst);

/// <summary>Which events of a stream are wanted as of an instant: of all observed at or before it, and in order of version.</summary>
/// <param name="LatestOfEachHost">Of each host, the one of these aliases that was observed last; all of them where several were at the same instant.</param>
/// <param name="Latest">Of each of these aliases, the one of the highest version: what was decided last, whichever clock it was decided by.</param>
/// <remarks>The event observed first is always among them: it tells whether the stream had begun.</remarks>
public sealed record AsOfQuery(string Stream, DateTimeOffset At, IReadOnlyList<string> LatestOfEachHost, IReadOnlyList<string> Latest);
