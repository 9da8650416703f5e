using ZfsHaEvents.Simulator.Protocol;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>zpool-sync(8).</summary>
static class ZpoolSync
{
    public static int Run(ZpoolContext context, string[] args)
    {
        var line = CommandLine.Parse(args, "");
        var (pools, missing) = context.Open(line.Operands);
        var failed = missing;
        foreach (var pool in pools)
        {
            var reply = context.Kernel.Call(Ioctl.PoolSync, new() { { "pool", pool.Name } });
            if (!reply.Failed) continue;

            context.Terminal.ErrorLine($"sync '{pool.Name}' failed: {ZpoolContext.Words(reply.Error)}");
            failed = true;
        }
        return failed ? 1 : 0;
    }
}
