using System.Text.RegularExpressions;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Zfs.Commands;

/// <summary>A line of <c>zpool list -H -p -o name,guid,health</c>.</summary>
public sealed record ListedPool(PoolName Name, PoolGuid PoolGuid, PoolHealth Health);

/// <summary>What <c>zpool get</c> says of an imported pool.</summary>
public sealed record PoolProperties(PoolGuid PoolGuid, bool ReadOnly, bool Multihost, PoolHealth Health);

/// <summary>A pool that <c>zpool import</c>, without a name, found on the disks.</summary>
/// <param name="State">UNAVAIL when it is in use elsewhere, whatever the state of its disks.</param>
/// <param name="Status">Why it is not simply importable; empty when it is.</param>
/// <param name="LastHost">The host named in the text; hearsay.</param>
public sealed record ScannedPool(
    PoolName Name, PoolGuid PoolGuid, PoolHealth State, string Status, string Action, string? LastHost, ZfsHostId? LastHostId);

/// <summary>Reads what <c>zpool</c> prints. Tolerates unknown lines; never guesses at a known one that is malformed.</summary>
public static partial class ZpoolOutput
{
    /// <summary>The pools of <c>zpool list -H -p -o name,guid,health</c>.</summary>
    public static IReadOnlyList<ListedPool> List(string stdout)
    {
        var pools = new List<ListedPool>();
        foreach (var line in Lines(stdout))
        {
            var fields = line.Split('\t');
            if (fields.Length == 3 && PoolName.TryParse(fields[0], null, out var name) && PoolGuid.TryParse(fields[1], null, out var guid))
                pools.Add(new(name, guid, Kstats.Health(fields[2])));
        }
        return pools;
    }

    /// <summary>
    /// The values of <c>zpool get -H -p -o property,value guid,readonly,multihost,health POOL</c>; null when one of them is missing or
    /// is none of its possible values.
    /// </summary>
    public static PoolProperties? Properties(string stdout)
    {
        var values = new Dictionary<string, string>();
        foreach (var line in Lines(stdout))
            if (line.Split('\t') is [var property, var value]) values[property] = value;

        if (!PoolGuid.TryParse(values.GetValueOrDefault("guid"), null, out var guid)) return null;
        if (OnOff(values.GetValueOrDefault("readonly")) is not { } readOnly) return null;
        if (OnOff(values.GetValueOrDefault("multihost")) is not { } multihost) return null;
        return new(guid, readOnly, multihost, Kstats.Health(values.GetValueOrDefault("health", "")));
    }

    /// <summary>
    /// The paths of the leaf vdevs that carry the pool's labels, in the order of <c>zpool status -P POOL</c>: of data, special, dedup
    /// and log vdevs, not of cache and spare devices, whose labels are their own.
    /// </summary>
    /// <remarks>
    /// <c>status</c>, because it alone still names the path of a leaf that is missing ("was /dev/…"), which another host may well
    /// see; <c>list -v</c> prints only its GUID, in all releases, and <c>-j</c> exists since 2.3. Of its layout only this
    /// is relied on: rows begin with a tab, a vdev's row has a state word after the name, a section's row has nothing after
    /// the name, and paths begin with a slash.
    /// </remarks>
    public static IReadOnlyList<string> Leaves(string stdout)
    {
        var leaves = new List<string>();
        var section = "";
        foreach (var line in Lines(stdout).Where(line => line.StartsWith('\t')))
        {
            if (VdevRow().Match(line) is not { Success: true } row)
            {
                if (SectionRow().IsMatch(line)) section = line.Trim();
                continue;
            }
            if (section is "cache" or "spares") continue;

            var name = row.Groups["name"].Value;
            var path = FormerPath().Match(row.Groups["rest"].Value) is { Success: true } was ? was.Groups["path"].Value : name;
            if (path.StartsWith('/')) leaves.Add(path);
        }
        return leaves;
    }

    /// <summary>The pools that a <c>zpool import</c> without a pool's name lists.</summary>
    public static IReadOnlyList<ScannedPool> Scan(string stdout)
    {
        var pools = new List<ScannedPool>();
        var fields = new Dictionary<string, string>();
        var last = "";
        foreach (var line in Lines(stdout).Append("  pool: "))
        {
            var field = ScanField().Match(line);
            if (field is { Success: true } && field.Groups["key"].Value == "pool" && fields.Count > 0)
            {
                if (Scanned(fields) is { } pool) pools.Add(pool);
                fields.Clear();
            }
            if (field.Success) fields[last = field.Groups["key"].Value] = field.Groups["text"].Value;
            else if (line.StartsWith('\t') && last is "status" or "action") fields[last] += " " + line.Trim(); // Wrapped text.
        }
        return pools;
    }

    static ScannedPool? Scanned(Dictionary<string, string> fields)
    {
        string Field(string key) => fields.GetValueOrDefault(key, "").Trim();
        if (!PoolName.TryParse(Field("pool"), null, out var name) || !PoolGuid.TryParse(Field("id"), null, out var guid)) return null;

        var host = ExportedFrom().Match(Field("action"));
        return new(
            name, guid, Kstats.Health(Field("state")), Field("status"), Field("action"),
            host.Success ? host.Groups["host"].Value : null,
            host.Success && ZfsHostId.TryParse(host.Groups["id"].Value, null, out var hostId) ? hostId : null);
    }

    static bool? OnOff(string? value) => value switch { "on" => true, "off" => false, _ => null };

    static IEnumerable<string> Lines(string text) => text.Split('\n').Where(line => line.Length > 0);

    [GeneratedRegex(@"^\t\s*(?<name>\S.*?)\s+(ONLINE|DEGRADED|FAULTED|OFFLINE|REMOVED|UNAVAIL|SUSPENDED|AVAIL|INUSE|SPLIT)(\s+(?<rest>.*))?$")]
    private static partial Regex VdevRow();

    [GeneratedRegex(@"^\t\S+\s*$")]
    private static partial Regex SectionRow();

    [GeneratedRegex(@"\bwas (?<path>/.*?)(\s{2}|\s*$)")]
    private static partial Regex FormerPath();

    [GeneratedRegex(@"^ *(?<key>pool|id|state|status|action|see|config|comment|remove|scan): ?(?<text>.*)$")]
    private static partial Regex ScanField();

    [GeneratedRegex(@"must be exported from (?<host>.+?) \(hostid[=:] ?(0x)?(?<id>[0-9a-f]+)\)")]
    private static partial Regex ExportedFrom();
}
