using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Domain.Views;

namespace ZfsHaEvents.Cli.Pools;

/// <summary>What is answered to "who holds it?", and how sure that is.</summary>
static class OwnerAnswer
{
    const string Held = "held", Nobody = "nobody", Conflict = "conflict", Doubt = "doubt";

    /// <summary>At a past instant.</summary>
    public static OwnerDocument Of(OwnerAt owner, PoolReference asked) =>
        Of(owner.Pool, owner.Name, asked, owner.At, owner.Known, owner.Claimant, owner.Epoch, owner.Holders, []);

    /// <summary>Now.</summary>
    public static OwnerDocument Of(PoolOwnership pool, DateTimeOffset now) => Of(
        pool.Pool, pool.Name, new(pool.Pool.ToString()), now, known: true, pool.Claimant, pool.Epoch,
        [.. pool.Hosts.Where(h => h.Presence is PoolPresence.ReadWrite or PoolPresence.Imported).Select(h => new HolderAt(h.Host, h.Health, h.ObservedAt, h.Event, h.Stale))],
        pool.Awaited);

    public static int ExitCode(OwnerDocument answer) => answer.Verdict switch { Held => ExitCodes.Done, Nobody => ExitCodes.NoHolder, _ => ExitCodes.Doubt };

    static OwnerDocument Of(
        PoolGuid pool, PoolName? name, PoolReference asked, DateTimeOffset at, bool known, HostName? claimant, Epoch epoch, IReadOnlyList<HolderAt> holders, IReadOnlyList<HostName> awaited)
    {
        // A suspended copy writes nothing: beside another holder it is no second one.
        var sure = holders.Where(h => !h.Doubtful && h.Health is not PoolHealth.Suspended).Select(h => h.Host).ToList();
        var suspended = holders.Where(h => !h.Doubtful && h.Health is PoolHealth.Suspended).Select(h => h.Host).ToList();
        var doubtful = holders.Where(h => h.Doubtful).Select(h => h.Host).Union(awaited).Order().ToList();
        var verdict = (sure.Count, suspended.Count) switch
        {
            ( > 1, _) => Conflict,
            _ when doubtful.Count > 0 => Doubt,
            (1, _) or (0, 1) => Held,
            (0, 0) => Nobody,
            _ => Doubt,
        };

        var says = (sure.Count, suspended.Count) switch
        {
            _ when !known => "was not known yet",
            ( > 1, _) => $"is imported read-write on {string.Join(" and ", sure)} at once",
            (1, _) => $"is held by {sure[0]}",
            (0, > 0) => $"is imported on {string.Join(" and ", suspended)}, where its I/O is suspended",
            _ => "is held by nobody that is known to be alive",
        };
        if (verdict is Nobody && known) says = "is held by nobody";
        if (sure.Count > 0 && suspended.Count > 0) says += $"; {string.Join(", ", suspended)} has a suspended copy";
        if (doubtful.Count > 0) says += $"; in doubt: {string.Join(", ", doubtful)} may hold it, and has not reported since";
        var agrees = verdict is Held ? claimant == sure.Concat(suspended).First() : verdict is Nobody && claimant is null;
        if (known && !agrees && verdict is Held or Nobody) says += claimant is { } c ? $"; {c} has the claim" : "; nobody has the claim";
        return new(pool, name, at, known, claimant, epoch, holders, awaited, verdict, agrees, $"{name?.Value ?? asked.Text} {says} (epoch {epoch})");
    }
}
