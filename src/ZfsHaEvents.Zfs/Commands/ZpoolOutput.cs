using System.Text.RegularExpressions;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Zfs.Commands;

/// <summary>A line of <c>zpool list -H -p -o name,guid,health</c>.</summary>
public sealed record ListedPool(PoolName Name, PoolGuid PoolGuid, PoolHealth Health);

/// <summary>What <c>zpool get</c> says of an imported pool.</summary>
public sealed record PoolProperties(PoolGuid PoolGuid, bool ReadOnly, bool Multihost, PoolHealth Health);

/// <summary>A leaf device as <c>zpool status</c> shows it.</summary>
/// <param name="Name">What <c>zpool</c> calls it: its path, or the GUID of one that is missing.</param>
/// <param name="Path">Its path, or its former one; null when neither is told.</param>
/// <param name="State">ZFS's word for its state.</param>
public sealed record LeafState(string Name, string? Path, string State);

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
    public static IReadOnlyList<string> Leaves(string stdout) => [.. LeafStates(stdout).Select(leaf => leaf.Path).OfType<string>()];

    /// <summary>The same leaf vdevs with their states, also those that have no path (any more).</summary>
    public static IReadOnlyList<LeafState> LeafStates(string stdout)
    {
        var leaves = new List<LeafState>();
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
            // Groups have names as "mirror-0"; only a leaf that is missing goes by its GUID.
            if (path.StartsWith('/')) leaves.Add(new(name, path, row.Groups["state"].Value));
            else if (name.All(char.IsAsciiDigit)) leaves.Add(new(name, null, row.Groups["state"].Value));
        }
        return leaves;
    }

    static bool? OnOff(string? value) => value switch { "on" => true, "off" => false, _ => null };

    static IEnumerable<string> Lines(string text) => text.Split('\n').Where(line => line.Length > 0);

    [GeneratedRegex(@"^\t\s*(?<name>\S.*?)\s+(?<state>ONLINE|DEGRADED|FAULTED|OFFLINE|REMOVED|UNAVAIL|SUSPENDED|AVAIL|INUSE|SPLIT)(\s+(?<rest>.*))?$")]
    private static partial Regex VdevRow();

    [GeneratedRegex(@"^\t\S+\s*$")]
    private static partial Regex SectionRow();

    [GeneratedRegex(@"\bwas (?<path>/.*?)(\s{2}|\s*$)")]
    private static partial Regex FormerPath();
}
