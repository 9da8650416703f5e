namespace ZfsHaEvents.Simulator.Disks;

/// <summary>Pool states as labels hold them (pool_state_t).</summary>
enum PoolState
{
    /// <summary>Imported somewhere, or its last holder never exported it.</summary>
    Active = 0,

    /// <summary>Cleanly exported.</summary>
    Exported = 1,
}

/// <summary>The configuration in a leaf's label: what <c>zdb -l</c> prints and what <c>zpool import</c> finds pools by.</summary>
/// <param name="Name">The pool's name.</param>
/// <param name="State">Active or exported.</param>
/// <param name="Txg">The transaction group that wrote this label.</param>
/// <param name="PoolGuid">The pool.</param>
/// <param name="Comment">The pool's comment, if it has one.</param>
/// <param name="HostId">The host that wrote it; an export leaves it there. 0 when that host had none.</param>
/// <param name="HostName">The name of that host.</param>
/// <param name="LeafGuid">The leaf this label stands on.</param>
/// <param name="TopLevelCount">Top-level vdevs of the whole pool.</param>
/// <param name="TopLevel">The top-level vdev this leaf belongs to.</param>
sealed record VdevLabel(
    string Name,
    PoolState State,
    ulong Txg,
    ulong PoolGuid,
    string? Comment,
    ulong HostId,
    string HostName,
    ulong LeafGuid,
    ulong TopLevelCount,
    Vdev TopLevel)
{
    public const ulong Version = 5000;

    public static VdevLabel From(NvList list) => new(
        list.Text("name"),
        (PoolState)list.Number("state"),
        list.Number("txg"),
        list.Number("pool_guid"),
        list.TextOrNone("comment"),
        list.NumberOr("hostid", 0),
        list.Text("hostname"),
        list.Number("guid"),
        list.Number("vdev_children"),
        Vdev.From(list.List("vdev_tree")));

    public NvList ToList()
    {
        NvList list = new()
        {
            { "version", Version },
            { "name", Name },
            { "state", (ulong)State },
            { "txg", Txg },
            { "pool_guid", PoolGuid },
            { "errata", 0 },
        };
        list.AddText("comment", Comment);
        list.Add("min_alloc", 512);
        list.Add("max_alloc", 512);
        if (HostId != 0) list.Add("hostid", HostId);
        list.Add("hostname", HostName);
        list.Add("top_guid", TopLevel.VdevGuid);
        list.Add("guid", LeafGuid);
        list.Add("vdev_children", TopLevelCount);
        list.Add("vdev_tree", TopLevel.ToList(topLevel: true));
        list.Add("features_for_read", FeaturesForRead());
        return list;
    }

    static NvList FeaturesForRead() => new()
    {
        { "com.delphix:hole_birth", 1 },
        { "com.delphix:embedded_data", 1 },
        { "com.klarasystems:vdev_zaps_v2", 1 },
    };
}
