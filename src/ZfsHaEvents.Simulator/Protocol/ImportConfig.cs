using ZfsHaEvents.Simulator.Disks;

namespace ZfsHaEvents.Simulator.Protocol;

/// <summary>What an activity check found (mmp_state_t).</summary>
enum MmpState
{
    /// <summary>Another host writes, or a claim failed.</summary>
    Active = 0,

    /// <summary>Nobody writes.</summary>
    Inactive = 1,

    /// <summary>The pool wants a check and this host has no hostid to make one.</summary>
    NoHostId = 2,
}

/// <summary>The cause of a refusal that reaches the command as EREMOTEIO (ZPOOL_CONFIG_MMP_RESULT).</summary>
enum MmpResult
{
    None = 0,

    /// <summary>A claim could not be written to a device that should be there (ENODEV).</summary>
    ClaimUnreachable = 1,
}

/// <summary>The newest uberblock a try saw: an import that follows it must find the same (spa_activity_verify_config).</summary>
readonly record struct SeenUberblock(ulong Txg, ulong Timestamp, ulong Sequence)
{
    public static SeenUberblock Of(Uberblock uberblock) => new(uberblock.Txg, uberblock.Timestamp, uberblock.Mmp?.Sequence ?? 0);
}

/// <summary>A pool that could be imported: found on disks by a command, completed by the kernel's try (ZFS_IOC_POOL_TRYIMPORT).</summary>
sealed record ImportConfig
{
    public required string Name { get; init; }

    public required ulong PoolGuid { get; init; }

    public required PoolState State { get; init; }

    public required string? Comment { get; init; }

    /// <summary>The host that wrote the newest label; 0 for none.</summary>
    public required ulong HostId { get; init; }

    public required string HostName { get; init; }

    /// <summary>When the newest uberblock was written, in seconds since 1970.</summary>
    public required ulong Timestamp { get; init; }

    /// <summary>ONLINE, DEGRADED or UNAVAIL.</summary>
    public required string Health { get; init; }

    /// <summary>What an activity check found; nothing when none was needed.</summary>
    public required MmpState? Mmp { get; init; }

    /// <summary>What the try saw; nothing when no check was needed.</summary>
    public required SeenUberblock? Seen { get; init; }

    public required IReadOnlyList<VdevStatus> Vdevs { get; init; }

    public static ImportConfig From(NvList list) => new()
    {
        Name = list.Text("name"),
        PoolGuid = list.Number("pool_guid"),
        State = (PoolState)list.Number("state"),
        Comment = list.TextOrNone("comment"),
        HostId = list.Number("hostid"),
        HostName = list.Text("hostname"),
        Timestamp = list.Number("timestamp"),
        Health = list.Text("health"),
        Mmp = list.Has("mmp_state") ? (MmpState)list.Number("mmp_state") : null,
        Seen = list.Has("mmp_txg") ? new(list.Number("mmp_txg"), list.Number("mmp_timestamp"), list.Number("mmp_seq")) : null,
        Vdevs = [.. list.Lists("vdevs").Select(VdevStatus.From)],
    };

    public NvList ToList()
    {
        NvList list = new() { { "name", Name }, { "pool_guid", PoolGuid }, { "state", (ulong)State } };
        list.AddText("comment", Comment);
        list.Add("hostid", HostId);
        list.Add("hostname", HostName);
        list.Add("timestamp", Timestamp);
        list.Add("health", Health);
        if (Mmp is { } mmp) list.Add("mmp_state", (ulong)mmp);
        if (Seen is { } seen)
        {
            list.Add("mmp_txg", seen.Txg);
            list.Add("mmp_timestamp", seen.Timestamp);
            list.Add("mmp_seq", seen.Sequence);
        }
        list.Add("vdevs", [.. Vdevs.Select(vdev => vdev.ToList())]);
        return list;
    }
}
