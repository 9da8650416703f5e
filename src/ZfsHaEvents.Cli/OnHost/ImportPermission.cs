using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Domain.Views;

namespace ZfsHaEvents.Cli.OnHost;

/// <summary>
/// Whether a typed import may be tried. What the server believes decides while it answers; when it does not, the disks must show that ZFS itself
/// will watch them for another host, or a person takes it upon them and says why.
/// </summary>
static class ImportPermission
{
    /// <summary>Why not, going by what the server knows; null when nothing speaks against it.</summary>
    /// <param name="reason">The person's own, which outweighs a halt but never another holder, or another host's import that may yet succeed.</param>
    public static CommandFailedException? Refusal(PoolOwnership pool, HostName here, string? reason)
    {
        var name = pool.Name?.Value ?? pool.Pool.ToString();
        var elsewhere = pool.Hosts.Where(h => h.Host != here && h.Presence is PoolPresence.ReadWrite or PoolPresence.Imported).ToList();
        if (elsewhere.Find(h => !h.Stale) is { } holder)
            return CommandFailedException.Refused("HeldElsewhere", $"{holder.Host} has {name} imported", $"To move it here: zfsha switchover {pool.Pool} --to {here}");
        if (elsewhere is [var lost, ..])
        {
            return CommandFailedException.Refused(
                "HeldElsewhere", $"{lost.Host} had {name} imported when it was last heard of, and may have it still", $"To take it over: zfsha failover {pool.Pool} --to {here}");
        }

        if (pool.OutstandingImport is { } outstanding && outstanding.Host != here)
        {
            return CommandFailedException.Refused(
                "ImportOutstanding", $"{outstanding.Host} was told to import {name} (order {outstanding.Order}, epoch {outstanding.Epoch}) and has not shown that this is over", NotByReason(pool, outstanding.Host));
        }

        if (pool.TypedImports.FirstOrDefault(t => t.Host != here) is { } typed)
            return CommandFailedException.Refused("ImportOutstanding", $"{typed.By} began to import {name} on {typed.Host} and nothing shows that it ended", NotByReason(pool, typed.Host));

        if (pool.Move is { } move) return CommandFailedException.Refused("MoveInProgress", $"a switchover or failover of {name} is under way", $"See zfsha dossier {move}");
        if (pool.Claimant is { } claimant && claimant != here && !IsKnownAbsent(pool, claimant))
        {
            return CommandFailedException.Refused(
                "ClaimedElsewhere", $"{claimant} was told to hold {name} (epoch {pool.Epoch}) and has not shown that it does not", $"See zfsha pool {pool.Pool}");
        }

        return pool.Halt is { } halt && reason is null
            ? CommandFailedException.Refused("HaltNotAcknowledged", $"{name} is halted: {halt}", $"See zfsha pool {pool.Pool}; to import it all the same, say why with --reason TEXT, which is recorded")
            : null;
    }

    /// <summary>Why not, when the server cannot be asked; null when ZFS will look for another host by itself.</summary>
    /// <param name="label">What was just read from the disks; null when nothing could be.</param>
    /// <param name="hostId">This host's.</param>
    public static CommandFailedException? RefusalBlind(string name, PoolLabel? label, ZfsHostId hostId, string whyBlind)
    {
        const string advice = "Bring the server back, or make sure yourself that no other host has it and say how with --reason TEXT, which is recorded.";
        var blind = $"{whyBlind}, so whether another host has {name} is not known";
        return label switch
        {
            null => CommandFailedException.Refused("MultihostNotProven", $"{blind}; and no label of it could be read, so whether multihost is on is not known either", advice),
            { MmpActive: false } => CommandFailedException.Refused("MultihostNotProven", $"{blind}; and its newest uberblock (txg {label.Txg}) was written with multihost off, so ZFS would not notice either", advice),
            // The activity check is skipped for the host that imported the pool last (spa_activity_check_required, module/zfs/spa.c), even while another is at its own.
            _ when label.HostId == hostId => CommandFailedException.Refused(
                "MultihostNotAsked", $"{blind}; multihost is on, but this host (hostid {hostId}) had it last, and ZFS does not watch the disks for the host that had it last", advice),
            _ => null,
        };
    }

    /// <summary>An activity check takes half a minute and watches for writing: of two that wait side by side neither need see the other.</summary>
    static string NotByReason(PoolOwnership pool, HostName other) =>
        $"A reason does not outweigh this. zfsha lock {pool.Pool} -- true on {other} waits until it is over, and tells; or make sure that {other} cannot write, and say how: zfsha confirm-fencing {pool.Pool} {other} --statement TEXT";

    static bool IsKnownAbsent(PoolOwnership pool, HostName host) =>
        pool.Hosts.FirstOrDefault(h => h.Host == host) is { Stale: false, Presence: PoolPresence.Absent or PoolPresence.ReadOnly };
}
