using System.ComponentModel;
using ZfsHaEvents.Simulator.Kernel;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Control;

/// <summary>The simulator's own commands.</summary>
static class ControlProgram
{
    const int UsageExitCode = 2;

    const string Usage = """
        usage: zfs-simulator VERB ...

          world DIR [--hosts a,b] [--disks N] [--hostid HOST=0xID] [--time-scale S] [--export-seconds S] [--import-seconds S]
                                     make a world: fake disks that fake hosts share
          set DIR KEY=VALUE ...      change a setting of a living world
          kernel HOSTDIR             run a host's kernel; "ready" on standard output when it serves; SIGTERM powers off
          crash HOSTDIR              kill the kernel as a power loss would
          freeze | thaw HOSTDIR      stop the host as a whole, let it go on
          fault HOSTDIR NAME on|off  make the host's commands misbehave
          faults                     list the names
          hide HOSTDIR DISK on|off   make a disk (d0) invisible to the host
          busy HOSTDIR POOL[/PATH] on|off
                                     somebody sits in a file system
          write HOSTDIR POOL [TEXT]  one data write with its transaction group
          read HOSTDIR POOL          how many writes the host sees, and the text of the last
          workload HOSTDIR POOL on|off
                                     a data write every five seconds (scaled)
          truth DIR [--json]         who held what; exits 1 when two hosts held one pool read-write at once
        """;

    public static int Run(string[] args)
    {
        try
        {
            return args switch
            {
                ["world", var folder, .. var options] => WorldCommand.Create(new(Path.GetFullPath(folder)), options),
                ["set", var folder, .. { Length: > 0 } changes] => WorldCommand.Set(new(Path.GetFullPath(folder)), changes),
                ["kernel", var folder] => KernelProgram.RunAsync(Host(folder)).GetAwaiter().GetResult(),
                ["crash", var folder] => HostPower.Crash(Host(folder)),
                ["freeze", var folder] => HostPower.Freeze(Host(folder)),
                ["thaw", var folder] => HostPower.Thaw(Host(folder)),
                ["fault", var folder, var name, "on" or "off"] => HostCommand.SwitchFault(Host(folder), name, args[3] == "on"),
                ["faults"] => HostCommand.ListFaults(),
                ["hide", var folder, var disk, "on" or "off"] => HostCommand.Hide(Host(folder), disk, args[3] == "on"),
                ["busy", var folder, var dataset, "on" or "off"] => HostCommand.SetBusy(Host(folder), dataset, args[3] == "on"),
                ["write", var folder, var pool] => HostCommand.Write(Host(folder), pool, text: null),
                ["write", var folder, var pool, var text] => HostCommand.Write(Host(folder), pool, text),
                ["read", var folder, var pool] => HostCommand.Read(Host(folder), pool),
                ["workload", var folder, var pool, "on" or "off"] => HostCommand.SetWorkload(Host(folder), pool, args[3] == "on"),
                ["truth", var folder] => TruthCommand.Judge(new(Path.GetFullPath(folder)), json: false),
                ["truth", var folder, "--json"] => TruthCommand.Judge(new(Path.GetFullPath(folder)), json: true),
                ["help" or "--help" or "-h"] => Help(),
                _ => throw new FormatException(Usage),
            };
        }
        catch (FormatException e)
        {
            // What was typed cannot be understood; the message says what can.
            Console.Error.WriteLine(e.Message);
            return UsageExitCode;
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or UnauthorizedAccessException or Win32Exception)
        {
            // The world is not as the command needs it: no such folder, no kernel, no permission.
            Console.Error.WriteLine($"zfs-simulator: {e.Message}");
            return 1;
        }
    }

    static int Help()
    {
        Console.Out.WriteLine(Usage);
        return 0;
    }

    static HostDirectory Host(string folder)
    {
        var host = new HostDirectory(Path.GetFullPath(folder));
        return File.Exists(host.HostIdFile) ? host : throw new InvalidOperationException($"{folder} is not the folder of a fake host.");
    }
}
