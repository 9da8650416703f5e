using ZfsHaEvents.Simulator.Applets;
using ZfsHaEvents.Simulator.Control;
using ZfsHaEvents.Simulator.World;

// One executable of many names: as a stand-in it is what its first argument says, on the host its environment names; otherwise
// it makes worlds, runs their kernels and does to hosts what happens to hosts.
if (args is ["zpool" or "zfs" or "zdb", ..])
{
    if (Environment.GetEnvironmentVariable(HostDirectory.Variable) is { Length: > 0 } folder)
        return StandIn.Run(args[0], args[1..], new(Path.GetFullPath(folder)));

    Console.Error.WriteLine($"{args[0]}: {HostDirectory.Variable} does not name a fake host; run the one in that host's sbin");
    return 1;
}
return ControlProgram.Run(args);
