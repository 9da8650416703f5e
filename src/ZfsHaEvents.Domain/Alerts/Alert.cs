using System.Collections.Immutable;
using System.Text.Json.Serialization;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Alerts;

/// <summary>What somebody is woken for.</summary>
[JsonConverter(typeof(NameConverter<AlertKind>))]
public enum AlertKind
{
    /// <summary>Two hosts have one pool imported read-write. It is being corrupted now.</summary>
    TwoHolders,

    /// <summary>A pool was imported that neither an order nor a recorded command put there.</summary>
    ImportNotOrdered,

    /// <summary>A host came back with a suspended copy of a pool that another host holds.</summary>
    SuspendedCopy,

    /// <summary>A host did not renew its lease.</summary>
    HostLost,

    /// <summary>A failover waits for a person to confirm that the lost holder is fenced.</summary>
    FencingNeeded,

    /// <summary>A switchover or failover stopped and needs a person.</summary>
    MoveHalted,

    /// <summary>The pool takes no orders: our history is not the newest, or not the only one.</summary>
    PoolHalted,

    /// <summary>A pool's I/O is suspended.</summary>
    PoolSuspended,
}

/// <summary>How soon.</summary>
[JsonConverter(typeof(NameConverter<AlertSeverity>))]
public enum AlertSeverity
{
    Warning,
    Critical,
}

/// <summary>Something a person must know, with the events that prove it.</summary>
/// <param name="Id">Derived from the event that raised it, so that it is raised once.</param>
/// <param name="Summary">A sentence for a person who was just woken.</param>
/// <param name="Evidence">The ids of the events that prove it.</param>
/// <param name="ObservedAt">When it was seen, by the clock of who saw it.</param>
/// <param name="RaisedAt">When it was recorded, by the database's clock.</param>
/// <param name="Version">The version of the stream at the alert's last change.</param>
public sealed record Alert(
    string Id, AlertKind Kind, AlertSeverity Severity, PoolGuid? Pool, HostName? Host, string Summary, IReadOnlyList<EventId> Evidence,
    DateTimeOffset ObservedAt, DateTimeOffset RaisedAt, DateTimeOffset? ClearedAt, string? AcknowledgedBy, string? Comment, long Version)
{
    /// <summary>It still holds, or nobody has said that they saw it.</summary>
    public bool IsOpen() => ClearedAt is null && AcknowledgedBy is null;
}

/// <summary>The alerts of one stream, folded from its events: raised once each, cleared by what ends them.</summary>
public sealed record AlertBook(ImmutableSortedDictionary<string, Alert> Alerts)
{
    public static readonly AlertBook Empty = new(ImmutableSortedDictionary<string, Alert>.Empty);

    /// <summary>The book after one more event of a pool.</summary>
    /// <param name="pool">The pool after that event.</param>
    public AlertBook Evolve(Recorded<PoolEvent> recorded, Pool pool)
    {
        var name = pool.Name?.Value ?? pool.Id.ToString();
        return recorded.Event switch
        {
            ConflictDetected e => Clear(recorded, AlertKind.TwoHolders).Raise(
                recorded, AlertKind.TwoHolders, AlertSeverity.Critical, pool.Id, null, e.Evidence,
                $"{name} is imported read-write on {string.Join(" and ", e.Hosts)} at once", LastSeen(pool, e.Evidence)),
            ConflictCleared => Clear(recorded, AlertKind.TwoHolders),
            OwnershipDisputed { Reason: Dispute.ImportNotOrdered } e => Clear(recorded, AlertKind.ImportNotOrdered, e.Host).Raise(
                recorded, AlertKind.ImportNotOrdered, AlertSeverity.Critical, pool.Id, e.Host, e.Evidence,
                $"{name} was imported on {e.Host}, and nobody ordered it{(e.Claimant is { } c ? $"; {c} has the claim in epoch {e.Epoch}" : "")}", LastSeen(pool, e.Evidence)),
            OwnershipDisputed { Reason: Dispute.SuspendedCopy } e => Clear(recorded, AlertKind.SuspendedCopy, e.Host).Clear(recorded, AlertKind.PoolSuspended, e.Host).Raise(
                recorded, AlertKind.SuspendedCopy, AlertSeverity.Critical, pool.Id, e.Host, e.Evidence,
                $"{e.Host} came back with {name} suspended while {pool.Holder()} holds it; reboot {e.Host}, do not clear the pool there"),
            OwnershipClaimed e => Settled(recorded, e.Host),
            OwnershipVerified { Holder: { } holder } when holder == pool.Claimant => Settled(recorded, holder),
            MoveHalted e => Clear(recorded, AlertKind.FencingNeeded).Raise(
                recorded, AlertKind.MoveHalted, AlertSeverity.Critical, pool.Id, null, [recorded.Id],
                $"{pool.Move?.Kind.ToString() ?? "Move"} {e.Id} of {name} halted: {e.Reason}: {e.Detail}"),
            PoolHalted e => Raise(
                recorded, AlertKind.PoolHalted, AlertSeverity.Critical, pool.Id, e.Host, [recorded.Id],
                $"{name} takes no orders: {e.Host} has obeyed epoch {e.Reported}, ours is {e.Ours} ({e.Cause})"),
            HaltAcknowledged => Clear(recorded, AlertKind.MoveHalted).Clear(recorded, AlertKind.PoolHalted),
            MoveStepStarted { Step: MoveStep.Fence } e when pool.Move is { FencedBy: null } => Raise(
                recorded, AlertKind.FencingNeeded, AlertSeverity.Critical, pool.Id, pool.Move?.From, [recorded.Id],
                $"failover {e.Id} of {name} waits until somebody confirms that {pool.Move?.From} cannot write to its disks"),
            MoveStepDone { Step: MoveStep.Fence } or MoveAborted => Clear(recorded, AlertKind.FencingNeeded),
            AlertAcknowledged e => Acknowledge(recorded, e),
            _ => Looked(recorded, pool, name),
        };
    }

