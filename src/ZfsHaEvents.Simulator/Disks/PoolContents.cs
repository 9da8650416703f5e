namespace ZfsHaEvents.Simulator.Disks;

/// <summary>
/// What a pool holds: its vdevs, properties, datasets and history (the meta-objset of a real pool). Its kernel changes it in
/// memory and writes all of it with the next transaction group.
/// </summary>
sealed class PoolContents
{
    /// <summary>A history is a ring on a real pool too; this bound keeps the contents within their block.</summary>
    const int HistoryMax = 1000;

    /// <summary>What a new pool, and then each dataset, takes in the transcripts, in bytes.</summary>
    const ulong NewPoolBytes = 109056;
    const ulong NewDatasetBytes = 30720;

    public required ulong PoolGuid { get; init; }

    public required string Name { get; set; }

    /// <summary>The top-level vdevs.</summary>
    public required IReadOnlyList<Vdev> Vdevs { get; set; }

    /// <summary>Pool properties somebody set (source "local").</summary>
    public Dictionary<string, string> Properties { get; } = [];

    public List<Dataset> Datasets { get; } = [];

    public List<HistoryRecord> History { get; } = [];

    /// <summary>Data writes the pool has seen, and the text of the last one: enough to tell whose writes a host sees.</summary>
    public ulong Writes { get; set; }

    public string LastWrite { get; set; } = "";

    public bool Multihost => Properties.GetValueOrDefault("multihost") == "on";

    public string? Comment => Properties.GetValueOrDefault("comment");

    public IEnumerable<Vdev> Leaves => Vdevs.SelectMany(vdev => vdev.Leaves);

    /// <summary>Bytes in use: made up, but steady and plausible.</summary>
    public ulong AllocatedBytes => NewPoolBytes + NewDatasetBytes * (ulong)(Datasets.Count - 1) + 512 * Writes;

    public ulong GuidSum() => Vdevs.Aggregate(PoolGuid, (sum, vdev) => unchecked(sum + vdev.GuidSum()));

    public void Remember(HistoryRecord record)
    {
        History.Add(record);
        if (History.Count > HistoryMax) History.RemoveRange(0, History.Count - HistoryMax);
    }

    public static PoolContents From(NvList list)
    {
        var contents = new PoolContents
        {
            PoolGuid = list.Number("pool_guid"),
            Name = list.Text("name"),
            Vdevs = [.. list.Lists("vdevs").Select(Vdev.From)],
            Writes = list.Number("writes"),
            LastWrite = list.Text("last_write"),
        };
        foreach (var (name, value) in list.List("properties")) contents.Properties[name] = (string)value;
        contents.Datasets.AddRange(list.Lists("datasets").Select(Dataset.From));
        contents.History.AddRange(list.Lists("history").Select(HistoryRecord.From));
        return contents;
    }

    public NvList ToList()
    {
        var properties = new NvList();
        foreach (var (name, value) in Properties) properties.Add(name, value);
        return new()
        {
            { "pool_guid", PoolGuid },
            { "name", Name },
            { "vdevs", [.. Vdevs.Select(vdev => vdev.ToList(topLevel: true))] },
            { "writes", Writes },
            { "last_write", LastWrite },
            { "properties", properties },
            { "datasets", [.. Datasets.Select(dataset => dataset.ToList())] },
            { "history", [.. History.Select(record => record.ToList())] },
        };
    }
}

/// <summary>A file system of a pool.</summary>
/// <param name="Path">Its name below the pool's; empty for the root dataset, so that a pool can be renamed.</param>
/// <param name="DatasetGuid">Its GUID.</param>
/// <param name="CreateTxg">The transaction group that created it.</param>
/// <param name="Creation">When, in seconds since 1970.</param>
/// <param name="Properties">Properties somebody set (source "local").</param>
sealed record Dataset(string Path, ulong DatasetGuid, ulong CreateTxg, ulong Creation, IReadOnlyDictionary<string, string> Properties)
{
    public string NameIn(string pool) => Path.Length == 0 ? pool : $"{pool}/{Path}";

    public static Dataset From(NvList list) => new(
        list.Text("path"),
        list.Number("guid"),
        list.Number("createtxg"),
        list.Number("creation"),
        list.List("properties").ToDictionary(pair => pair.Key, pair => (string)pair.Value));

    public NvList ToList()
    {
        var properties = new NvList();
        foreach (var (name, value) in Properties) properties.Add(name, value);
        return new()
        {
            { "path", Path },
            { "guid", DatasetGuid },
            { "createtxg", CreateTxg },
            { "creation", Creation },
            { "properties", properties },
        };
    }
}

/// <summary>One line of a pool's history.</summary>
/// <param name="At">When, in seconds since 1970.</param>
/// <param name="HostName">The host that did it.</param>
/// <param name="Txg">Set for what the kernel did by itself; <c>zpool history</c> shows such a line with <c>-i</c> only.</param>
/// <param name="Text">The command, or what the kernel did.</param>
sealed record HistoryRecord(ulong At, string HostName, ulong? Txg, string Text)
{
    public static HistoryRecord From(NvList list) =>
        new(list.Number("time"), list.Text("host"), list.Has("txg") ? list.Number("txg") : null, list.Text("text"));

    public NvList ToList()
    {
        NvList list = new() { { "time", At }, { "host", HostName } };
        if (Txg is { } txg) list.Add("txg", txg);
        list.Add("text", Text);
        return list;
    }
}
