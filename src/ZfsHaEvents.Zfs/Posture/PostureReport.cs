using System.Text.Json.Serialization;
using ZfsHaEvents.Domain;

namespace ZfsHaEvents.Zfs.Posture;

/// <summary>How much a finding matters.</summary>
[JsonConverter(typeof(NameConverter<PostureSeverity>))]
public enum PostureSeverity
{
    /// <summary>Worth knowing; nothing to be done at once.</summary>
    Note,

    /// <summary>It could not be determined, which is not the same as in order.</summary>
    Unknown,

    /// <summary>A failover would be slower or go differently than expected.</summary>
    Warning,

    /// <summary>A pool may end up imported on two hosts, or on none.</summary>
    Critical,
}

/// <summary>Something about a host or one of its pools that is not as it should be, or that could not be determined.</summary>
/// <param name="Check">Which check found it: one word that programs can go by.</param>
/// <param name="Pool">The pool; null when it is about the host.</param>
/// <param name="What">What is so.</param>
/// <param name="Why">Why it matters.</param>
/// <param name="Mend">The command that mends it, word by word; empty when no single command does.</param>
/// <param name="Advice">What to do besides or instead; empty when there is nothing to say.</param>
public sealed record PostureFinding(string Check, PostureSeverity Severity, PoolName? Pool, string What, string Why, IReadOnlyList<string> Mend, string Advice = "");

/// <summary>How safely a host and its pools are set up.</summary>
/// <param name="HostId">SPL's active hostid; null when it is not known.</param>
/// <param name="Version">OpenZFS's version; null when it is not known.</param>
/// <param name="TakeoverTime">What the host's parameters imply for another one that takes a multihost pool over from it; null when that is not known.</param>
/// <param name="Pools">The imported pools that were looked at.</param>
/// <param name="Findings">The worst first.</param>
public sealed record PostureReport(
    ZfsHostId? HostId, string? Version, TakeoverTime? TakeoverTime, IReadOnlyList<PoolName> Pools, IReadOnlyList<PostureFinding> Findings)
{
    /// <summary>Something is known not to be as it should be.</summary>
    public bool IsViolated() => Findings.Any(finding => finding.Severity is PostureSeverity.Warning or PostureSeverity.Critical);

    /// <summary>Something could not be determined.</summary>
    public bool IsUncertain() => Findings.Any(finding => finding.Severity == PostureSeverity.Unknown);
}
