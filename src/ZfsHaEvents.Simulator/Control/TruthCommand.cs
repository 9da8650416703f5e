using System.Globalization;
using System.Text.Json;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Control;

/// <summary>Shows who held what, and judges it.</summary>
static class TruthCommand
{
    public static int Judge(WorldDirectory world, bool json)
    {
        var entries = TruthLog.Read(world);
        var verdict = TruthJudge.Judge(entries, RunningNow(entries));
        if (json) Console.Out.WriteLine(JsonSerializer.Serialize(verdict, TruthJson.Default.TruthVerdict));
        else Print(verdict);
        return verdict.DoubleHoldings.Count == 0 ? 0 : 1;
    }

    /// <summary>The boots whose kernels run at this moment, frozen ones not counted.</summary>
    static HashSet<string> RunningNow(IEnumerable<TruthEntry> entries) => entries
        .Where(entry => entry.Op == TruthOperation.Boot
            && ProcessStatus.Of(entry.Pid) is { Stopped: false } status && status.StartTime == entry.StartTime)
        .Select(entry => entry.BootId)
        .ToHashSet();

    static void Print(TruthVerdict verdict)
    {
        foreach (var pool in verdict.Holdings.GroupBy(holding => holding.Pool))
        {
            Console.Out.WriteLine($"pool {pool.Key}");
            foreach (var holding in pool)
            {
                var until = holding.Until is { } end ? Time(end) : "-";
                var forced = holding.Forced ? " forced" : "";
                Console.Out.WriteLine($"  {Time(holding.From)}  {until,-12}  {holding.Host} {holding.Mode} {holding.Name}{forced}, {holding.End}");
            }
        }
        foreach (var twice in verdict.DoubleHoldings)
        {
            var at = twice.At is { } when ? $" at {Time(when)}" : "";
            Console.Out.WriteLine($"HELD TWICE: {twice.Pool} by {twice.First} and {twice.Second}: {twice.First} {twice.Evidence}{at}");
        }
    }

    static string Time(DateTimeOffset at) => at.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
}
