using ZfsHaEvents.Simulator.Disks;

namespace ZfsHaEvents.Simulator.Protocol;

/// <summary>Why a pool's I/O is suspended.</summary>
enum SuspendReason
{
    None = 0,

    /// <summary>Writes failed (ZIO_SUSPEND_IOERR).</summary>
    IoFailure = 1,

    /// <summary>Multihost writes failed, came late, or another host's were seen (ZIO_SUSPEND_MMP).</summary>
    Multihost = 2,
}

/// <summary>An imported pool as its kernel reports it.</summary>
sealed record PoolStatus
{
    public required string Name { get; init; }

    public required ulong PoolGuid { get; init; }

    /// <summary>A number of this import alone.</summary>
    public required ulong LoadGuid { get; init; }

    /// <summary>The pool's state without regard to suspension: that of its root vdev.</summary>
    public required string State { get; init; }

    public required SuspendReason Suspended { get; init; }

    public required bool ReadOnly { get; init; }

    public required string? AltRoot { get; init; }

    public required string? CacheFile { get; init; }

    public required ulong AllocatedBytes { get; init; }

    /// <summary>The transaction group its labels carry.</summary>
    public required ulong LabelTxg { get; init; }

    /// <summary>Properties somebody set.</summary>
    public required IReadOnlyDictionary<string, string> Properties { get; init; }

    public required IReadOnlyList<VdevStatus> Vdevs { get; init; }

    public required IReadOnlyList<DatasetStatus> Datasets { get; init; }

    public required IReadOnlyList<HistoryRecord> History { get; init; }

    /// <summary>What <c>zpool list</c> calls the pool's health.</summary>
    public string Health => Suspended == SuspendReason.None ? State : "SUSPENDED";

    public IEnumerable<VdevStatus> Leaves => Vdevs.SelectMany(vdev => vdev.Leaves);

    public static PoolStatus From(NvList list) => new()
    {
        Name = list.Text("name"),
        PoolGuid = list.Number("pool_guid"),
        LoadGuid = list.Number("load_guid"),
        State = list.Text("state"),
        Suspended = (SuspendReason)list.Number("suspended"),
        ReadOnly = list.Flag("readonly"),
        AltRoot = list.TextOrNone("altroot"),
        CacheFile = list.TextOrNone("cachefile"),
        AllocatedBytes = list.Number("allocated"),
        LabelTxg = list.Number("txg"),
        Properties = Texts(list.List("properties")),
        Vdevs = [.. list.Lists("vdevs").Select(VdevStatus.From)],
        Datasets = [.. list.Lists("datasets").Select(DatasetStatus.From)],
        History = [.. list.Lists("history").Select(HistoryRecord.From)],
    };

    public NvList ToList()
    {
        var properties = new NvList();
        foreach (var (name, value) in Properties) properties.Add(name, value);
        NvList list = new()
        {
            { "name", Name },
            { "pool_guid", PoolGuid },
            { "load_guid", LoadGuid },
            { "state", State },
            { "suspended", (ulong)Suspended },
            { "allocated", AllocatedBytes },
            { "txg", LabelTxg },
            { "properties", properties },
            { "vdevs", [.. Vdevs.Select(vdev => vdev.ToList())] },
            { "datasets", [.. Datasets.Select(dataset => dataset.ToList())] },
            { "history", [.. History.Select(record => record.ToList())] },
        };
        list.AddFlag("readonly", ReadOnly);
        list.AddText("altroot", AltRoot);
        list.AddText("cachefile", CacheFile);
        return list;
    }

    internal static Dictionary<string, string> Texts(NvList list) => list.ToDictionary(pair => pair.Key, pair => (string)pair.Value);
}

/// <summary>A file system of an imported pool.</summary>
/// <param name="Name">Its full name.</param>
/// <param name="Mountpoint">Where it belongs, with the pool's alternate root; or none or legacy.</param>
/// <param name="Mounted">Whether it is mounted.</param>
/// <param name="Dataset">What the pool stores of it.</param>
sealed record DatasetStatus(string Name, string Mountpoint, bool Mounted, Dataset Dataset)
{
    public string CanMount => Dataset.Properties.GetValueOrDefault("canmount", "on");

    /// <summary>Whether an import or <c>zfs mount -a</c> mounts it.</summary>
    public bool MountsByItself => CanMount == "on" && Mountpoint is not ("none" or "legacy");

    public static DatasetStatus From(NvList list) =>
        new(list.Text("name"), list.Text("mountpoint"), list.Flag("mounted"), Dataset.From(list.List("dataset")));

    public NvList ToList()
    {
        NvList list = new() { { "name", Name }, { "mountpoint", Mountpoint }, { "dataset", Dataset.ToList() } };
        list.AddFlag("mounted", Mounted);
        return list;
    }
}
