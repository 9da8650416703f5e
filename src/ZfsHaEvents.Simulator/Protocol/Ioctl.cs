namespace ZfsHaEvents.Simulator.Protocol;

/// <summary>What a stand-in, or whoever drives the world, asks a kernel.</summary>
enum Ioctl
{
    /// <summary>The imported pools, or those named.</summary>
    PoolStats,
    PoolTryImport,
    PoolImport,
    PoolCreate,
    PoolExport,

    /// <summary>Unmounts all file systems of a pool: what an export does before it.</summary>
    PoolUnmount,

    PoolSetProperty,
    PoolClear,
    PoolSync,
    LogHistory,
    EventsNext,
    DatasetCreate,
    DatasetSet,
    Mount,
    Unmount,

    /// <summary>One data write with its transaction group.</summary>
    Write,

    /// <summary>The data as this host sees it.</summary>
    Read,

    /// <summary>A data write every few seconds, on or off.</summary>
    Workload,

    /// <summary>Somebody sits in a mounted file system, or left it.</summary>
    Busy,
}
