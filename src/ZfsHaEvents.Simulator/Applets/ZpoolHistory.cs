using System.Globalization;
using ZfsHaEvents.Simulator.Disks;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>zpool-history(8).</summary>
static class ZpoolHistory
{
    public static int Run(ZpoolContext context, string[] args)
    {
        var line = CommandLine.Parse(args, "li");
        var (pools, missing) = context.Open(line.Operands);
        if (pools.Count == 0 && line.Operands.Count == 0) context.Terminal.ErrorLine("no pools available");
        foreach (var pool in pools)
        {
            context.Terminal.WriteLine($"History for '{pool.Name}':");
            foreach (var record in pool.History.Where(record => record.Txg is null || line.Has("i")))
                context.Terminal.WriteLine(Text(record, longFormat: line.Has("l")));
            context.Terminal.WriteLine();
        }
        return missing ? 1 : 0;
    }

    static string Text(HistoryRecord record, bool longFormat)
    {
        var at = DateTimeOffset.FromUnixTimeSeconds((long)record.At).ToLocalTime().ToString("yyyy-MM-dd.HH:mm:ss", CultureInfo.InvariantCulture);
        var text = record.Txg is { } txg ? $"{at} [txg:{txg}] {record.Text}" : $"{at} {record.Text}";
        if (!longFormat) return text;

        return record.Txg is null ? $"{text} [user 0 (root) on {record.HostName}:linux]" : $"{text} [on {record.HostName}]";
    }
}
