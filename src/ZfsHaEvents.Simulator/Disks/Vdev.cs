namespace ZfsHaEvents.Simulator.Disks;

/// <summary>A virtual device of a pool: a mirror with its disks, or a disk.</summary>
/// <param name="Type">As labels say it: <c>mirror</c> or <c>disk</c>.</param>
/// <param name="Id">Its place among its siblings.</param>
/// <param name="VdevGuid">Its GUID.</param>
/// <param name="Path">A disk's device node, with the partition; nothing for a mirror.</param>
/// <param name="Faulted">A disk taken out of service for errors; it is recorded, so every host knows it, and no claim waits for it.</param>
/// <param name="Children">A mirror's disks.</param>
sealed record Vdev(string Type, ulong Id, ulong VdevGuid, string? Path, bool Faulted, IReadOnlyList<Vdev> Children)
{
    public const string Disk = "disk";
    public const string Mirror = "mirror";

    /// <summary>Bytes of a disk that ZFS can allocate from, as the transcripts' 256 MiB disks give them.</summary>
    public const ulong AllocatableBytes = 253231104;

    public bool IsLeaf => Type == Disk;

    public IEnumerable<Vdev> Leaves => IsLeaf ? [this] : Children.SelectMany(child => child.Leaves);

    /// <summary>The sum of the GUIDs of this vdev and of all below it.</summary>
    public ulong GuidSum() => Children.Aggregate(VdevGuid, (sum, child) => unchecked(sum + child.GuidSum()));

    /// <summary>The same tree with another path for each leaf that has one in the table.</summary>
    public Vdev WithPaths(IReadOnlyDictionary<ulong, string> paths) => this with
    {
        Path = IsLeaf && paths.TryGetValue(VdevGuid, out var path) ? path : Path,
        Children = [.. Children.Select(child => child.WithPaths(paths))],
    };

    /// <summary>The same tree with exactly these leaves out of service.</summary>
    public Vdev WithFaulted(IReadOnlySet<ulong> leaves) => this with
    {
        Faulted = IsLeaf && leaves.Contains(VdevGuid),
        Children = [.. Children.Select(child => child.WithFaulted(leaves))],
    };

    public static Vdev From(NvList list) => new(
        list.Text("type"),
        list.Number("id"),
        list.Number("guid"),
        list.TextOrNone("path"),
        list.Flag("faulted"),
        [.. list.Lists("children").Select(From)]);

    /// <summary>The vdev as a label holds it, in a label's order (vdev_config_generate).</summary>
    public NvList ToList(bool topLevel)
    {
        NvList list = new() { { "type", Type }, { "id", Id }, { "guid", VdevGuid } };
        if (IsLeaf)
        {
            list.AddText("path", Path);
            list.Add("whole_disk", 1);
            list.AddFlag("faulted", Faulted);
        }
        if (topLevel)
        {
            // The object number only grows with the leaves' own ZAPs; nothing reads it.
            list.Add("metaslab_array", 66 + 2 * (ulong)Leaves.Count());
            list.Add("metaslab_shift", 24);
            list.Add("ashift", 9);
            list.Add("asize", AllocatableBytes);
            list.Add("min_alloc", 512);
            list.Add("is_log", 0);
        }
        list.Add("create_txg", 4);
        if (Children.Count > 0) list.Add("children", [.. Children.Select(child => child.ToList(topLevel: false))]);
        return list;
    }
}
