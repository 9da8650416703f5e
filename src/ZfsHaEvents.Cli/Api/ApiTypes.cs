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
