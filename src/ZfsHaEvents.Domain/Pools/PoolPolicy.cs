using System.Text.Json.Serialization;

namespace ZfsHaEvents.Domain.Pools;

/// <summary>What counts as making sure that the lost holder cannot write.</summary>
[JsonConverter(typeof(NameConverter<FencingMethod>))]
public enum FencingMethod
{
    /// <summary>A named person confirms that the host is powered off or cut from the disks.</summary>
    Manual,

    /// <summary>
    /// Multihost protection alone: the importer's own activity check, permitted only when the newest uberblock shows that
    /// MMP was on when the pool was last written.
    /// </summary>
    MmpAlone,
}

/// <summary>How a pool is failed over. The default never acts by itself.</summary>
/// <param name="Automatic">Whether a lost lease of the holder starts a failover without being asked.</param>
/// <param name="Fencing">What makes sure that the lost holder cannot write.</param>
/// <param name="Targets">Where to take the pool over to, in order of preference, when the request does not say.</param>
public sealed record PoolPolicy(bool Automatic, FencingMethod Fencing, IReadOnlyList<HostName> Targets)
{
    public static readonly PoolPolicy Default = new(Automatic: false, FencingMethod.Manual, []);
}
