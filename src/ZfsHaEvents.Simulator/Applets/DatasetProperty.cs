using System.Globalization;
using ZfsHaEvents.Simulator.Protocol;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>A dataset property (zfsprops(7)).</summary>
/// <param name="Name">Its name.</param>
/// <param name="Default">What a file system has unless something says otherwise.</param>
/// <param name="Settable">Whether it can be set; what can has a source.</param>
sealed record DatasetProperty(string Name, string Default, bool Settable)
{
    /// <summary>What an empty file system takes in the transcripts, in bytes.</summary>
    const ulong EmptyBytes = 24576;

    /// <summary>All of a file system's properties of OpenZFS 2.3.9, in the order <c>zfs get all</c> lists them.</summary>
    public static IReadOnlyList<DatasetProperty> All { get; } =
    [
        new("type", "filesystem", Settable: false),
        new("creation", "1795195178", Settable: false),
        new("used", "109056", Settable: false),
        new("available", "125720064", Settable: false),
        new("referenced", "24576", Settable: false),
        new("compressratio", "1.00", Settable: false),
        new("mounted", "no", Settable: false),
        new("quota", "0", Settable: true),
        new("reservation", "0", Settable: true),
        new("recordsize", "131072", Settable: true),
        new("mountpoint", "/tank1", Settable: true),
        new("sharenfs", "off", Settable: true),
        new("checksum", "on", Settable: true),
        new("compression", "on", Settable: true),
        new("atime", "on", Settable: true),
        new("devices", "on", Settable: true),
        new("exec", "on", Settable: true),
        new("setuid", "on", Settable: true),
        new("readonly", "off", Settable: true),
        new("zoned", "off", Settable: true),
        new("snapdir", "hidden", Settable: true),
        new("aclmode", "discard", Settable: true),
        new("aclinherit", "restricted", Settable: true),
        new("createtxg", "1", Settable: false),
        new("canmount", "on", Settable: true),
        new("xattr", "on", Settable: true),
        new("copies", "1", Settable: true),
        new("version", "5", Settable: false),
        new("utf8only", "off", Settable: false),
        new("normalization", "none", Settable: false),
        new("casesensitivity", "sensitive", Settable: false),
        new("vscan", "off", Settable: true),
        new("nbmand", "off", Settable: true),
        new("sharesmb", "off", Settable: true),
        new("refquota", "0", Settable: true),
        new("refreservation", "0", Settable: true),
        new("guid", "7821806800921826068", Settable: false),
        new("primarycache", "all", Settable: true),
        new("secondarycache", "all", Settable: true),
        new("usedbysnapshots", "0", Settable: false),
        new("usedbydataset", "24576", Settable: false),
        new("usedbychildren", "84480", Settable: false),
        new("usedbyrefreservation", "0", Settable: false),
        new("logbias", "latency", Settable: true),
        new("objsetid", "54", Settable: false),
        new("dedup", "off", Settable: true),
        new("mlslabel", "none", Settable: true),
        new("sync", "standard", Settable: true),
        new("dnodesize", "legacy", Settable: true),
        new("refcompressratio", "1.00", Settable: false),
        new("written", "24576", Settable: false),
        new("logicalused", "40448", Settable: false),
        new("logicalreferenced", "12288", Settable: false),
        new("volmode", "default", Settable: true),
        new("filesystem_limit", "none", Settable: true),
        new("snapshot_limit", "none", Settable: true),
        new("filesystem_count", "none", Settable: true),
        new("snapshot_count", "none", Settable: true),
        new("snapdev", "hidden", Settable: true),
        new("acltype", "off", Settable: true),
        new("context", "none", Settable: true),
        new("fscontext", "none", Settable: true),
        new("defcontext", "none", Settable: true),
        new("rootcontext", "none", Settable: true),
        new("relatime", "on", Settable: true),
        new("redundant_metadata", "all", Settable: true),
        new("overlay", "on", Settable: true),
        new("encryption", "off", Settable: true),
        new("keylocation", "none", Settable: true),
        new("keyformat", "none", Settable: true),
        new("pbkdf2iters", "0", Settable: true),
        new("special_small_blocks", "0", Settable: true),
        new("prefetch", "all", Settable: true),
        new("direct", "standard", Settable: true),
        new("longname", "off", Settable: true),
    ];

