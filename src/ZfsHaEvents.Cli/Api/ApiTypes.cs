using System.Text.Json;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Domain.Views;

namespace ZfsHaEvents.Cli.Api;

/// <summary>An event of a pool's history as the server tells it.</summary>
/// <param name="ObservedAt">When it happened, by the clock of who saw it.</param>
/// <param name="RecordedAt">When it was recorded, by the database's clock.</param>
/// <param name="Late">It arrived after newer news of its host.</param>
/// <param name="Request">The switchover or failover it belongs to.</param>
/// <param name="Data">The event as it is stored.</param>
sealed record HistoryEntry(
    long Version, EventId Id, string Type, DateTimeOffset ObservedAt, DateTimeOffset RecordedAt, string? Host, string? Boot, long? Sequence, bool Late, string? Actor,
    string? Request, string? Message, string? Trace, JsonElement Data);

/// <summary>A host, and its lease as the database judges it.</summary>
sealed record HostState(HostView Host, bool Alive, DateTimeOffset? RenewedAt);

/// <summary>A message that was given up on.</summary>
/// <param name="Json">The message as it was on the bus.</param>
sealed record DeadLetter(Guid Id, string Queue, string Json, int Attempts, string Reason, string Detail, DateTimeOffset EnqueuedAt, DateTimeOffset DeadAt);

/// <summary>The readers of events, and what keeps them from going on.</summary>
/// <param name="HoldingBack">Transactions that no reader goes past, oldest first.</param>
/// <param name="LastSeqId">The number of the event written last; 0 when there is none.</param>
sealed record ProjectionsState(IReadOnlyList<ReaderState> Readers, IReadOnlyList<HoldingBack> HoldingBack, long LastSeqId);

/// <summary>How far a reader is, and what it could not take in.</summary>
/// <param name="Running">A server runs it now.</param>
/// <param name="EventsBehind">Events it has not taken in; counting stops at ten thousand.</param>
/// <param name="SecondsBehind">The age of the oldest of these; 0 when there is none.</param>
/// <param name="Parked">Streams it skips.</param>
sealed record ReaderState(
    string Name, long LastSeqId, DateTimeOffset? LastMovedAt, bool Running, DateTimeOffset? PausedAt, string? PausedBy, long EventsBehind, double SecondsBehind,
    IReadOnlyList<ParkedStream> Parked);

/// <summary>The first event of a stream that a reader skips, and why.</summary>
sealed record ParkedStream(string Stream, long Version, string Type, string Error, DateTimeOffset ParkedAt);

/// <summary>A transaction that may still write before what others have written already.</summary>
/// <param name="Pid">The backend's process; null for a prepared transaction.</param>
/// <param name="Query">What it runs, or ran last; null when the server's login may not see it.</param>
sealed record HoldingBack(int? Pid, string? Login, string? Application, string? Database, string? State, DateTimeOffset? BeganAt, double Seconds, string? Query);

/// <summary>What a pool has been through, in numbers.</summary>
/// <param name="Version">The last event of its stream that they contain.</param>
sealed record ActivityEntry(PoolGuid Pool, long Version, PoolActivity Activity);

/// <summary>How the server is.</summary>
/// <param name="Now">The database's clock.</param>
/// <param name="PrivateDatabase">Connection string of the private PostgreSQL that the server started; null when it was given one.</param>
sealed record Health(string Status, DateTimeOffset Now, Incarnation Incarnation, string? PrivateDatabase);

/// <summary>What came of a request.</summary>
/// <param name="Dossier">Of the switchover or failover it began; null for other requests.</param>
sealed record Answer(RequestId Id, IReadOnlyList<HistoryEntry> Events, Dossier? Dossier);

/// <summary>An error (RFC 9457).</summary>
sealed record Problem(string? Type = null, string? Title = null, string? Detail = null);

/// <summary>Which events are wanted.</summary>
/// <param name="After">Only later versions.</param>
sealed record HistoryFilter(
    IReadOnlyList<string> Types, HostName? Host, RequestId? Request, DateTimeOffset? From, DateTimeOffset? To, long? After, int Limit, bool NewestFirst)
{
    public static readonly HistoryFilter All = new([], null, null, null, null, null, 10_000, NewestFirst: false);
}

// ---- what is asked ---------------------------------------------------------------------------------------------------

sealed record SwitchoverBody(HostName To, string By, string? Reason, RequestId Id);

sealed record FailoverBody(string By, HostName? To, string? Reason, HostName? FencedHost, string? FencingStatement, RequestId Id);

sealed record FencingBody(HostName Host, string By, string Statement, RequestId Id);

sealed record CallOffBody(string By, string Reason, RequestId Id);

sealed record AcknowledgeBody(string By, string Comment, RequestId Id);

sealed record PolicyBody(bool Automatic, FencingMethod Fencing, IReadOnlyList<HostName> Targets, string By, RequestId Id);

/// <summary>Puts a dead letter back on its queue.</summary>
sealed record ReplayBody(string By);

/// <summary>Forgets a dead letter.</summary>
sealed record DiscardBody(string By, string Reason);

/// <summary>Stops a reader, lets it go on, or has a view made anew.</summary>
sealed record AskedBody(string By);

/// <summary>Has a parked stream tried again.</summary>
sealed record ReplayStreamBody(string By, string Stream);
