namespace ZfsHaEvents.Simulator.Protocol;

/// <summary>What an ioctl failed with, by errno(3) name.</summary>
enum Errno
{
    None,

    /// <summary>No such pool or dataset.</summary>
    ENOENT,

    /// <summary>The name is taken.</summary>
    EEXIST,

    /// <summary>In use.</summary>
    EBUSY,

    /// <summary>The pool's I/O is suspended.</summary>
    EAGAIN,

    /// <summary>The pool is read-only.</summary>
    EROFS,

    /// <summary>Another host is active, or the host has no hostid, or a claim failed; the reply's load info says which.</summary>
    EREMOTEIO,

    /// <summary>The labels name another host and force was not asked for (spa_verify_host).</summary>
    EBADF,

    /// <summary>A device or a whole pool is not there.</summary>
    ENXIO,

    /// <summary>A device failed.</summary>
    EIO,
}
