using ZfsHaEvents.Simulator.Protocol;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>zpool-clear(8), for whole pools.</summary>
static class ZpoolClear
{
    public static int Run(ZpoolContext context, string[] args)
    {
        var line = CommandLine.Parse(args, "");
        if (line.Operands.Count < 1) throw new UsageException("missing pool name");
        if (line.Operands.Count > 2) throw new UsageException("too many arguments");

        var pool = line.Operands[0];
        if (context.Find(pool) is null)
        {
            context.Terminal.ErrorLine($"cannot open '{pool}': no such pool");
            return 1;
        }
        var reply = context.Kernel.Call(Ioctl.PoolClear, new() { { "pool", pool } });
        if (!reply.Failed)
        {
            context.LogHistory(pool);
            return 0;
        }
        context.Terminal.ErrorLine($"cannot clear errors for {pool}: {ZpoolContext.Words(reply.Error)}");
        return 1;
    }
}
