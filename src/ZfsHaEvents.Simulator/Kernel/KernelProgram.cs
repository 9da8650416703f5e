using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>Runs a fake host's kernel in this process until it is told to power off.</summary>
static class KernelProgram
{
    /// <exception cref="InvalidOperationException">The host has a running kernel.</exception>
    public static async Task<int> RunAsync(HostDirectory host)
    {
        if (KernelProcess.Find(host) is not null) throw new InvalidOperationException($"A kernel runs on {host.Name} already.");

        using var powerOff = new CancellationTokenSource();
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => { context.Cancel = true; powerOff.Cancel(); });
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => { context.Cancel = true; powerOff.Cancel(); });
        RaisePriority();

        using var kernel = new HostKernel(host);
        using var server = new KernelServer(kernel);
        kernel.Boot();
        server.Listen();
        await Console.Out.WriteLineAsync("ready");
        using var flicker = new KstatFlicker(kernel);
        await server.ServeAsync(powerOff.Token);
        server.Dispose();
        kernel.PowerOff();
        return 0;
    }

    /// <summary>A real kernel does not wait for a turn behind user processes. With time scaled down a late beat means a suspended pool.</summary>
    static void RaisePriority()
    {
        try
        {
            using var self = Process.GetCurrentProcess();
            self.PriorityClass = ProcessPriorityClass.High;
        }
        catch (Win32Exception)
        {
            // Only root may; then the kernel runs as any process does.
        }
    }
}
