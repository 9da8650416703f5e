namespace ZfsHaEvents.Simulator.World;

/// <summary>
/// The device nodes of a fake host. The disks come partitioned and every host has read the tables: <c>vda</c> is the whole disk,
/// <c>vda1</c> what ZFS uses and <c>vda9</c> the reserved rest, with the by-id links beside them.
/// </summary>
static class DeviceNodes
{
    public const string ByIdFolder = "/dev/disk/by-id";

    /// <summary>The file name of what ZFS writes to, below a disk's folder.</summary>
    public const string DataPartition = "part1";

    static readonly (string File, string NodeSuffix, string LinkSuffix)[] Parts =
    [
        ("whole", "", ""),
        (DataPartition, "1", "-part1"),
        ("part9", "9", "-part9"),
    ];

    /// <summary>The files that are the disk, whole and by partition, below its folder.</summary>
    public static IEnumerable<string> Files => Parts.Select(part => part.File);

    /// <summary>virtio-d0, virtio-d1 ...</summary>
    public static string LinkName(int disk) => $"virtio-d{disk}";

    /// <summary>vda ... vdz, vdaa ..., as the kernel names virtio disks.</summary>
    public static string NodeName(int disk)
    {
        var letters = "";
        for (var rest = disk; rest >= 0; rest = rest / 26 - 1) letters = (char)('a' + rest % 26) + letters;
        return "vd" + letters;
    }

    public static void Add(HostDirectory host, int disk)
    {
        Directory.CreateDirectory(host.In(ByIdFolder));
        foreach (var (file, nodeSuffix, linkSuffix) in Parts)
        {
            var node = NodeName(disk) + nodeSuffix;
            // The link's text is looked up from inside the host's dev folder: hosts/NAME/dev.
            Link(host.In($"/dev/{node}"), $"../../../disks/d{disk}/{file}");
            Link(host.In($"{ByIdFolder}/{LinkName(disk)}{linkSuffix}"), $"../../{node}");
        }
    }

    public static void Remove(HostDirectory host, int disk)
    {
        foreach (var (_, nodeSuffix, linkSuffix) in Parts)
        {
            File.Delete(host.In($"{ByIdFolder}/{LinkName(disk)}{linkSuffix}"));
            File.Delete(host.In($"/dev/{NodeName(disk)}{nodeSuffix}"));
        }
    }

    /// <summary>The partition ZFS uses of what a command names: a whole disk, a partition, a path or a name to be found in /dev.</summary>
    public static string? DataNode(HostDirectory host, string device)
    {
        if (Find(host, device) is not { } node) return null;

        foreach (var suffix in (ReadOnlySpan<string>)["-part1", "1", ""])
        {
            if (Path.GetFileName(FinalFile(host, node + suffix)) == DataPartition) return node + suffix;
        }
        return null;
    }

    /// <summary>The absolute path of a device that was named by path or by short name (zfs_resolve_shortname).</summary>
    public static string? Find(HostDirectory host, string device)
    {
        if (device.StartsWith('/')) return File.Exists(host.In(device)) ? device : null;

        foreach (var folder in (ReadOnlySpan<string>)[ByIdFolder, "/dev"])
        {
            if (File.Exists(host.In($"{folder}/{device}"))) return $"{folder}/{device}";
        }
        return null;
    }

    /// <summary>The node a by-id link leads to: <c>/dev/vda1</c>.</summary>
    public static string Follow(HostDirectory host, string path)
    {
        var link = new FileInfo(host.In(path)).LinkTarget;
        return link is not null && link.StartsWith("../../", StringComparison.Ordinal) && !link.Contains("disks", StringComparison.Ordinal)
            ? $"/dev/{Path.GetFileName(link)}"
            : path;
    }

    /// <summary>The nodes in a folder of the host, or the node itself, sorted; empty when there is nothing of that name.</summary>
    public static IReadOnlyList<string> Search(HostDirectory host, string path)
    {
        var real = host.In(path);
        if (File.Exists(real)) return [path];
        if (!Directory.Exists(real)) return [];

        return [.. Directory.EnumerateFiles(real).Select(file => $"{path.TrimEnd('/')}/{Path.GetFileName(file)}").Order(StringComparer.Ordinal)];
    }

    static string? FinalFile(HostDirectory host, string node) =>
        File.Exists(host.In(node)) ? new FileInfo(host.In(node)).ResolveLinkTarget(returnFinalTarget: true)?.FullName : null;

    static void Link(string path, string target)
    {
        if (!Path.Exists(path)) File.CreateSymbolicLink(path, target);
    }
}
