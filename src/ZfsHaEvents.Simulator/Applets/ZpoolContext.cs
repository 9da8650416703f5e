using ZfsHaEvents.Simulator.Protocol;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>What a command works with: its host, its kernel, its terminal, and its own command line for the pool's history.</summary>
sealed record ZpoolContext(HostDirectory Host, KernelConnection Kernel, Terminal Terminal, string CommandText)
{
    /// <summary>All imported pools, by name.</summary>
    public IReadOnlyList<PoolStatus> Pools() =>
        [.. Kernel.Call(Ioctl.PoolStats).Value.Lists("pools").Select(PoolStatus.From)];

    /// <summary>The imported pool of that name.</summary>
    public PoolStatus? Find(string name)
    {
        var reply = Kernel.Call(Ioctl.PoolStats, new() { { "pool", name } });
        return reply.Failed ? null : PoolStatus.From(reply.Value.Lists("pools")[0]);
    }

    /// <summary>The named pools, by name, or all; what is not there is said on standard error (pool_list_get).</summary>
    public (IReadOnlyList<PoolStatus> Pools, bool Missing) Open(IReadOnlyList<string> names)
    {
        if (names.Count == 0) return (Pools(), false);

        var found = new List<PoolStatus>();
        var missing = false;
        foreach (var name in names.Distinct())
        {
            if (Find(name) is { } pool)
            {
                found.Add(pool);
                continue;
            }
            Terminal.ErrorLine($"cannot open '{name}': no such pool");
            missing = true;
        }
        found.Sort((left, right) => string.CompareOrdinal(left.Name, right.Name));
        return (found, missing);
    }

    public void LogHistory(string pool) =>
        Kernel.Call(Ioctl.LogHistory, new() { { "pool", pool }, { "command", CommandText } });

    /// <summary>What libzfs says to an errno (zpool_standard_error).</summary>
    public static string Words(Errno error) => error switch
    {
        Errno.ENOENT => "no such pool or dataset",
        Errno.EEXIST => "pool already exists",
        Errno.EBUSY => "pool is busy",
        Errno.EAGAIN => "pool I/O is currently suspended",
        Errno.EROFS => "pool is read-only",
        Errno.EREMOTEIO => "pool is imported on a different host",
        Errno.ENXIO => "one or more devices is currently unavailable",
        Errno.EIO => "I/O error",
        Errno.EBADF => "Bad file descriptor",
        Errno.None or _ => throw new System.Diagnostics.UnreachableException($"An error without words: {error}"),
    };
}
