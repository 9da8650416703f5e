using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Hosts;

/// <summary>A message about one host, decided on that host's stream.</summary>
public interface IHostMessage
{
    HostName Host { get; }

    /// <param name="pools">Every pool known: what becomes of a host concerns them all.</param>
    Decision<HostEvent> Decide(Host host, DecisionContext context, IReadOnlyCollection<PoolGuid> pools);
}

/// <summary>What a host sees of one pool as it opens a session.</summary>
public sealed record PoolReport(PoolGuid Pool, PoolName? Name, PoolSight Sight, ObeyedEpoch? Obeyed);

/// <summary>
/// A host's agent started, or found its session gone. It reports what it sees and the highest epochs it has obeyed; it obeys
/// nothing until this was taken in.
/// </summary>
/// <param name="Sequence">The number of the look that the report rests on.</param>
/// <param name="Pools">Pools it has imported, and pools it has obeyed orders about. Of any other pool it says: not imported here.</param>
public sealed record OpenSession(
    HostName Host, SessionId Session, BootId Boot, ZfsHostId HostId, string AgentVersion, long Sequence, DateTimeOffset ObservedAt,
    IReadOnlyList<PoolReport> Pools) : IHostMessage
{
    public Decision<HostEvent> Decide(Host host, DecisionContext context, IReadOnlyCollection<PoolGuid> pools)
    {
        var change = new HostChange(host, context);
        if (host.Session == Session && host.Version > 0) return change.Done();

        var stamp = new Stamp(ObservedAt, Host, Boot, Sequence, Actors.Agent, Late: false);
        if (host.Version == 0) change.Record(new HostRegistered(Host, HostId), stamp);
        if (host.Status is HostStatus.Lost or HostStatus.Evicted)
            change.Record(new HostReturned(Host, Session, Rebooted: host.Boot != Boot, AwaySeconds: Math.Max(0, (context.Now - (host.LostAt ?? context.Now)).TotalSeconds)), stamp);
        change.Record(new HostSessionOpened(Host, Session, Boot, HostId, AgentVersion, [.. Pools.Where(p => p.Sight.IsImported()).Select(p => p.Pool)]), stamp);

        var reported = Pools.ToDictionary(p => p.Pool);
        foreach (var pool in pools.Union(reported.Keys).Order())
        {
            var report = reported.GetValueOrDefault(pool);
            change.SendToPool(pool, $"{Session}/{pool}", new HostReconnected(
                pool, report?.Name, Host, Session, Boot, Sequence, ObservedAt, report?.Sight ?? PoolSight.Absent, report?.Obeyed));
        }

        return change.Done();
    }
}

/// <summary>The lease watch found that a host has not renewed its lease in time.</summary>
public sealed record LeaseExpired(HostName Host, SessionId Session, DateTimeOffset LastRenewedAt, double LeaseSeconds) : IHostMessage
{
    public Decision<HostEvent> Decide(Host host, DecisionContext context, IReadOnlyCollection<PoolGuid> pools)
    {
        var change = new HostChange(host, context);
        if (host.Session != Session || host.Status is not HostStatus.Live) return change.Done();

        change.Record(new HostLeaseLost(Host, Session, LastRenewedAt, LeaseSeconds), context.Decided());
        foreach (var pool in pools.Order()) change.SendToPool(pool, $"{Session}/lost/{pool}", new HostLost(pool, Host, Session));
        return change.Done();
    }
}

/// <summary>A pool is being taken over from the host.</summary>
public sealed record EvictHost(HostName Host, PoolGuid Pool, RequestId Request) : IHostMessage
{
    public Decision<HostEvent> Decide(Host host, DecisionContext context, IReadOnlyCollection<PoolGuid> pools)
    {
        var change = new HostChange(host, context);
        if (host.Version > 0 && context.Alive(Host) is null && !host.Evictions.Contains((Pool, Request))) change.Record(new HostEvicted(Host, Pool, Request), context.Decided());
        return change.Done();
    }
}

/// <summary>A decision about a host in the making; see <see cref="Pools.PoolChange"/>.</summary>
sealed class HostChange(Host host, DecisionContext context)
{
    readonly List<Recorded<HostEvent>> _events = [];
    readonly List<Outgoing> _messages = [];

    public void Record(HostEvent hostEvent, Stamp stamp) =>
        _events.Add(new(EventId.Of(Queues.Host(host.Name), context.MessageId, _events.Count), host.Version + _events.Count + 1, context.Now, stamp, hostEvent));

    public void SendToPool(PoolGuid pool, string id, object message) => _messages.Add(new(Queues.Server, id, message, pool.ToString()));

    public Decision<HostEvent> Done() => new(_events, _messages);
}
