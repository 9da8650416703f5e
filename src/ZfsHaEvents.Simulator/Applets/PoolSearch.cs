using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>A pool as its labels show it: enough to ask the kernel for a try.</summary>
/// <param name="Name">Its name on the newest label.</param>
/// <param name="PoolGuid">Its GUID.</param>
/// <param name="Devices">The devices found, by leaf GUID.</param>
sealed record FoundPool(string Name, ulong PoolGuid, IReadOnlyDictionary<ulong, string> Devices)
{
    public NvList Request() => new()
    {
        { "pool_guid", PoolGuid },
        { "devices", [.. Devices.Select(device => new NvList { { "guid", device.Key }, { "path", device.Value } })] },
    };
}

/// <summary>Finds pools by the labels of the host's devices (zpool_find_import).</summary>
static class PoolSearch
{
    static readonly string[] DefaultFolders = [DeviceNodes.ByIdFolder, "/dev"];

    /// <param name="host">The host that looks.</param>
    /// <param name="paths">Folders and devices to look at (-d); empty for all there are.</param>
    public static IReadOnlyList<FoundPool> Find(HostDirectory host, IReadOnlyList<string> paths)
    {
        var found = (paths.Count > 0 ? paths : DefaultFolders)
            .SelectMany(path => DeviceNodes.Search(host, path))
            .Select(node => (Node: node, Label: ReadLabel(host, node)))
            .Where(found => found.Label is not null)
            .Select(found => (found.Node, Label: found.Label!));
        if (paths.Count == 0) found = found.OrderBy(found => PlaceInCache(host, found.Node, found.Label), StringComparer.Ordinal);
        // The newest found comes first, as in the real list, which grows at its head.
        return
        [
            .. found.GroupBy(found => found.Label.PoolGuid)
                .Select(pool => new FoundPool(
                    pool.MaxBy(found => found.Label.Txg).Label.Name,
                    pool.Key,
                    pool.GroupBy(found => found.Label.LeafGuid).ToDictionary(leaf => leaf.Key, leaf => BestNode([.. leaf]))))
                .Reverse(),
        ];
    }

    /// <summary>
    /// A search of everything walks a tree of paths: each device's own node, and beside it the path its label names
    /// (zpool_find_import_blkid, zpool_open_func). Other links to the device are not in it.
    /// </summary>
    static string PlaceInCache(HostDirectory host, string node, VdevLabel label) =>
        NamedPath(label) is { } named && File.Exists(host.In(named)) && string.CompareOrdinal(named, DeviceNodes.Follow(host, node)) < 0
            ? named
            : DeviceNodes.Follow(host, node);

    /// <summary>Of several nodes of one disk, the one its label names if it is there.</summary>
    static string BestNode(IReadOnlyList<(string Node, VdevLabel Label)> nodes)
    {
        var named = NamedPath(nodes[0].Label);
        return nodes.FirstOrDefault(found => found.Node == named, nodes[0]).Node;
    }

    static string? NamedPath(VdevLabel label) => label.TopLevel.Leaves.FirstOrDefault(leaf => leaf.VdevGuid == label.LeafGuid)?.Path;

    static VdevLabel? ReadLabel(HostDirectory host, string node)
    {
        using var disk = FakeDisk.Open(host.In(node), FileAccess.Read);
        return disk?.ReadLabel() is { } label ? VdevLabel.From(label) : null;
    }
}
