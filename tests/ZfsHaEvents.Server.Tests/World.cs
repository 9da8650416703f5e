using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Server.Tests;

/// <summary>What hosts and people say to the server, as messages on the bus.</summary>
static class World
{
    static int _numbers;

    public static readonly PoolSight Held = new(PoolPresence.ReadWrite, PoolHealth.Online, Multihost: true, ["/dev/disk/by-id/d0"]);

    public static BootId Boot { get; } = new(Guid.NewGuid());

    /// <summary>A host's agent has started. The pools are those it has imported.</summary>
    public static BusMessage Opened(string host, uint hostId = 1, params (PoolGuid Id, string Name)[] pools) => Say(host, new OpenSession(
        new(host), new(Guid.NewGuid()), Boot, new(hostId), "1.0", Sequence: 1, DateTimeOffset.UtcNow, [.. pools.Select(p => new PoolReport(p.Id, new(p.Name), Held, Obeyed: null))]));

    /// <summary>A host sees a pool imported.</summary>
    public static BusMessage Saw(string host, PoolGuid pool, string name, PoolSight? sight = null) => Say(pool.ToString(), new HostReport(
        pool, new(name), new(host), Boot, Order: null, Actors.Agent, [new HostFact.Observed(100 + Next(), DateTimeOffset.UtcNow, sight ?? Held)]));

    public static BusMessage Switchover(string pool, string to, string id) => new(id, "/test", pool, null, new SwitchoverPool(new(id), new(pool), new(to), "alice"));

    public static BusMessage Failover(string pool, string to, string id) => new(id, "/test", pool, null, new FailoverPool(new(id), new(pool), "alice", new(to)));

    /// <summary>Somebody vouches that the host cannot write to the pool's disks.</summary>
    public static BusMessage Fenced(PoolGuid pool, string host) =>
        Say(pool.ToString(), new ConfirmFencing(Id: default, new(pool.ToString()), new(host), "alice", "pulled the plug"));

    /// <summary>A host has carried out its order to read a pool's labels: exported cleanly.</summary>
    public static BusMessage ReadLabels(string host, OrderHeader order, string name) => Did(host, order, name, new HostFact.LabelsRead(
        100 + Next(), DateTimeOffset.UtcNow, new(LabelState.Exported, name, new(1), "a", Txg: 17, MmpActive: false, LeavesRead: 1, LeavesAsked: 1), "", ZpoolSeconds: 1));

    /// <summary>A host has carried out its order to export a pool.</summary>
    public static BusMessage Exported(string host, OrderHeader order, string name) => Did(host, order, name, new HostFact.ExportEnded(
        100 + Next(), DateTimeOffset.UtcNow, Run: null, PoolSight.Absent, ZpoolFailure.None, ZpoolSeconds: 1));

    /// <summary>Should the pool's holder be lost, b shall take it over without being asked.</summary>
    public static BusMessage Automatic(PoolGuid pool) =>
        Say(pool.ToString(), new SetPoolPolicy(Id: default, new(pool.ToString()), new(Automatic: true, FencingMethod.Manual, [new("b")]), "alice"));

    public static PoolGuid NewPool() => new((ulong)(1_000_000_000_000_000_000L + Next()));

    static BusMessage Did(string host, OrderHeader order, string name, HostFact fact) =>
        Say(order.Pool.ToString(), new HostReport(order.Pool, new(name), new(host), Boot, order.Id, Actors.Agent, [fact]));

    static BusMessage Say(string subject, object message) => new($"said-{Next()}", "/test", subject, null, message);

    static int Next() => Interlocked.Increment(ref _numbers);
}