    /// <summary>The book after one more event of a host.</summary>
    public AlertBook Evolve(Recorded<HostEvent> recorded) => recorded.Event switch
    {
        HostLeaseLost e => Raise(
            recorded, AlertKind.HostLost, AlertSeverity.Critical, null, e.Host, [recorded.Id],
            $"{e.Host} has not renewed its lease for {e.LeaseSeconds:0.0} s"),
        HostReturned => Clear(recorded, AlertKind.HostLost),
        _ => this,
    };

    /// <summary>After a host's newest look, or a person's word that it is fenced: what is over there, and whether I/O is suspended.</summary>
    AlertBook Looked(Recorded<PoolEvent> recorded, Pool pool, string name)
    {
        if (pool.Sightings.FirstOrDefault(s => s.Value.Event == recorded.Id) is not { Value.Sight: { Presence: not PoolPresence.Unknown } sight, Key: var host }) return this;

        var book = sight.IsHeld() ? this : Clear(recorded, AlertKind.ImportNotOrdered, host);
        if (!sight.IsImported() || sight.Health is not PoolHealth.Suspended) return book.Clear(recorded, AlertKind.SuspendedCopy, host).Clear(recorded, AlertKind.PoolSuspended, host);
        if (sight.IsHeld() && pool.Holders().Any(h => h != host)) return book; // A suspended copy then, which is disputed.
        if (Alerts.Values.Any(a => a.Kind is AlertKind.PoolSuspended or AlertKind.SuspendedCopy && a.Host == host && a.ClearedAt is null)) return book;
        return book.Raise(recorded, AlertKind.PoolSuspended, AlertSeverity.Critical, pool.Id, host, [recorded.Id], $"I/O of {name} is suspended on {host}");
    }

    /// <summary>The host has the claim. In the decision that also found its import not ordered, that settles nothing: somebody must still be told.</summary>
    AlertBook Settled(Recorded<PoolEvent> recorded, HostName host) => Clear(recorded, AlertKind.ImportNotOrdered, a => a.Host == host && a.RaisedAt < recorded.RecordedAt);

    /// <summary>When a host saw the last of what proves it, by that host's clock.</summary>
    static DateTimeOffset? LastSeen(Pool pool, IReadOnlyList<EventId> evidence) =>
        pool.Sightings.Values.Where(s => evidence.Contains(s.Event)).Select(s => (DateTimeOffset?)s.ObservedAt).Max();

    /// <summary>The alerts that changed after this version of the stream.</summary>
    public IEnumerable<Alert> ChangedSince(long version) => Alerts.Values.Where(a => a.Version > version);

    AlertBook Raise<TEvent>(
        Recorded<TEvent> recorded, AlertKind kind, AlertSeverity severity, PoolGuid? pool, HostName? host, IReadOnlyList<EventId> evidence, string summary,
        DateTimeOffset? observedAt = null)
    {
        var alert = new Alert(
            $"{kind}-{recorded.Id}", kind, severity, pool, host, summary, evidence, observedAt ?? recorded.Stamp.ObservedAt, recorded.RecordedAt,
            ClearedAt: null, AcknowledgedBy: null, Comment: null, recorded.Version);
        return new(Alerts.SetItem(alert.Id, alert));
    }

    AlertBook Clear<TEvent>(Recorded<TEvent> recorded, AlertKind kind, HostName host) => Clear(recorded, kind, a => a.Host == host);

    AlertBook Clear<TEvent>(Recorded<TEvent> recorded, AlertKind kind, Func<Alert, bool>? which = null) => new(Alerts.SetItems(
        Alerts.Where(a => a.Value.Kind == kind && a.Value.ClearedAt is null && which?.Invoke(a.Value) is not false)
            .Select(a => KeyValuePair.Create(a.Key, a.Value with { ClearedAt = recorded.RecordedAt, Version = recorded.Version }))));

    AlertBook Acknowledge(Recorded<PoolEvent> recorded, AlertAcknowledged e) => Alerts.TryGetValue(e.Alert, out var alert)
        ? new(Alerts.SetItem(e.Alert, alert with { AcknowledgedBy = e.By, Comment = e.Comment, Version = recorded.Version }))
        : this;
}
