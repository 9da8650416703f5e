namespace ZfsHaEvents.Simulator.Applets;

/// <summary>The feature flags of a new pool of OpenZFS 2.3.9, in the order <c>zpool get all</c> lists them.</summary>
static class PoolFeatures
{
    public const string Prefix = "feature@";

    public static IReadOnlyList<(string Name, string State)> All { get; } =
    [
        ("async_destroy", "enabled"),
        ("empty_bpobj", "enabled"),
        ("lz4_compress", "active"),
        ("multi_vdev_crash_dump", "enabled"),
        ("spacemap_histogram", "active"),
        ("enabled_txg", "active"),
        ("hole_birth", "active"),
        ("extensible_dataset", "enabled"),
        ("embedded_data", "active"),
        ("bookmarks", "enabled"),
        ("filesystem_limits", "enabled"),
        ("large_blocks", "enabled"),
        ("large_dnode", "enabled"),
        ("sha512", "enabled"),
        ("skein", "enabled"),
        ("edonr", "enabled"),
        ("userobj_accounting", "enabled"),
        ("encryption", "enabled"),
        ("project_quota", "enabled"),
        ("device_removal", "enabled"),
        ("obsolete_counts", "enabled"),
        ("zpool_checkpoint", "enabled"),
        ("spacemap_v2", "active"),
        ("allocation_classes", "enabled"),
        ("resilver_defer", "enabled"),
        ("bookmark_v2", "enabled"),
        ("redaction_bookmarks", "enabled"),
        ("redacted_datasets", "enabled"),
        ("bookmark_written", "enabled"),
        ("log_spacemap", "active"),
        ("livelist", "enabled"),
        ("device_rebuild", "enabled"),
        ("zstd_compress", "enabled"),
        ("draid", "enabled"),
        ("zilsaxattr", "enabled"),
        ("head_errlog", "active"),
        ("blake3", "enabled"),
        ("block_cloning", "enabled"),
        ("vdev_zaps_v2", "active"),
        ("redaction_list_spill", "enabled"),
        ("raidz_expansion", "enabled"),
        ("fast_dedup", "enabled"),
        ("longname", "enabled"),
        ("large_microzap", "enabled"),
    ];
}
