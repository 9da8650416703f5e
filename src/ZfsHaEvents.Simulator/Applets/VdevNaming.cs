using System.Globalization;
using ZfsHaEvents.Simulator.Protocol;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>How vdevs are called in what is printed (zpool_vdev_name).</summary>
/// <param name="Host">The host whose links are followed.</param>
/// <param name="Guids">By GUID (-g).</param>
/// <param name="FollowLinks">By the node a link leads to (-L).</param>
/// <param name="FullPaths">By full path, with the partition (-P).</param>
sealed record VdevNaming(HostDirectory Host, bool Guids = false, bool FollowLinks = false, bool FullPaths = false)
{
    const string PartitionLink = "-part";

    public static VdevNaming From(HostDirectory host, CommandLine line) => new(host, line.Has("g"), line.Has("L"), line.Has("P"));

    /// <param name="vdev">The vdev.</param>
    /// <param name="imported">Of an imported pool a disk that is not there is called by its GUID.</param>
    public string Name(VdevStatus vdev, bool imported = true)
    {
        if (Guids || (imported && IsNotPresent(vdev))) return vdev.VdevGuid.ToString(CultureInfo.InvariantCulture);
        if (vdev.Path is not { } path) return $"{vdev.Type}-{vdev.Id}";

        if (FollowLinks) path = DeviceNodes.Follow(Host, path);
        return FullPaths ? path : WithoutPartition(Path.GetFileName(path));
    }

    public static bool IsNotPresent(VdevStatus vdev) => vdev.IsLeaf && vdev.State == VdevStatus.Unavailable;

    /// <summary>The width of the widest name, indented by two a level (max_width).</summary>
    public int WidthMax(IEnumerable<VdevStatus> vdevs, int depth, bool imported = true) =>
        vdevs.Aggregate(0, (width, vdev) =>
            Math.Max(Math.Max(width, Name(vdev, imported).Length + depth), WidthMax(vdev.Children, depth + 2, imported)));

    /// <summary>virtio-d0-part1 is virtio-d0, vda1 is vda (zfs_strip_partition).</summary>
    static string WithoutPartition(string name)
    {
        var link = name.LastIndexOf(PartitionLink, StringComparison.Ordinal);
        if (link > 0) return name[..link];

        return name.StartsWith("vd", StringComparison.Ordinal) ? name.TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9') : name;
    }
}
