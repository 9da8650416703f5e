using ZfsHaEvents.Simulator.Protocol;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>zpool-set(8), for pool properties.</summary>
static class ZpoolSet
{
    /// <summary>EINVAL, which zpool(8) returns as its exit code here.</summary>
    const int NotAPoolExitCode = 22;

    public static int Run(ZpoolContext context, string[] args)
    {
        if (args is [['-', ..] option, ..]) throw new UsageException($"invalid option '{option.ElementAtOrDefault(1)}'");
        if (args.Length < 1) throw new UsageException("missing property=value argument");
        if (args.Length < 2) throw new UsageException("missing pool name");
        if (args.Length > 2) throw new UsageException("too many pool names");
        if (args[0].Split('=', 2) is not [var name, var value]) throw new UsageException("missing value in property=value argument");

        var pool = args[1];
        if (context.Find(pool) is null)
        {
            context.Terminal.ErrorLine($"cannot open '{pool}': is not a pool");
            return NotAPoolExitCode;
        }
        if (PoolPropertyRules.Refuse(context.Host, name, value) is { } refusal) return Fail(context, pool, refusal);

        var reply = context.Kernel.Call(Ioctl.PoolSetProperty, new() { { "pool", pool }, { "name", name }, { "value", value } });
        if (reply.Failed) return Fail(context, pool, ZpoolContext.Words(reply.Error));

        context.LogHistory(pool);
        return 0;
    }

    static int Fail(ZpoolContext context, string pool, string why)
    {
        context.Terminal.ErrorLine($"cannot set property for '{pool}': {why}");
        return 1;
    }
}
