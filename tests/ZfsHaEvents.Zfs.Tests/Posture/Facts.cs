using ZfsHaEvents.Domain;
using ZfsHaEvents.Zfs.Commands;
using ZfsHaEvents.Zfs.Posture;

namespace ZfsHaEvents.Zfs.Tests.Posture;

/// <summary>The facts of a host that is set up well, to be changed in one place.</summary>
static class Facts
{
    public static readonly PoolName Tank = new("tank1");

    public static readonly PoolFacts GoodPool = new(
        Tank, TestHost.Tank, Fact.Known(new PoolSettings(Multihost: true, CacheFile: "none")),
        Fact.Known<IReadOnlyList<DatasetSettings>>([new("tank1", "off", "on", IsLustre: false), new("tank1/ost0", "off", "sa", IsLustre: true)]),
        Fact.Known<IReadOnlyList<LeafState>>([new("/dev/a", "/dev/a", "ONLINE"), new("/dev/b", "/dev/b", "ONLINE")]));

    public static readonly PostureFacts Good = new(
        Fact.Known(0xa001u), Fact.Known(new HostIdFile(4, 0xa001)), Fact.Known<uint?>(null), Fact.Known(ZfsVersion.Parse("2.3.9-0+deb13u1")!),
        new(Fact.Known(1000ul), Fact.Known(10ul), Fact.Known(20ul)), Fact.Known<IReadOnlyList<BootUnit>>([]), Fact.Known<IReadOnlyList<CachedPool>>([]),
        Fact.Known<IReadOnlyList<PoolFacts>>([GoodPool]));

    public static PostureFacts With(PoolFacts pool) => Good with { Pools = Fact.Known<IReadOnlyList<PoolFacts>>([pool]) };

    public static PoolFacts PoolWith(params LeafState[] leaves) => GoodPool with { Leaves = Fact.Known<IReadOnlyList<LeafState>>(leaves) };

    public static PoolFacts PoolWith(params DatasetSettings[] datasets) => GoodPool with { Datasets = Fact.Known<IReadOnlyList<DatasetSettings>>(datasets) };

    public static PoolFacts PoolWith(bool multihost, string cacheFile) => GoodPool with { Settings = Fact.Known(new PoolSettings(multihost, cacheFile)) };
}
