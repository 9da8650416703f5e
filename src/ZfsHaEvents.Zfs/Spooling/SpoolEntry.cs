using ZfsHaEvents.Domain;

namespace ZfsHaEvents.Zfs.Spooling;

/// <summary>Something this host has to tell the server.</summary>
/// <param name="Number">Its place in the order of telling; never used again.</param>
/// <param name="Completes">The order whose outcome this is; null for everything else.</param>
/// <param name="Text">JSON; what it says is the business of who wrote it.</param>
public sealed record SpoolEntry(long Number, OrderId? Completes, string Text);

/// <summary>What is in the spool.</summary>
/// <param name="Entries">In the order in which they were appended.</param>
/// <param name="Bad">A sentence for each file that could not be read as an entry and was put aside.</param>
public sealed record SpoolReading(IReadOnlyList<SpoolEntry> Entries, IReadOnlyList<string> Bad);
