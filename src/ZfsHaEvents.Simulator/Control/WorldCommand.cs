using System.Globalization;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Control;

/// <summary>Making a world, and changing how it runs.</summary>
static class WorldCommand
{
    const string HexPrefix = "0x";

    public static int Create(WorldDirectory world, string[] options)
    {
        var hosts = new List<string> { "a", "b" };
        var hostIds = new Dictionary<string, uint>();
        var disks = 6;
        var settings = new WorldSettings();
        for (var at = 0; at < options.Length; at += 2)
        {
            var value = at + 1 < options.Length ? options[at + 1] : throw new FormatException($"{options[at]} needs a value.");
            switch (options[at])
            {
                case "--hosts":
                    hosts = [.. value.Split(',', StringSplitOptions.RemoveEmptyEntries)];
                    break;
                case "--disks":
                    disks = int.Parse(value, NumberStyles.None, CultureInfo.InvariantCulture);
                    break;
                case "--hostid":
                    var (host, id) = Pair(value);
                    hostIds[host] = HostId(id);
                    break;
                default:
                    settings = settings.With(options[at].TrimStart('-'), value);
                    break;
            }
        }
        // The process may have been started as "dotnet zfs-simulator.dll"; the stand-ins need the executable beside it.
        WorldCreation.Create(world, new(hosts, disks, hostIds, settings), Path.Combine(AppContext.BaseDirectory, "zfs-simulator"));
        return 0;
    }

    public static int Set(WorldDirectory world, string[] changes)
    {
        var settings = WorldSettings.Read(world);
        foreach (var change in changes)
        {
            var (key, value) = Pair(change);
            settings = settings.With(key, value);
        }
        settings.Write(world);
        return 0;
    }

    static (string Key, string Value) Pair(string text) => text.Split('=', 2) is [var key, var value]
        ? (key, value)
        : throw new FormatException($"'{text}' is not of the form key=value.");

    static uint HostId(string text) => text.StartsWith(HexPrefix, StringComparison.Ordinal)
        ? uint.Parse(text.AsSpan(HexPrefix.Length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
        : uint.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
