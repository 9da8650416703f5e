using ZfsHaEvents.Domain;
using ZfsHaEvents.Zfs.Commands;

namespace ZfsHaEvents.Zfs.Posture;

/// <summary>What a host's posture is judged by, gathered at about one moment.</summary>
/// <param name="HostIdParameter">SPL's module parameter; zero when it was not given and SPL looks into <c>/etc/hostid</c>.</param>
/// <param name="HostIdOnCommandLine"><c>spl.spl_hostid=</c> of the kernel's command line; null when it is not there.</param>
/// <param name="Version">OpenZFS's version as the module tells it.</param>
/// <param name="BootImports">The units that would import pools when the host boots, as systemd's links have them.</param>
/// <param name="CachedPools">The pools of <c>/etc/zfs/zpool.cache</c>; none when the file is not there.</param>
/// <param name="Pools">The imported pools.</param>
public sealed record PostureFacts(
    Fact<uint> HostIdParameter, Fact<HostIdFile> HostIdFile, Fact<uint?> HostIdOnCommandLine, Fact<ZfsVersion> Version, MmpParameters Mmp,
    Fact<IReadOnlyList<BootUnit>> BootImports, Fact<IReadOnlyList<CachedPool>> CachedPools, Fact<IReadOnlyList<PoolFacts>> Pools);

/// <summary><c>/etc/hostid</c>: four bytes in the machine's order (zgenhostid(8)).</summary>
/// <param name="Bytes">How many it holds; null when it is not there.</param>
/// <param name="HostId">What SPL reads from it; zero when it is not there or holds fewer than four bytes.</param>
public readonly record struct HostIdFile(long? Bytes, uint HostId);

/// <summary>A unit of systemd that is wanted or required by another, and not masked.</summary>
/// <param name="Link">The link that says so.</param>
public sealed record BootUnit(string Unit, string Link);

/// <summary>A pool in <c>/etc/zfs/zpool.cache</c>.</summary>
/// <param name="PoolGuid">Null when its configuration does not tell.</param>
public sealed record CachedPool(string Name, PoolGuid? PoolGuid);

/// <summary>The module's parameters of multihost (zfs(4)).</summary>
/// <param name="Interval">zfs_multihost_interval, in milliseconds.</param>
/// <param name="FailIntervals">zfs_multihost_fail_intervals.</param>
/// <param name="ImportIntervals">zfs_multihost_import_intervals.</param>
public sealed record MmpParameters(Fact<ulong> Interval, Fact<ulong> FailIntervals, Fact<ulong> ImportIntervals);

/// <summary>An imported pool.</summary>
/// <param name="Datasets">Its root file system and those that are Lustre targets.</param>
/// <param name="Leaves">Its leaf devices, without caches and spares.</param>
public sealed record PoolFacts(
    PoolName Name, PoolGuid? PoolGuid, Fact<PoolSettings> Settings, Fact<IReadOnlyList<DatasetSettings>> Datasets, Fact<IReadOnlyList<LeafState>> Leaves);

/// <summary>The properties of a pool that matter.</summary>
/// <param name="CacheFile"><c>-</c> for the default.</param>
public sealed record PoolSettings(bool Multihost, string CacheFile);

/// <summary>The properties of a file system that matter.</summary>
/// <param name="IsLustre">It has properties of Lustre of its own.</param>
public sealed record DatasetSettings(string Name, string CanMount, string Xattr, bool IsLustre)
{
    /// <summary>The pool's root file system.</summary>
    public bool IsRoot => !Name.Contains('/');
}
