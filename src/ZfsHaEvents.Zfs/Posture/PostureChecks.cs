using ZfsHaEvents.Domain;

namespace ZfsHaEvents.Zfs.Posture;

/// <summary>Judges a host's posture. Pure: the same facts give the same findings.</summary>
public static class PostureChecks
{
    public static PostureReport Of(PostureFacts facts)
    {
        IReadOnlyList<PoolFacts> pools = facts.Pools.IsKnown ? facts.Pools.Value : [];
        var active = HostIdChecks.Active(facts);
        IEnumerable<PostureFinding> findings =
        [
            .. HostIdChecks.Of(facts), .. VersionChecks.Of(facts.Version), .. MmpChecks.Of(facts), .. BootChecks.Of(facts),
            .. facts.Pools.IsKnown ? [] : (PostureFinding[])[Unknown("pools", null, "which pools are imported", facts.Pools.Unknown!, "none of them was looked at")],
            .. pools.SelectMany(pool => PoolChecks.Of(pool, facts.Version)),
        ];
        return new(
            active.IsKnown ? new ZfsHostId(active.Value) : null, facts.Version.IsKnown ? facts.Version.Value.Text : null, MmpChecks.TakeoverTimeOf(facts),
            [.. pools.Select(pool => pool.Name)], [.. findings.OrderByDescending(finding => finding.Severity)]);
    }

    /// <param name="what">What is not known, so that "cannot tell" can go before it.</param>
    internal static PostureFinding Unknown(string check, PoolName? pool, string what, string reason, string why) =>
        new(check, PostureSeverity.Unknown, pool, $"cannot tell {what}: {reason}", why, []);
}
