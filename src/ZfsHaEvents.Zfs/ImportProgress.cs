using System.Globalization;
using ZfsHaEvents.Domain;

namespace ZfsHaEvents.Zfs;

/// <summary>One line of <c>/proc/spl/kstat/zfs/import_progress</c>: an import or a scan that the kernel is at now.</summary>
/// <param name="LoadState">SPA_LOAD_* (sys/spa.h).</param>
/// <param name="MultihostSeconds">Left of the present part of the activity check.</param>
/// <param name="Notes">What it is doing, in words; empty on OpenZFS before 2.3.</param>
public sealed record ImportProgress(PoolGuid Pool, string Name, int LoadState, int MultihostSeconds, string Notes)
{
    /// <summary>SPA_LOAD_TRYIMPORT: <c>zpool import</c> is reading the configuration, as it also does for a mere scan. Nothing is written.</summary>
    public bool IsScan() => LoadState == 3;

    /// <summary>Null for what is no such line, as the header.</summary>
    public static ImportProgress? Parse(string line)
    {
        // "%-20llu %-14llu %-14llu %-12llu %-16s %s" (module/zfs/spa_misc.c): the name may hold spaces, and the notes do.
        const int nameWidth = 16;
        var rest = line.TrimStart();
        var numbers = new string[4];
        for (var i = 0; i < numbers.Length; i++)
        {
            var end = rest.IndexOf(' ');
            if (end < 0) return null;
            numbers[i] = rest[..end];
            rest = rest[end..].TrimStart();
        }
        if (!PoolGuid.TryParse(numbers[0], null, out var guid)
            || !int.TryParse(numbers[1], NumberStyles.None, CultureInfo.InvariantCulture, out var state)
            || !int.TryParse(numbers[2], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds))
        {
            return null;
        }

        var width = rest.Length <= nameWidth ? rest.Length : rest.IndexOf(' ', nameWidth - 1);
        var (name, notes) = width < 0 ? (rest, "") : (rest[..width], rest[width..]);
        return new(guid, name.TrimEnd(), state, seconds, notes.Trim());
    }
}
