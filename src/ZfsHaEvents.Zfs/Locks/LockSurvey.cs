using System.Text.Json.Serialization;
using ZfsHaEvents.Domain;

namespace ZfsHaEvents.Zfs.Locks;

/// <summary>What a host lock is at one moment.</summary>
[JsonConverter(typeof(NameConverter<LockCondition>))]
public enum LockCondition
{
    /// <summary>Nobody has it, and whoever had it last gave it back.</summary>
    Free,

    /// <summary>The holder in the record has it.</summary>
    Held,

    /// <summary>The holder in the record has it no more; a command that was started under it does.</summary>
    LeftToChild,

    /// <summary>Somebody has it, and the record names nobody: it is just being taken, or what took it died before it could write.</summary>
    HeldByUnknown,

    /// <summary>Nobody has it, and its record names somebody who died with it. Whoever takes it next records that.</summary>
    Stale,
}

/// <summary>A host lock as it was found, without being touched.</summary>
/// <param name="Record">Who took it last and has not given it back, as recorded; null when nobody is, or the record is torn.</param>
/// <param name="Processes">Those that have it, as the kernel shows them; empty for processes that we may not look at.</param>
/// <param name="Waiting">Those that have its file open and not the lock.</param>
/// <param name="Evidence">Why the recorded holder cannot have it any more; null unless it is stale.</param>
public sealed record LockFound(
    PoolGuid Pool, LockCondition Condition, LockRecord? Record, IReadOnlyList<LockProcess> Processes, IReadOnlyList<LockProcess> Waiting, string? Evidence);

/// <summary>The host locks of a host.</summary>
/// <param name="Locks">In the order of their pools.</param>
/// <param name="Problems">A sentence for each file that could not be read as a lock.</param>
public sealed record LockSurvey(IReadOnlyList<LockFound> Locks, IReadOnlyList<string> Problems);
