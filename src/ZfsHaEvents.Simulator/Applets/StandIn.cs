using System.Runtime.InteropServices;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>Runs one of the commands, with whatever fault is switched on for it.</summary>
static class StandIn
{
    public static int Run(string program, string[] args, HostDirectory host)
    {
        using var terminal = new Terminal();
        var command = program == "zpool" ? args.FirstOrDefault("") : program;
        if (Fault.Hang(command).IsOn(host)) Thread.Sleep(Timeout.Infinite);
        if (Fault.Stuck(command).IsOn(host)) SleepStuck();
        if (Fault.DoesNothing(command).IsOn(host)) return 0;

        var exitCode = RunProgram(program, args, host, terminal);
        terminal.Flush();
        if (Fault.HangsAfter(command).IsOn(host)) Thread.Sleep(Timeout.Infinite);
        if (!Fault.FailsAfter(command).IsOn(host)) return exitCode;

        terminal.ErrorLine($"cannot {command}: I/O error");
        return 1;
    }

    static int RunProgram(string program, string[] args, HostDirectory host, Terminal terminal) => program switch
    {
        "zpool" => Zpool.Run(args, host, terminal),
        "zfs" => Zfs.Run(args, host, terminal),
        _ => Zdb.Run(args, host, terminal),
    };

    static void SleepStuck()
    {
        foreach (var signal in (ReadOnlySpan<PosixSignal>)[PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGHUP, PosixSignal.SIGQUIT])
            PosixSignalRegistration.Create(signal, context => context.Cancel = true);
        Thread.Sleep(Timeout.Infinite);
    }
}
