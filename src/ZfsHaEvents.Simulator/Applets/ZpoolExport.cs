using ZfsHaEvents.Simulator.Protocol;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>zpool-export(8).</summary>
static class ZpoolExport
{
    public static int Run(ZpoolContext context, string[] args)
    {
        var line = CommandLine.Parse(args, "af");
        if (line.Has("a") && line.Operands.Count > 0) throw new UsageException("too many arguments");
        if (!line.Has("a") && line.Operands.Count == 0) throw new UsageException("missing pool argument");

        var (pools, missing) = context.Open(line.Operands);
        var failed = missing;
        foreach (var pool in pools) failed |= !Export(context, pool.Name, force: line.Has("f"));
        return failed ? 1 : 0;
    }

    static bool Export(ZpoolContext context, string pool, bool force)
    {
        var reply = context.Kernel.Call(Ioctl.PoolUnmount, new() { { "pool", pool } });
        if (!reply.Failed)
        {
            Disks.NvList request = new() { { "pool", pool }, { "command", context.CommandText } };
            request.AddFlag("force", force);
            reply = context.Kernel.Call(Ioctl.PoolExport, request);
        }
        if (!reply.Failed) return true;

        context.Terminal.ErrorLine(reply.Value.TextOrNone("busy") is { } mountpoint
            ? $"cannot unmount '{mountpoint}': pool or dataset is busy"
            : $"cannot export '{pool}': {ZpoolContext.Words(reply.Error)}");
        return false;
    }
}
