namespace ZfsHaEvents.Zfs.Spooling;

/// <summary>
/// How far an entry may fill the spool. What is observed and what is begun by itself stops first, what a person types later, and the
/// outcome of what was begun never: so nothing is begun whose outcome could not be told, and a person can still act.
/// </summary>
public enum SpoolShare
{
    /// <summary>What nobody typed: up to three quarters of the limit. What it tells can be looked at again, and what it begins is not begun.</summary>
    Routine,

    /// <summary>What a person typed: up to nine tenths.</summary>
    Typed,

    /// <summary>The outcome of what was begun: always. There are never more of them than beginnings that were let in.</summary>
    Outcome,
}

/// <summary>What is to be kept of an entry for which there is no room.</summary>
/// <param name="Subject">Of one subject there is one record, however many entries are refused: the pool's GUID.</param>
/// <param name="What">What kind of entry it is, in a word or a few.</param>
/// <param name="Tell">The text of the entry that tells of all that were refused, once there is room again.</param>
public sealed record SpoolRefusal(string Subject, string What, Func<RefusedEntries, string> Tell);

/// <summary>The entries of one subject that were refused since this was last told.</summary>
/// <param name="Kinds">How many of each kind.</param>
public sealed record RefusedEntries(string Subject, DateTimeOffset First, DateTimeOffset Last, IReadOnlyDictionary<string, long> Kinds)
{
    /// <summary>With one more.</summary>
    public RefusedEntries With(string kind, DateTimeOffset at) =>
        this with { Last = at, Kinds = new SortedDictionary<string, long>(Kinds.ToDictionary()) { [kind] = Kinds.GetValueOrDefault(kind) + 1 } };
}

/// <summary>What the spool is like.</summary>
/// <param name="Entries">How many wait to be told.</param>
/// <param name="Oldest">When the first of them was written; null when none waits.</param>
/// <param name="Bytes">What the entries take on the disk.</param>
/// <param name="IsFull">What nobody types is refused.</param>
/// <param name="Unreadable">A sentence for each file that is no entry; the agent puts it aside when it comes to it.</param>
/// <param name="PutAside">The files in <c>bad/</c>: each was no entry, and none of them is told.</param>
/// <param name="Unfinished">What writers that died left, or are at this moment writing: none of it was ever acknowledged, and the next append removes it.</param>
/// <param name="Refused">What was refused for want of room and is to be told once there is some.</param>
public sealed record SpoolFound(
    string Directory, long Entries, DateTimeOffset? Oldest, long Bytes, long BytesMax, bool IsFull,
    IReadOnlyList<string> Unreadable, IReadOnlyList<string> PutAside, int Unfinished, IReadOnlyList<RefusedEntries> Refused);
