using System.Globalization;
using ZfsHaEvents.Simulator.Applets;
using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.Protocol;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Control;

/// <summary>What happens to parts of a host, and what its users do.</summary>
static class HostCommand
{
    public static int SwitchFault(HostDirectory host, string name, bool on)
    {
        var fault = Fault.All.FirstOrDefault(fault => fault.Name == name)
            ?? throw new FormatException($"There is no fault '{name}'; there are {string.Join(", ", Fault.All.Select(fault => fault.Name))}.");
        fault.Switch(host, on);
        return 0;
    }

    public static int ListFaults()
    {
        foreach (var fault in Fault.All) Console.Out.WriteLine(fault.Name);
        return 0;
    }

    public static int Hide(HostDirectory host, string disk, bool on)
    {
        if (!disk.StartsWith('d') || !int.TryParse(disk.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || !Directory.Exists(Path.Combine(host.World.Disks, disk)))
        {
            throw new FormatException($"There is no disk '{disk}' in this world.");
        }
        if (on) DeviceNodes.Remove(host, number);
        else DeviceNodes.Add(host, number);
        return 0;
    }

    public static int SetBusy(HostDirectory host, string dataset, bool on)
    {
        NvList request = new() { { "pool", PoolOf(dataset) } };
        if (dataset.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash) request.Add("path", dataset[(slash + 1)..]);
        request.AddFlag("on", on);
        return Call(host, Ioctl.Busy, request, _ => { });
    }

    public static int Write(HostDirectory host, string pool, string? text)
    {
        NvList request = new() { { "pool", pool } };
        request.AddText("text", text);
        return Call(host, Ioctl.Write, request, _ => { });
    }

    public static int Read(HostDirectory host, string pool) => Call(
        host, Ioctl.Read, new() { { "pool", pool } }, reply => Console.Out.WriteLine($"{reply.Number("writes")}\t{reply.Text("text")}"));

    public static int SetWorkload(HostDirectory host, string pool, bool on)
    {
        NvList request = new() { { "pool", pool } };
        request.AddFlag("on", on);
        return Call(host, Ioctl.Workload, request, _ => { });
    }

    static string PoolOf(string dataset) => dataset.Split('/', 2)[0];

    static int Call(HostDirectory host, Ioctl ioctl, NvList request, Action<NvList> done)
    {
        using var kernel = KernelConnection.Open(host) ?? throw new InvalidOperationException($"No kernel runs on {host.Name}.");
        var reply = kernel.Call(ioctl, request);
        if (reply.Failed)
        {
            Console.Error.WriteLine(ZpoolContext.Words(reply.Error));
            return 1;
        }
        done(reply.Value);
        return 0;
    }
}
