namespace ZfsHaEvents.Zfs.Posture;

/// <summary>One imported pool.</summary>
static class PoolChecks
{
    const string WhyMultihost = "without multihost nothing on the disks keeps a second host from importing the pool, and both would write to it without either noticing";
    const string WhyCacheFile = "ZFS keeps the pool in a cache file, from which a host that boots imports it by itself";
    const string WhyCanMount = "zfs mount -a, which also runs at boot, mounts it beside Lustre; then it is busy, or changed behind Lustre's back";
    const string WhyXattr = "Lustre keeps its metadata in extended attributes: in hidden directories each takes three disk accesses";
    const string WhyMissingLeaf = "with multihost on, an import must write its claim to every device that the pool expects; when this host is lost, no other can import the pool";

    public static IEnumerable<PostureFinding> Of(PoolFacts pool, Fact<ZfsVersion> version) => [.. Settings(pool), .. Datasets(pool, version), .. Leaves(pool)];

    static IEnumerable<PostureFinding> Settings(PoolFacts pool)
    {
        if (!pool.Settings.IsKnown)
        {
            yield return PostureChecks.Unknown("multihost", pool.Name, "whether multihost is on", pool.Settings.Unknown!, WhyMultihost);
            yield return PostureChecks.Unknown("cachefile", pool.Name, "what cachefile is", pool.Settings.Unknown!, WhyCacheFile);
            yield break;
        }

        if (!pool.Settings.Value.Multihost)
            yield return new("multihost", PostureSeverity.Critical, pool.Name, "multihost is off", WhyMultihost, ["zpool", "set", "multihost=on", pool.Name.Value], "Every host needs a hostid of its own first.");
        if (pool.Settings.Value.CacheFile is not "none" and var cacheFile)
        {
            var isDefault = cacheFile == "-";
            yield return new(
                "cachefile", isDefault ? PostureSeverity.Critical : PostureSeverity.Warning, pool.Name, isDefault ? "cachefile is not none: the pool goes into /etc/zfs/zpool.cache" : $"cachefile is {cacheFile}, not none",
                WhyCacheFile, ["zpool", "set", "cachefile=none", pool.Name.Value], "It must be given at each import (zpool import -o cachefile=none), as zfsha does.");
        }
    }

    static IEnumerable<PostureFinding> Datasets(PoolFacts pool, Fact<ZfsVersion> version)
    {
        if (!pool.Datasets.IsKnown)
        {
            yield return PostureChecks.Unknown("lustre-canmount", pool.Name, "whether it has Lustre targets, and their canmount", pool.Datasets.Unknown!, WhyCanMount);
            yield return PostureChecks.Unknown("lustre-xattr", pool.Name, "whether it has Lustre targets, and their xattr", pool.Datasets.Unknown!, WhyXattr);
            yield break;
        }

        foreach (var dataset in pool.Datasets.Value)
        {
            if (dataset.CanMount != "off")
            {
                yield return new(
                    "lustre-canmount", dataset.IsLustre ? PostureSeverity.Critical : PostureSeverity.Warning, pool.Name,
                    $"canmount of {dataset.Name}, {(dataset.IsLustre ? "a Lustre target" : "the root of a pool with Lustre targets")}, is {dataset.CanMount}", WhyCanMount, ["zfs", "set", "canmount=off", dataset.Name]);
            }
            if (!dataset.IsLustre || dataset.Xattr == "sa") continue;

            // Since 2.3 "on" means "sa" (zfsprops(7)), and before that "dir".
            if (dataset.Xattr == "on" && !version.IsKnown)
                yield return PostureChecks.Unknown("lustre-xattr", pool.Name, $"what xattr=on of {dataset.Name} means", version.Unknown!, WhyXattr);
            else if (dataset.Xattr != "on" || version.Value.IsBefore(2, 3))
                yield return new("lustre-xattr", PostureSeverity.Warning, pool.Name, $"xattr of {dataset.Name}, a Lustre target, is {dataset.Xattr}", WhyXattr, ["zfs", "set", "xattr=sa", dataset.Name], "It holds for what is written from then on.");
        }
    }

    static IEnumerable<PostureFinding> Leaves(PoolFacts pool)
    {
        // Without multihost no claim is made.
        if (pool.Settings is { IsKnown: true, Value.Multihost: false }) yield break;

        if (!pool.Leaves.IsKnown)
        {
            yield return PostureChecks.Unknown("missing-leaf", pool.Name, "whether a device is missing", pool.Leaves.Unknown!, WhyMissingLeaf);
            yield break;
        }
        foreach (var leaf in pool.Leaves.Value.Where(leaf => leaf.State is "UNAVAIL" or "REMOVED" or "FAULTED"))
        {
            string[] mend = ["zpool", "offline", pool.Name.Value, leaf.Name];
            if (leaf.State == "FAULTED")
            {
                // A device with too many errors may still take the claim, and may not be expected to: neither has been seen.
                yield return new(
                    "missing-leaf", PostureSeverity.Unknown, pool.Name, $"cannot tell whether its device {leaf.Path ?? leaf.Name}, which is FAULTED and not offline, blocks an import elsewhere", WhyMissingLeaf, mend,
                    "Or mend the device, or replace it.");
                continue;
            }

            var what = $"its device {leaf.Path ?? leaf.Name} is missing ({leaf.State}) and not offline";
            yield return pool.Settings.IsKnown
                ? new(
                    "missing-leaf", PostureSeverity.Critical, pool.Name, what, WhyMissingLeaf, mend,
                    "Or bring the device back, or replace it. Once this host is lost, only zhack mmp reclaim helps.")
                : PostureChecks.Unknown("missing-leaf", pool.Name, $"whether {what} blocks an import elsewhere", pool.Settings.Unknown!, WhyMissingLeaf);
        }
    }
}
