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
        var labels = (paths.Count > 0 ? paths : DefaultFolders)
            .SelectMany(path => DeviceNodes.Search(host, path))
            .Select(node => (Node: node, Label: ReadLabel(host, node)))
            .Where(found => found.Label is not null)
            .Select(found => (found.Node, Label: found.Label!));
        // The newest found comes first, as in the real list, which grows at its head.
        return
        [
            .. labels.GroupBy(found => found.Label.PoolGuid)
                .Select(pool => new FoundPool(
                    pool.MaxBy(found => found.Label.Txg).Label.Name,
                    pool.Key,
                    pool.GroupBy(found => found.Label.LeafGuid).ToDictionary(leaf => leaf.Key, leaf => BestNode([.. leaf]))))
                .Reverse(),
        ];
    }

    /// <summary>Of several nodes of one disk, the one its label names if it is there.</summary>
    static string BestNode(IReadOnlyList<(string Node, VdevLabel Label)> nodes)
    {
        var label = nodes[0].Label;
        var named = label.TopLevel.Leaves.FirstOrDefault(leaf => leaf.VdevGuid == label.LeafGuid)?.Path;
        return nodes.FirstOrDefault(found => found.Node == named, nodes[0]).Node;
    }

    static VdevLabel? ReadLabel(HostDirectory host, string node)
    {
        using var disk = FakeDisk.Open(host.In(node), FileAccess.Read);
        return disk?.ReadLabel() is { } label ? VdevLabel.From(label) : null;
    }
}
