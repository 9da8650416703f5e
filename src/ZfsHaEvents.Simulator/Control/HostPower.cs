using System.Diagnostics;
using System.Globalization;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Control;

/// <summary>What happens to a host as a whole. Each returns when it has happened, and has it logged in the order of the facts.</summary>
static class HostPower
{
    static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(2);

    /// <summary>Power loss: the kernel is gone when this returns.</summary>
    public static int Crash(HostDirectory host)
    {
        var found = KernelProcess.Find(host);
        if (found is { } pid)
        {
            Posix.Signal(pid, Posix.Kill);
            while (ProcessStatus.Of(pid) is not null) Thread.Sleep(LookEvery);
        }
        Log(host, TruthOperation.Crash, found is null ? "was gone already" : null);
        return 0;
    }

    /// <summary>Stops the host between two disk writes; it is stopped when this returns.</summary>
    public static int Freeze(HostDirectory host)
    {
        var pid = KernelProcess.Find(host) ?? throw new InvalidOperationException($"No kernel runs on {host.Name}.");
        // One that somebody stopped by hand may hold the gate.
        if (ProcessStatus.Of(pid) is { Stopped: true }) return 0;

        using var gate = Posix.OpenForLock(host.DiskGate);
        Posix.Lock(gate);
        host.Replace(host.FrozenAtFile, Stopwatch.GetTimestamp().ToString(CultureInfo.InvariantCulture));
        Posix.Signal(pid, Posix.Stop);
        while (ProcessStatus.Of(pid) is { Stopped: false }) Thread.Sleep(LookEvery);
        Log(host, TruthOperation.Freeze, reason: null);
        return 0;
    }

    public static int Thaw(HostDirectory host)
    {
        var pid = KernelProcess.Find(host) ?? throw new InvalidOperationException($"No kernel runs on {host.Name}.");
        Log(host, TruthOperation.Thaw, reason: null);
        Posix.Signal(pid, Posix.Continue);
        return 0;
    }

    static void Log(HostDirectory host, TruthOperation operation, string? reason)
    {
        var entry = new TruthEntry(DateTimeOffset.UtcNow, host.Name, host.ReadBootId(), KernelProcess.LastPid(host) ?? 0, operation);
        TruthLog.Append(host.World, entry with { Reason = reason });
    }
}
