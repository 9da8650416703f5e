using System.Globalization;
using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.Protocol;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>zpool-events(8).</summary>
static class ZpoolEvents
{
    static readonly TimeSpan FollowEvery = TimeSpan.FromMilliseconds(100);

    public static int Run(ZpoolContext context, string[] args)
    {
        var line = CommandLine.Parse(args, "vHf");
        if (line.Operands.Count > 1) throw new UsageException("too many arguments");

        if (!line.Has("H")) context.Terminal.WriteLine($"{"TIME",-30} CLASS");
        ulong last = 0;
        do
        {
            foreach (var entry in context.Kernel.Call(Ioctl.EventsNext, new() { { "after", last } }).Value.Lists("events"))
            {
                last = entry.Number("eid");
                if (line.Operands.Count == 0 || line.Operands[0] == entry.Text("pool"))
                    Print(context.Terminal, entry, scripted: line.Has("H"), verbose: line.Has("v"));
            }
            context.Terminal.Flush();
            if (line.Has("f")) Thread.Sleep(FollowEvery);
        }
        while (line.Has("f"));
        return 0;
    }

    static void Print(Terminal terminal, NvList entry, bool scripted, bool verbose)
    {
        var at = DateTimeOffset.FromUnixTimeSeconds((long)entry.Number("seconds")).ToLocalTime();
        var day = at.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2);
        var time = at.ToString($"MMM '{day}' yyyy HH:mm:ss", CultureInfo.InvariantCulture);
        terminal.WriteLine($"{time}.{entry.Number("nanoseconds"):d9}{(scripted ? '\t' : ' ')}{entry.Text("class")}");
        if (!verbose) return;

        terminal.WriteLine($"        version = 0x0");
        terminal.WriteLine($"        class = \"{entry.Text("class")}\"");
        terminal.WriteLine($"        pool = \"{entry.Text("pool")}\"");
        terminal.WriteLine($"        pool_guid = 0x{entry.Number("pool_guid"):x}");
        terminal.WriteLine($"        pool_state = 0x0");
        terminal.WriteLine($"        pool_context = 0x0");
        terminal.WriteLine($"        time = 0x{entry.Number("seconds"):x} 0x{entry.Number("nanoseconds"):x} ");
        terminal.WriteLine($"        eid = 0x{entry.Number("eid"):x}");
        terminal.WriteLine();
    }
}
