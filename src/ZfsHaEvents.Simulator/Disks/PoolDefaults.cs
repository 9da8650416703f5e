namespace ZfsHaEvents.Simulator.Disks;

/// <summary>Default values of the pool properties that can be set (zpoolprops(7)).</summary>
static class PoolDefaults
{
    public static IReadOnlyDictionary<string, string> Values { get; } = new Dictionary<string, string>
    {
        ["ashift"] = "0",
        ["autoexpand"] = "off",
        ["autoreplace"] = "off",
        ["autotrim"] = "off",
        ["bootfs"] = "-",
        ["comment"] = "-",
        ["compatibility"] = "off",
        ["dedup_table_quota"] = "auto",
        ["delegation"] = "on",
        ["failmode"] = "wait",
        ["listsnapshots"] = "off",
        ["multihost"] = "off",
        ["version"] = "-",
    };

    /// <summary>Whether setting this is the same as never having set anything.</summary>
    public static bool Is(string name, string value) => Values.GetValueOrDefault(name) == value || (name == "comment" && value.Length == 0);
}
