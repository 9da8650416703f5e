using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests;

/// <summary>What hosts see, by the names the stories use.</summary>
public static class Sights
{
    public static readonly IReadOnlyList<string> Leaves = ["/dev/disk/by-id/wwn-1", "/dev/disk/by-id/wwn-2"];

    public static readonly PoolSight Held = new(PoolPresence.ReadWrite, PoolHealth.Online, Multihost: true, Leaves);

    public static readonly PoolSight HeldWithoutMultihost = Held with { Multihost = false };

    public static readonly PoolSight HeldInDoubt = new(PoolPresence.Imported, PoolHealth.Online, Multihost: null, []);

    public static readonly PoolSight HeldReadOnly = Held with { Presence = PoolPresence.ReadOnly };

    public static readonly PoolSight Suspended = Held with { Health = PoolHealth.Suspended };

    public static readonly PoolSight Degraded = Held with { Health = PoolHealth.Degraded };

    public static readonly PoolSight Absent = PoolSight.Absent;

    public static readonly PoolSight Unknown = PoolSight.Unknown;

    public static PoolLabel Label(LabelState state, HostName host, bool mmp = true) =>
        new(state, "tank", Cluster.HostIdOf(host), $"{host}.example", Txg: 4711, mmp, LeavesRead: 2, LeavesAsked: 2);
}
