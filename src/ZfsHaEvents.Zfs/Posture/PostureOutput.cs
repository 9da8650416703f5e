using ZfsHaEvents.Domain;

namespace ZfsHaEvents.Zfs.Posture;

/// <summary>Reads what <c>zpool get</c> and <c>zfs get</c> print for <see cref="PostureReader"/>. What is not as it was asked for is not known.</summary>
static class PostureOutput
{
    /// <summary>Of <c>zpool get -H -p -o property,value guid,multihost,cachefile POOL</c>.</summary>
    /// <param name="expected">The pool's GUID as the kernel showed it; null when it showed none.</param>
    public static Fact<PoolSettings> Settings(string stdout, PoolGuid? expected)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in Lines(stdout))
        {
            if (line.Split('\t') is not [var property, var value] || !values.TryAdd(property, value)) return Odd();
        }
        if (!PoolGuid.TryParse(values.GetValueOrDefault("guid"), null, out var guid)) return Odd();
        if (expected is { } known && known != guid) return Fact.Unknown<PoolSettings>("its name has just passed to another pool: try again");
        if (values.GetValueOrDefault("multihost") is not ("on" or "off") || values.GetValueOrDefault("cachefile") is not { Length: > 0 } cacheFile) return Odd();
        return Fact.Known(new PoolSettings(values["multihost"] == "on", cacheFile));

        static Fact<PoolSettings> Odd() => Fact.Unknown<PoolSettings>("zpool get printed something else than was asked for");
    }

    /// <summary>The names in <c>zfs get -H -o name,property … POOL</c>, each once; null when a line is none of this pool's.</summary>
    public static IReadOnlyList<string>? LustreDatasets(string stdout, PoolName pool)
    {
        var names = new List<string>();
        foreach (var line in Lines(stdout))
        {
            if (line.Split('\t') is not [var name, var property] || !property.StartsWith("lustre:", StringComparison.Ordinal)) return null;
            if (name != pool.Value && !name.StartsWith(pool.Value + "/", StringComparison.Ordinal)) return null;
            names.Add(name);
        }
        return [.. names.Distinct()];
    }

    /// <summary>Of <c>zfs get -H -p -o name,property,value canmount,xattr NAMES…</c>.</summary>
    public static Fact<IReadOnlyList<DatasetSettings>> Datasets(string stdout, IReadOnlyList<string> names, IReadOnlyList<string> targets)
    {
        var values = new Dictionary<(string Name, string Property), string>();
        foreach (var line in Lines(stdout))
        {
            if (line.Split('\t') is not [var name, var property, { Length: > 0 } value] || !values.TryAdd((name, property), value)) return Odd();
        }

        var datasets = new List<DatasetSettings>();
        foreach (var name in names)
        {
            if (!values.TryGetValue((name, "canmount"), out var canMount) || !values.TryGetValue((name, "xattr"), out var xattr)) return Odd();
            datasets.Add(new(name, canMount, xattr, targets.Contains(name)));
        }
        return Fact.Known<IReadOnlyList<DatasetSettings>>(datasets);

        static Fact<IReadOnlyList<DatasetSettings>> Odd() => Fact.Unknown<IReadOnlyList<DatasetSettings>>("zfs get printed something else than was asked for");
    }

    static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
