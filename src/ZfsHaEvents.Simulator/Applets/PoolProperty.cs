using System.Globalization;
using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.Protocol;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>What kind of value a property has: it decides the width and the side of its column (zprop_width).</summary>
enum PropertyKind
{
    Text,
    Number,
    Choice,
}

/// <summary>A pool property (zpoolprops(7), zpool_prop_init).</summary>
/// <param name="Name">Its name.</param>
/// <param name="Header">Its column's header; properties are found by it as well.</param>
/// <param name="Kind">What kind of value it has.</param>
/// <param name="Editable">Whether it can be set.</param>
/// <param name="Values">Its values, as the usage text says them.</param>
/// <param name="Read">Its value, literal or as people read it.</param>
sealed record PoolProperty(
    string Name, string Header, PropertyKind Kind, bool Editable, string Values, Func<PoolStatus, bool, string> Read)
{
    const int NumberWidthMin = 5;
    const int HealthWidth = 8;
    const int ChoiceWidthMin = 3;

    /// <summary>What a disk of the transcripts gives a pool, and what is made up: no simulated pool fills or fragments.</summary>
    public const ulong TopLevelBytes = 251658240;
    public const ulong LeafBytes = 257949696;
    public const ulong FragmentationPercent = 4;

    public bool RightAligned => Kind == PropertyKind.Number;

    /// <summary>The width of its column before any value is looked at; a number's column never grows but for literal values.</summary>
    public int WidthMin => Kind switch
    {
        PropertyKind.Number => Name == "health" ? HealthWidth : Math.Max(Header.Length, NumberWidthMin),
        PropertyKind.Choice => Math.Max(Header.Length, Name == "failmode" ? "continue".Length : ChoiceWidthMin),
        PropertyKind.Text or _ => Header.Length,
    };

    /// <summary>local, default or - (zpool_get_prop).</summary>
    public string Source(PoolStatus pool) => Name switch
    {
        "altroot" => pool.AltRoot is null ? "default" : "local",
        "cachefile" => pool.CacheFile is null ? "default" : "local",
        "readonly" => "-",
        _ when Name.StartsWith(PoolFeatures.Prefix, StringComparison.Ordinal) => "local",
        _ when !Editable => "-",
        _ => pool.Properties.ContainsKey(Name) ? "local" : "default",
    };

    public static IReadOnlyList<PoolProperty> All { get; } =
    [
        Number("size", "SIZE", "<size>", Size),
        new("capacity", "CAP", PropertyKind.Number, Editable: false, "<percent>", (pool, literal) => Percent(Used(pool) * 100 / Size(pool), literal)),
        new("altroot", "ALTROOT", PropertyKind.Text, Editable: true, "<path>", (pool, _) => pool.AltRoot ?? "-"),
        new("health", "HEALTH", PropertyKind.Number, Editable: false, "<state>", (pool, _) => pool.Health),
        Literal("guid", "GUID", "<guid>", pool => pool.PoolGuid),
        Set("version", "VERSION", PropertyKind.Number, "<version>"),
        Set("bootfs", "BOOTFS", PropertyKind.Text, "<filesystem>"),
        Set("delegation", "DELEGATION", PropertyKind.Choice, "on | off"),
        Set("autoreplace", "REPLACE", PropertyKind.Choice, "on | off"),
        new("cachefile", "CACHEFILE", PropertyKind.Text, Editable: true, "<file> | none", (pool, _) => pool.CacheFile ?? "-"),
        Set("failmode", "FAILMODE", PropertyKind.Choice, "wait | continue | panic"),
        Set("listsnapshots", "LISTSNAPS", PropertyKind.Choice, "on | off"),
        Set("autoexpand", "EXPAND", PropertyKind.Choice, "on | off"),
        Ratio("dedupratio", "DEDUP", "<1.00x or higher if deduped>"),
        Number("free", "FREE", "<size>", pool => Size(pool) - Used(pool)),
        Number("allocated", "ALLOC", "<size>", Used),
        new("readonly", "RDONLY", PropertyKind.Choice, Editable: true, "on | off", (pool, _) => pool.ReadOnly ? "on" : "off"),
        Set("ashift", "ASHIFT", PropertyKind.Number, "<ashift, 9-16, or 0=default>"),
        Set("comment", "COMMENT", PropertyKind.Text, "<comment-string>"),
        Nothing("expandsize", "EXPANDSZ"),
        Number("freeing", "FREEING", "<size>", _ => 0),
        new("fragmentation", "FRAG", PropertyKind.Number, Editable: false, "<percent>", (pool, literal) => Percent(Fragmentation(pool), literal)),
        Number("leaked", "LEAKED", "<size>", _ => 0),
        Set("multihost", "MULTIHOST", PropertyKind.Choice, "on | off"),
        Nothing("checkpoint", "CKPOINT"),
        Literal("load_guid", "LOAD_GUID", "<load_guid>", pool => pool.LoadGuid),
        Set("autotrim", "AUTOTRIM", PropertyKind.Choice, "on | off"),
        Set("compatibility", "COMPATIBILITY", PropertyKind.Text, "<file[,file...]> | off | legacy"),
        Number("bcloneused", "BCLONE_USED", "<size>", _ => 0),
        Number("bclonesaved", "BCLONE_SAVED", "<size>", _ => 0),
        Ratio("bcloneratio", "BCLONE_RATIO", "<1.00x or higher if cloned>"),
        Number("dedup_table_size", "DDTSIZE", "<size>", _ => 0),
        Set("dedup_table_quota", "DDTQUOTA", PropertyKind.Number, "<size>"),
        Literal("last_scrubbed_txg", "LAST_SCRUBBED_TXG", "<txg>", _ => 0),
    ];

    /// <summary>Not among those that "all" means.</summary>
    public static PoolProperty NameProperty { get; } =
        new("name", "NAME", PropertyKind.Text, Editable: false, "", (pool, _) => pool.Name);

    /// <summary>The property of that name or header; a feature is a property too.</summary>
    public static PoolProperty? Find(string name)
    {
        if (name == NameProperty.Name) return NameProperty;
        if (name.StartsWith(PoolFeatures.Prefix, StringComparison.Ordinal)) return Feature(name);

        return All.FirstOrDefault(property => property.Name == name
            || string.Equals(property.Header, name, StringComparison.OrdinalIgnoreCase));
    }

    public static IEnumerable<PoolProperty> Features =>
        PoolFeatures.All.Select(feature => Feature(PoolFeatures.Prefix + feature.Name)!);

    static PoolProperty? Feature(string name)
    {
        var state = PoolFeatures.All.FirstOrDefault(feature => PoolFeatures.Prefix + feature.Name == name).State;
        return state is null ? null : new(name, name.ToUpperInvariant(), PropertyKind.Text, Editable: true, "", (_, _) => state);
    }

    static PoolProperty Set(string name, string header, PropertyKind kind, string values) =>
        new(name, header, kind, Editable: true, values, (pool, _) => pool.Properties.GetValueOrDefault(name, PoolDefaults.Values[name]));

    static PoolProperty Number(string name, string header, string values, Func<PoolStatus, ulong> value) =>
        new(name, header, PropertyKind.Number, Editable: false, values, (pool, literal) => Show(value(pool), literal));

    static PoolProperty Literal(string name, string header, string values, Func<PoolStatus, ulong> value) =>
        new(name, header, PropertyKind.Number, Editable: false, values, (pool, _) => Show(value(pool), literal: true));

    static PoolProperty Ratio(string name, string header, string values) =>
        new(name, header, PropertyKind.Number, Editable: false, values, (_, literal) => literal ? "1.00" : "1.00x");

    static PoolProperty Nothing(string name, string header) =>
        new(name, header, PropertyKind.Number, Editable: false, "<size>", (_, _) => "-");

    static ulong Size(PoolStatus pool) => TopLevelBytes * (ulong)pool.Vdevs.Count;

    /// <summary>A pool that is imported read-only has not loaded its space maps.</summary>
    static ulong Used(PoolStatus pool) => pool.ReadOnly ? 0 : pool.AllocatedBytes;

    static ulong Fragmentation(PoolStatus pool) => pool.ReadOnly ? 0 : FragmentationPercent;

    static string Show(ulong value, bool literal) => literal ? value.ToString(CultureInfo.InvariantCulture) : NiceNumber.Format(value);

    static string Percent(ulong value, bool literal) => literal ? Show(value, literal: true) : $"{value}%";
}
