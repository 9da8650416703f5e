using System.Text.RegularExpressions;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Zfs.Commands;

/// <summary>
/// What the stderr of <c>zpool</c> means. Its exit code is 1 for nearly every failure, and the wording differs between
/// releases, between <c>import</c> and <c>import -f</c>, and in quotes and capitals.
/// </summary>
public static partial class ZpoolErrors
{
    // The first that matches wins, the one that forbids most first: a text that speaks both of activity elsewhere and of '-f' is the former.
    static readonly (string Text, ZpoolFailure Failure)[] Phrases =
    [
        ("pool is imported on", ZpoolFailure.ActiveElsewhere),
        ("the multihost claim could not be written to a device", ZpoolFailure.ClaimUnreachable),
        ("occurred while writing the multihost claim", ZpoolFailure.ClaimFailed),
        ("pool has the multihost property on and the", ZpoolFailure.NoHostId),
        ("requires a non-zero system hostid", ZpoolFailure.NoHostId),
        ("pool was previously in use from another system", ZpoolFailure.ForceRequired),
        ("pool may be in use from other system", ZpoolFailure.ForceRequired), // Before 2.0.
        ("a pool with that name already exists", ZpoolFailure.NameTaken),
        ("pool already exists", ZpoolFailure.NameTaken), // The kernel's own refusal, when the import was by GUID.
        ("more than one matching pool", ZpoolFailure.AmbiguousName),
        ("pool i/o is currently suspended", ZpoolFailure.Suspended),
        ("pool or dataset is busy", ZpoolFailure.Busy),
        ("pool is busy", ZpoolFailure.Busy),
        ("one or more devices is currently unavailable", ZpoolFailure.DevicesMissing),
        ("the devices below are missing or corrupted", ZpoolFailure.DevicesMissing),
        ("no pools available to import", ZpoolFailure.NotVisible),
    ];

    /// <summary>The class of what a command that failed wrote to stderr; <see cref="ZpoolFailure.Other"/> for what is not recognised.</summary>
    public static ZpoolFailure Classify(string stderr)
    {
        // Messages are wrapped at different words in different releases.
        var text = Whitespace().Replace(stderr, " ");

        // Older kernels report an unreachable claim device as activity on a host that nobody knows (openzfs/zfs#18823).
        if (ImportedOn().Match(text) is { Success: true } active && active.Groups["id"].Value.All(digit => digit == '0'))
            return ZpoolFailure.ClaimUnreachable;

        foreach (var (phrase, failure) in Phrases)
            if (text.Contains(phrase, StringComparison.OrdinalIgnoreCase)) return failure;

        // "no such pool available" is said of disks by import, and of an imported pool's properties by get.
        if (text.Contains("no such pool", StringComparison.OrdinalIgnoreCase))
            return text.Contains("cannot import", StringComparison.OrdinalIgnoreCase) ? ZpoolFailure.NotVisible : ZpoolFailure.NotImported;
        return ZpoolFailure.Other;
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Whitespace();

    // "imported on hosta (hostid: 0xa001)", and with -f "imported on host 'hosta' (hostid=a001)."
    [GeneratedRegex(@"pool is imported on (host )?.{0,256}?\(hostid[:=] ?(0x)?(?<id>[0-9a-f]+)\)", RegexOptions.IgnoreCase)]
    private static partial Regex ImportedOn();
}
