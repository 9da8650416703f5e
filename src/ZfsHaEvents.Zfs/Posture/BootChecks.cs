namespace ZfsHaEvents.Zfs.Posture;

/// <summary>Nothing imports pools when the host boots: where they run is for the cluster to decide.</summary>
static class BootChecks
{
    const string Why = "a host that boots would import pools by itself, wherever they are meant to be; and without multihost, pools that another host has";

    public static IEnumerable<PostureFinding> Of(PostureFacts facts)
    {
        if (!facts.BootImports.IsKnown)
        {
            yield return PostureChecks.Unknown("boot-import", null, "whether pools are imported at boot", facts.BootImports.Unknown!, Why);
        }
        else
        {
            foreach (var unit in facts.BootImports.Value.GroupBy(unit => unit.Unit))
            {
                // A link that a package or the running system brought is not systemctl's to remove.
                var ours = unit.All(link => link.Link.StartsWith("/etc/", StringComparison.Ordinal));
                yield return new(
                    "boot-import", unit.Key == "zfs-import-scan.service" ? PostureSeverity.Critical : PostureSeverity.Warning, null,
                    $"{unit.Key} is enabled ({string.Join(", ", unit.Select(link => link.Link))})", Why, ["systemctl", ours ? "disable" : "mask", unit.Key],
                    "Pools that only this host can reach must then be imported by other means.");
            }
        }

        if (!facts.CachedPools.IsKnown)
        {
            yield return PostureChecks.Unknown("zpool-cache", null, "which pools are in /etc/zfs/zpool.cache", facts.CachedPools.Unknown!, Why);
            yield break;
        }
        foreach (var cached in facts.CachedPools.Value) yield return Cached(cached, facts.Pools);
    }

    static PostureFinding Cached(CachedPool cached, Fact<IReadOnlyList<PoolFacts>> pools)
    {
        var imported = pools.IsKnown ? pools.Value.FirstOrDefault(pool => IsSame(pool, cached)) : null;
        return imported is not null
            ? new(
                "zpool-cache", PostureSeverity.Critical, imported.Name, "it is in /etc/zfs/zpool.cache", Why, ["zpool", "set", "cachefile=none", imported.Name.Value])
            : new(
                "zpool-cache", PostureSeverity.Critical, null, $"/etc/zfs/zpool.cache has the pool '{cached.Name}', which {(pools.IsKnown ? "is not imported here" : "may not be imported here")}", Why,
                ["mv", "/etc/zfs/zpool.cache", "/etc/zfs/zpool.cache.old"], "ZFS makes the file anew when it imports a pool that is to be in it.");
    }

    static bool IsSame(PoolFacts pool, CachedPool cached) =>
        pool.PoolGuid is { } guid && cached.PoolGuid is { } other ? guid == other : pool.Name.Value == cached.Name;
}
