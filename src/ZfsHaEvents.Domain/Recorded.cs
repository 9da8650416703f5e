namespace ZfsHaEvents.Domain;

/// <summary>Where an event comes from: who saw or did it, when by that host's clock, and in which order there.</summary>
/// <param name="ObservedAt">When it happened: the host's clock for what a host saw, the database's for what was decided.</param>
/// <param name="Host">The host that saw or did it; null for decisions.</param>
/// <param name="Boot">The boot of that host.</param>
/// <param name="Sequence">Its place among the facts of that boot.</param>
/// <param name="Actor">Who: a person's name, <c>zfsha-agent</c>, <c>zfsha-server</c>.</param>
/// <param name="Late">
/// A newer fact of that host was recorded before this one, or the host has rebooted since, or was lost and has no session yet. It is history,
/// and never changes the present.
/// </param>
public sealed record Stamp(DateTimeOffset ObservedAt, HostName? Host, BootId? Boot, long? Sequence, string Actor, bool Late);

/// <summary>An event with all that is known of it besides its own content.</summary>
/// <param name="Version">Its place in its stream, from 1.</param>
/// <param name="RecordedAt">The database's clock.</param>
public sealed record Recorded<TEvent>(EventId Id, long Version, DateTimeOffset RecordedAt, Stamp Stamp, TEvent Event);
