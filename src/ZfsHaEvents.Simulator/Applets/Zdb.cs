using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>The stand-in for zdb(8): <c>zdb -l[qu...] DEVICE</c>. It reads the disks itself and needs no kernel, as the real one.</summary>
static class Zdb
{
    const int NoLabelExitCode = 2;

    const string Usage = "Usage:\tzdb -l [-Aqu] <device>";

    /// <summary>How much of it is wanted: each letter may be given several times (dump_opt).</summary>
    readonly record struct Detail(int Labels, int Uberblocks, bool Quiet);

    public static int Run(string[] args, HostDirectory host, Terminal terminal)
    {
        CommandLine line;
        try
        {
            line = CommandLine.Parse(args, "lquA");
        }
        catch (UsageException e)
        {
            // The real text goes on for a page about what is not simulated.
            terminal.ErrorLine(e.Message + "\n" + Usage);
            return 1;
        }
        if (!line.Has("l") || line.Operands.Count == 0)
        {
            terminal.ErrorLine(Usage);
            return 1;
        }
        return DumpLabel(host, terminal, line.Operands[0], new(Count(line, "l"), Count(line, "u"), line.Has("q")));
    }

    static int Count(CommandLine line, string option) => line.Values(option).Count();

    static int DumpLabel(HostDirectory host, Terminal terminal, string device, Detail detail)
    {
        var path = device.StartsWith('/') ? device : DeviceNodes.DataNode(host, device);
        if (path is null)
        {
            terminal.WriteLine($"failed to find device {device}, try specifying absolute path instead");
            return 1;
        }
        using var disk = FakeDisk.Open(host.In(path), FileAccess.Read);
        if (disk is null)
        {
            if (!Directory.Exists(host.In(path)))
            {
                terminal.WriteLine($"cannot open '{path}': No such file or directory");
                return 1;
            }
            for (var label = 0; label < FakeDisk.Labels && !detail.Quiet; label++) terminal.WriteLine($"failed to read label {label}");
            return NoLabelExitCode;
        }
        return new LabelDump(terminal, detail.Labels, detail.Uberblocks, detail.Quiet).Print(disk) ? 0 : NoLabelExitCode;
    }
}
