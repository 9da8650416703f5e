using System.Diagnostics;
using System.Globalization;

namespace ZfsHaEvents.Benchmarks;

/// <summary>What a process uses, read from proc(5).</summary>
static class ProcessUse
{
    /// <summary>Clock ticks per second of <c>/proc/PID/stat</c>: sysconf(_SC_CLK_TCK), 100 on Linux.</summary>
    const double TicksPerSecond = 100;

    /// <summary>Processor seconds, user and system, of the process itself and of its children that have ended.</summary>
    public static (double Own, double Children) CpuSeconds(int pid)
    {
        var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        double Sum(Range range) => fields[range].Sum(f => double.Parse(f, CultureInfo.InvariantCulture)) / TicksPerSecond;
        return (Sum(11..13), Sum(13..15));
    }

    /// <summary>The processes that it started and that live.</summary>
    public static IReadOnlyList<int> ChildrenOf(int pid)
    {
        var children = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task/{pid}/children");
        return [.. File.ReadAllText(children).Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(c => int.Parse(c, CultureInfo.InvariantCulture))];
    }

    /// <summary>Resident memory in MB (10^6 bytes).</summary>
    public static double ResidentMegabytes(int pid)
    {
        var line = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/status")).First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024 / 1e6;
    }

    /// <summary>Keeps the processors busy with ordinary processes until disposed.</summary>
    public sealed class Busy : IDisposable
    {
        readonly List<Process> _processes = [];

        public Busy(int count)
        {
            for (var i = 0; i < count; i++) _processes.Add(Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "while :; do :; done"]))!);
        }

        public void Dispose()
        {
            foreach (var process in _processes)
            {
                process.Kill();
                process.WaitForExit();
                process.Dispose();
            }
        }
    }
}
