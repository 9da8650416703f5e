using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>What a pool property can be set to (zpool_valid_proplist).</summary>
static class PoolPropertyRules
{
    /// <summary>Why this value cannot be set, in libzfs' words; nothing when it can.</summary>
    public static string? Refuse(HostDirectory host, string name, string value)
    {
        if (PoolProperty.Find(name) is not { } property) return $"invalid property '{name}'";
        if (!property.Editable || name == "readonly") return $"'{name}' is readonly";
        if (property.Kind == PropertyKind.Choice && !property.Values.Split(" | ").Contains(value))
            return $"'{name}' must be one of '{property.Values}'";

        return name == "multihost" && value == "on" && host.ReadHostId() == 0 ? "requires a non-zero system hostid" : null;
    }

    /// <summary>
    /// Reads the <c>-o property=value</c> options of create and import. Nothing when one of them is not a property; that has been
    /// said then.
    /// </summary>
    public static Dictionary<string, string>? Read(Terminal terminal, IEnumerable<string> options)
    {
        var properties = new Dictionary<string, string>();
        foreach (var option in options)
        {
            // Without a value it is a list of mount options, which no fake file system heeds.
            if (option.Split('=', 2) is not [var name, var value]) continue;
            if (PoolProperty.Find(name) is null)
            {
                terminal.ErrorLine($"property '{name}' is not a valid pool or vdev property");
                return null;
            }
            if (!properties.TryAdd(name, value))
            {
                terminal.ErrorLine($"property '{name}' specified multiple times");
                return null;
            }
        }
        return properties;
    }
}
