using ZfsHaEvents.Simulator.Protocol;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>The stand-in for zpool(8) of OpenZFS 2.3.9: the same options, words and exit codes for what is simulated.</summary>
static class Zpool
{
    public const int UsageExitCode = 2;

    const string NoModule = "The ZFS modules cannot be auto-loaded.\nTry running 'modprobe zfs' as root to manually load them.";

    const string Version = "zfs-2.3.9-0+deb13u1\nzfs-kmod-2.3.9-0+deb13u1";

    static readonly Dictionary<string, Func<ZpoolContext, string[], int>> Commands = new()
    {
        ["create"] = ZpoolCreate.Run,
        ["list"] = ZpoolList.Run,
        ["status"] = ZpoolStatus.Run,
        ["clear"] = ZpoolClear.Run,
        ["import"] = ZpoolImport.Run,
        ["export"] = ZpoolExport.Run,
        ["history"] = ZpoolHistory.Run,
        ["events"] = ZpoolEvents.Run,
        ["get"] = ZpoolGet.Run,
        ["set"] = ZpoolSet.Run,
        ["sync"] = ZpoolSync.Run,
    };

    public static int Run(string[] args, HostDirectory host, Terminal terminal)
    {
        if (args.Length == 0)
        {
            terminal.Error("missing command\n" + ZpoolUsage.Overview());
            return UsageExitCode;
        }
        if (args[0] is "version" or "-V" or "--version")
        {
            terminal.WriteLine(Version);
            return 0;
        }
        using var kernel = KernelConnection.Open(host);
        if (kernel is null)
        {
            terminal.ErrorLine(NoModule);
            return 1;
        }
        if (!Commands.TryGetValue(args[0], out var command))
        {
            terminal.Error($"unrecognized command '{args[0]}'\n" + ZpoolUsage.Overview());
            return UsageExitCode;
        }
        try
        {
            return command(new(host, kernel, terminal, "zpool " + string.Join(' ', args)), args[1..]);
        }
        catch (UsageException e)
        {
            terminal.Error(e.Message + "\n" + ZpoolUsage.Of(args[0]));
            return UsageExitCode;
        }
    }
}