    /// <summary>Those <c>zfs list</c> shows by itself.</summary>
    public const string Listed = "name,used,available,referenced,mountpoint";

    /// <summary>The short names some properties have as columns, and may be asked for by.</summary>
    static readonly Dictionary<string, string> Headers = new()
    {
        ["available"] = "AVAIL",
        ["referenced"] = "REFER",
        ["compressratio"] = "RATIO",
        ["quota"] = "QUOTA",
        ["reservation"] = "RESERV",
        ["recordsize"] = "RECSIZE",
    };

    public string Header => Headers.GetValueOrDefault(Name, Name.ToUpperInvariant());

    public bool RightAligned => Name is "used" or "available" or "referenced" or "quota" or "reservation" or "recordsize";

    bool IsSize => Name is "used" or "available" or "referenced" or "usedbydataset" or "usedbychildren" or "written";

    /// <summary>The property of that name or column; a name with a colon is a user property, which every dataset may have.</summary>
    public static DatasetProperty? Find(string name)
    {
        if (name == "name") return new("name", "", Settable: false);
        // Shown of every dataset that is asked for it, but only encrypted ones have it among all their properties.
        if (name == "keystatus") return new("keystatus", "-", Settable: false);
        if (name.Contains(':')) return new(name, "-", Settable: true);

        return All.FirstOrDefault(property => property.Name == name
            || string.Equals(property.Header, name, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>The value for one dataset, literal or as people read it.</summary>
    public string Read(PoolStatus pool, DatasetStatus dataset, bool literal)
    {
        var root = dataset.Dataset.Path.Length == 0;
        var used = root ? pool.AllocatedBytes : EmptyBytes;
        var size = PoolProperty.TopLevelBytes * (ulong)pool.Vdevs.Count;
        return Name switch
        {
            "name" => dataset.Name,
            "creation" => literal ? Text(dataset.Dataset.Creation) : Time(dataset.Dataset.Creation),
            "used" => Bytes(used, literal),
            // Half of such a small pool is slop space (spa_get_slop_space).
            "available" => Bytes(size / 2 - pool.AllocatedBytes, literal),
            "referenced" or "usedbydataset" or "written" => Bytes(EmptyBytes, literal),
            "usedbychildren" => Bytes(used - EmptyBytes, literal),
            "mounted" => dataset.Mounted ? "yes" : "no",
            "mountpoint" => dataset.Mountpoint,
            "canmount" => dataset.CanMount,
            "readonly" when pool.ReadOnly => "on",
            "createtxg" => Text(dataset.Dataset.CreateTxg),
            "guid" => Text(dataset.Dataset.DatasetGuid),
            _ when dataset.Dataset.Properties.TryGetValue(Name, out var value) => value,
            _ when IsSize && !literal => NiceNumber.Format(ulong.Parse(Default, CultureInfo.InvariantCulture)),
            _ when Name.EndsWith("ratio", StringComparison.Ordinal) && !literal => Default + "x",
            _ => Default,
        };
    }

    /// <summary>local, temporary, default or -.</summary>
    public string Source(PoolStatus pool, DatasetStatus dataset) => this switch
    {
        { Settable: false } => "-",
        { Name: "readonly" } when pool.ReadOnly => "temporary",
        _ when dataset.Dataset.Properties.ContainsKey(Name) => "local",
        { Default: "-" } => "-",
        _ => "default",
    };

    static string Bytes(ulong value, bool literal) => literal ? Text(value) : NiceNumber.Format(value);

    static string Text(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    static string Time(ulong seconds) =>
        DateTimeOffset.FromUnixTimeSeconds((long)seconds).ToLocalTime().ToString("ddd MMM d HH:mm yyyy", CultureInfo.InvariantCulture);
}
