using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ZfsHaEvents.Simulator.World;

/// <summary>How a world runs. Kept in <c>world.json</c>, may be changed while the world lives (<c>zfs-simulator set</c>).</summary>
sealed record WorldSettings
{
    /// <summary>Multiplies every time that multihost protection takes: 1 is real time, 0.02 makes a 35 s activity check last 0.7 s.</summary>
    public double TimeScale { get; init; } = 1;

    /// <summary>How long an export takes besides, in seconds; not scaled.</summary>
    public double ExportSeconds { get; init; } = 0.02;

    /// <summary>How long an import takes besides, in seconds; not scaled.</summary>
    public double ImportSeconds { get; init; } = 0.02;

    /// <summary>Whether list, get and status wait while an activity check runs on the host, as they do in reality.</summary>
    public bool BlockDuringCheck { get; init; } = true;

    /// <summary>zfs_multihost_interval of a host that boots, in milliseconds.</summary>
    public uint MultihostInterval { get; init; } = 1000;

    /// <summary>zfs_multihost_fail_intervals of a host that boots.</summary>
    public uint MultihostFailIntervals { get; init; } = 10;

    /// <summary>zfs_multihost_import_intervals of a host that boots.</summary>
    public uint MultihostImportIntervals { get; init; } = 20;

    /// <summary>The names by which <see cref="With"/> knows the settings.</summary>
    public static readonly IReadOnlyList<string> Keys =
    [
        "time-scale", "export-seconds", "import-seconds", "block-during-check",
        "multihost-interval", "multihost-fail-intervals", "multihost-import-intervals",
    ];

    /// <summary>The settings with one of them changed.</summary>
    /// <exception cref="FormatException">There is no such setting, or the value does not fit it.</exception>
    public WorldSettings With(string key, string value) => key switch
    {
        "time-scale" => this with { TimeScale = Seconds(key, value) is > 0 and var scale ? scale : throw new FormatException("time-scale is above 0.") },
        "export-seconds" => this with { ExportSeconds = Seconds(key, value) },
        "import-seconds" => this with { ImportSeconds = Seconds(key, value) },
        "block-during-check" => this with { BlockDuringCheck = Switch(key, value) },
        "multihost-interval" => this with { MultihostInterval = Whole(key, value) },
        "multihost-fail-intervals" => this with { MultihostFailIntervals = Whole(key, value) },
        "multihost-import-intervals" => this with { MultihostImportIntervals = Whole(key, value) },
        _ => throw new FormatException($"There is no setting '{key}'; there are {string.Join(", ", Keys)}."),
    };

    public static WorldSettings Read(WorldDirectory world) =>
        JsonSerializer.Deserialize(File.ReadAllBytes(world.SettingsFile), WorldJson.Default.WorldSettings)
        ?? throw new InvalidDataException($"{world.SettingsFile} holds no settings.");

    /// <summary>Replaces the file at once: a kernel may be reading it.</summary>
    public void Write(WorldDirectory world)
    {
        var half = world.SettingsFile + ".new";
        File.WriteAllText(half, JsonSerializer.Serialize(this, WorldJson.Default.WorldSettings) + "\n");
        File.Move(half, world.SettingsFile, overwrite: true);
    }

    static double Seconds(string key, string value) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= 0
            ? number
            : throw new FormatException($"{key} is a number and not negative, not '{value}'.");

    static uint Whole(string key, string value) =>
        uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new FormatException($"{key} is a whole number, not '{value}'.");

    static bool Switch(string key, string value) => value switch
    {
        "on" => true,
        "off" => false,
        _ => throw new FormatException($"{key} is on or off, not '{value}'."),
    };
}

/// <summary>The settings as the file has them now: read again whenever the file changed.</summary>
sealed class LiveSettings(WorldDirectory world)
{
    readonly Lock _gate = new();
    DateTime _readAt;
    WorldSettings _settings = new();

    public WorldSettings Current
    {
        get
        {
            lock (_gate)
            {
                var changedAt = File.GetLastWriteTimeUtc(world.SettingsFile);
                if (changedAt == _readAt) return _settings;

                _settings = WorldSettings.Read(world);
                _readAt = changedAt;
                return _settings;
            }
        }
    }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(WorldSettings))]
sealed partial class WorldJson : JsonSerializerContext;
