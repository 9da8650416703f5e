using System.Text.Json.Serialization;

namespace ZfsHaEvents.Domain.Pools;

/// <summary>A message about one pool, decided on that pool's stream.</summary>
public interface IPoolMessage
{
    /// <summary>The pool, by GUID or by name.</summary>
    PoolReference Pool { get; }

    /// <summary>
    /// What follows, given the pool as it stands. The same message again changes nothing and orders nothing: a request is known
    /// by its id, a report by its sequence numbers, and both by the ids of their events, which derive from the message's.
    /// </summary>
    Decision<PoolEvent> Decide(Pool pool, DecisionContext context);
}

/// <summary>
/// A request by a person or a program. Its id is the id of the message that carries it; asking twice with one id is asking
/// once.
/// </summary>
public interface IRequest : IPoolMessage
{
    /// <summary>What a program is told that asks in nobody's name.</summary>
    const string NobodyAsks = "'by' must name who asks, for the audit";

    RequestId Id { get; }

    /// <summary>Who asks, for the audit.</summary>
    string By { get; }

    /// <summary>The same request under the id of the message that carries it.</summary>
    IRequest WithId(RequestId id);
}

/// <summary>Move the pool to another host in good order.</summary>
/// <param name="To">The target.</param>
/// <param name="Reason">Why, for the audit.</param>
public sealed record SwitchoverPool([property: JsonIgnore] RequestId Id, PoolReference Pool, HostName To, string By, string? Reason = null) : IRequest
{
    public IRequest WithId(RequestId id) => this with { Id = id };

    public Decision<PoolEvent> Decide(Pool pool, DecisionContext context)
    {
        var change = new PoolChange(pool, context);
        if (pool.HasSeen(Id)) return change.Done();

        change.Record(new SwitchoverRequested(Id, To, By, Reason), By);
        var holder = pool.Holder();
        if (Refuse(pool, holder, context) is var (refusal, detail))
        {
            change.Record(new SwitchoverRefused(Id, refusal, detail));
            return change.Done();
        }

        change.Record(new SwitchoverStarted(Id, holder, To, pool.Epoch), By);
        if (holder is { } from) change.Order(MoveStep.Export, from);
        else change.GiveToTarget();
        return change.Done();
    }

    (Refusal, string)? Refuse(Pool pool, HostName? holder, DecisionContext context)
    {
        if (Guards.NotNow(pool) is { } notNow) return notNow;
        if (Guards.BadTarget(To, context) is { } badTarget) return badTarget;
        if (holder == To) return (Refusal.AlreadyHeldByTarget, $"{To} has the pool imported already");
        if (Guards.ImportElsewhere(pool, To, fenced: null, exporter: holder) is { } outstanding) return outstanding;

        // A suspended pool counts as held by nobody, but it is imported: it must not be imported elsewhere on our word.
        if (pool.Sightings.FirstOrDefault(s => !s.Value.Stale && s.Value.Sight is { Health: PoolHealth.Suspended } && s.Value.Sight.IsHeld()) is { Value: not null } suspended)
            return (Refusal.PoolSuspended, $"I/O is suspended on {suspended.Key}; the pool cannot be exported there");

        var source = holder ?? pool.LastHolder();
        if (source is { } from && from != To && context.Alive(from) is null && !NeedsNoTakeover(pool, from, context))
            return (Refusal.HolderNotAlive, $"{from} does not answer and cannot be asked to export; ask for a failover");
        if (Guards.NotSaid(pool, To, context) is { } notSaid) return notSaid;
        if (pool.Awaited.Count > 0 && pool.Multihost() is not true)
            return (Refusal.OwnershipUnverified, $"{string.Join(", ", pool.Awaited)} has not reported since ownership became uncertain, and multihost is not known to be on");
        return null;
    }

    /// <summary>
    /// A fenced host need not export. Whether force is needed is for a failover to ask the labels, except where that cannot be or was done: nobody knows
    /// the devices, or the target itself was the last to use the pool.
    /// </summary>
    bool NeedsNoTakeover(Pool pool, HostName from, DecisionContext context) =>
        pool.Fenced.ContainsKey(from)
        && (pool.Leaves().Count == 0 || pool.Move?.Label is { State: LabelState.Active } label && label.HostId == context.Hosts[To].HostId);
}

/// <summary>Take the pool over because its holder does not answer.</summary>
/// <param name="To">The target; null for the first of the policy's targets that is alive.</param>
/// <param name="FencedHost">The lost holder that the asker vouches for; null to go by the policy. Another than the last holder is refused.</param>
/// <param name="FencingStatement">
/// The asker's word that the holder cannot write to the disks (how it was powered off or cut off); null to go by the policy.
/// </param>
public sealed record FailoverPool(
    [property: JsonIgnore] RequestId Id, PoolReference Pool, string By, HostName? To = null, string? Reason = null, HostName? FencedHost = null, string? FencingStatement = null) : IRequest
{
    public IRequest WithId(RequestId id) => this with { Id = id };

    public Decision<PoolEvent> Decide(Pool pool, DecisionContext context)
    {
        var change = new PoolChange(pool, context);
        if (!pool.HasSeen(Id)) Takeover.Begin(change, this);
        return change.Done();
    }
}

/// <summary>A person vouches that a host cannot write to this pool's disks.</summary>
/// <param name="Statement">How that was made sure of: power cut at the PDU, cable pulled, ticket number.</param>
public sealed record ConfirmFencing([property: JsonIgnore] RequestId Id, PoolReference Pool, HostName Host, string By, string Statement) : IRequest
{
    public IRequest WithId(RequestId id) => this with { Id = id };

    public Decision<PoolEvent> Decide(Pool pool, DecisionContext context)
    {
        var change = new PoolChange(pool, context);
        if (pool.HasSeen(Id)) return change.Done();

        if (Refuse(pool, context) is var (refusal, detail))
        {
            change.Record(new RequestRefused(Id, nameof(ConfirmFencing), refusal, detail, By), By);
            return change.Done();
        }

        change.Record(new FencingConfirmed(Id, Host, By, Statement), By);
        if (change.Pool.RunningMove() is { Kind: MoveKind.Failover } move && move.From == Host && move.Step()?.Step is MoveStep.Fence)
            Takeover.FenceDone(change, $"{By}: {Statement}");
        change.Settle(before: pool);
        Takeover.BeginIfOwed(change);
        return change.Done();
    }

    (Refusal, string)? Refuse(Pool pool, DecisionContext context)
    {
        if (string.IsNullOrWhiteSpace(Statement)) return (Refusal.EvidenceMissing, Guards.SayHow);
        if (!context.Hosts.ContainsKey(Host) && !pool.Sightings.ContainsKey(Host)) return (Refusal.UnknownHost, $"no host named {Host} has ever registered; 'zfsha hosts' lists those that have");
        if (context.Alive(Host) is not null) return (Refusal.HostAlive, $"{Host} renews its lease: it is running, whatever was done to it");
        return null;
    }
}

/// <summary>Call off a move that waits and has nothing under way on a host.</summary>
public sealed record CallOffMove([property: JsonIgnore] RequestId Id, PoolReference Pool, RequestId Move, string By, string Reason) : IRequest
{
    public IRequest WithId(RequestId id) => this with { Id = id };

    public Decision<PoolEvent> Decide(Pool pool, DecisionContext context)
    {
        var change = new PoolChange(pool, context);
        if (pool.HasSeen(Id)) return change.Done();

        if (pool.RunningMove() is not { } move || move.Id != Move)
        {
            change.Record(new RequestRefused(Id, nameof(CallOffMove), Refusal.NothingPending, $"{Move} is not running; 'zfsha dossier {Move}' tells how it ended", By), By);
            return change.Done();
        }

        if (move.Step() is { Order: { } order })
        {
            change.Record(new RequestRefused(Id, nameof(CallOffMove), Refusal.OrderOutstanding, $"order {order} is with a host and can no longer be called off; see what comes of it with 'zfsha dossier {Move}'", By), By);
            return change.Done();
        }

        change.Record(new CallOffRequested(Id, Move, By, Reason), By);
        change.Abort(MoveEnd.CalledOff, $"{By}: {Reason}", pool.Holder(), By);
        return change.Done();
    }
}

/// <summary>A person has looked at a halt and lets the pool take orders again.</summary>
public sealed record AcknowledgeHalt([property: JsonIgnore] RequestId Id, PoolReference Pool, string By, string Comment) : IRequest
{
    public IRequest WithId(RequestId id) => this with { Id = id };

    public Decision<PoolEvent> Decide(Pool pool, DecisionContext context)
    {
        var change = new PoolChange(pool, context);
        if (pool.HasSeen(Id)) return change.Done();

        if (Refuse(pool) is var (refusal, detail))
        {
            change.Record(new RequestRefused(Id, nameof(AcknowledgeHalt), refusal, detail, By), By);
            return change.Done();
        }

        change.Record(new HaltAcknowledged(Id, By, Comment, pool.Halt!.Epoch), By);
        change.Settle(before: pool);
        Takeover.BeginIfOwed(change);
        return change.Done();
    }

    (Refusal, string)? Refuse(Pool pool)
    {
        if (pool.Halt is null) return (Refusal.NothingPending, "the pool is not halted; there is nothing to acknowledge");
        if (string.IsNullOrWhiteSpace(Comment)) return (Refusal.EvidenceMissing, "say in the comment what was found and done");
        return null;
    }
}

/// <summary>A person has seen an alert.</summary>
public sealed record AcknowledgeAlert([property: JsonIgnore] RequestId Id, PoolReference Pool, string Alert, string By, string Comment) : IRequest
{
    public IRequest WithId(RequestId id) => this with { Id = id };

    public Decision<PoolEvent> Decide(Pool pool, DecisionContext context)
    {
        var change = new PoolChange(pool, context);
        if (pool.HasSeen(Id)) return change.Done();

        if (Refuse(context) is var (refusal, detail)) change.Record(new RequestRefused(Id, nameof(AcknowledgeAlert), refusal, detail, By), By);
        else change.Record(new AlertAcknowledged(Id, Alert, By, Comment), By);
        return change.Done();
    }

    (Refusal, string)? Refuse(DecisionContext context)
    {
        if (!context.Alerts.Alerts.ContainsKey(Alert)) return (Refusal.NothingPending, $"the pool has no alert '{Alert}'; 'zfsha alerts' lists them");
        if (string.IsNullOrWhiteSpace(Comment)) return (Refusal.EvidenceMissing, "say in the comment what is being done about it");
        return null;
    }
}

/// <summary>Say how the pool is to be failed over.</summary>
public sealed record SetPoolPolicy([property: JsonIgnore] RequestId Id, PoolReference Pool, PoolPolicy Policy, string By) : IRequest
{
    public IRequest WithId(RequestId id) => this with { Id = id };

    public Decision<PoolEvent> Decide(Pool pool, DecisionContext context)
    {
        var change = new PoolChange(pool, context);
        if (pool.HasSeen(Id)) return change.Done();

        change.Record(new PolicySet(Id, Policy, By), By);
        Takeover.BeginIfOwed(change);
        return change.Done();
    }
}

/// <summary>What stands in the way of a switchover and of a failover alike.</summary>
static class Guards
{
    public static (Refusal, string)? NotNow(Pool pool)
    {
        if (pool.FirstUnknown is { } unknown)
            return (Refusal.UnknownHistory, $"event {unknown.Version} of the pool's history is a '{unknown.StoredType}', which this version of the server cannot read; upgrade the server to the version that wrote it, or see with 'zfsha history' what it is and who wrote it");
        if (pool.RunningMove() is { } move) return (Refusal.MoveInProgress, $"{move.Kind} {move.Id} is running; ask again when it has ended, and see 'zfsha dossier {move.Id}'");
        if (pool.Halt is { } halt) return (Refusal.HaltNotAcknowledged, $"{halt.Reason}; somebody must look at it and acknowledge it with 'zfsha acknowledge'");
        if (pool.Conflict.Count > 0) return (Refusal.ConflictActive, $"{string.Join(" and ", pool.Conflict)} have the pool imported read-write at once; export it on all but one of them first");
        return null;
    }

    public static (Refusal, string)? BadTarget(HostName to, DecisionContext context)
    {
        if (!context.Hosts.TryGetValue(to, out var standing)) return (Refusal.UnknownHost, $"no host named {to} has ever registered; start its agent, or name another target");
        if (!standing.Alive) return (Refusal.TargetNotAlive, $"the lease of {to} is not live; start its agent, or name another target");
        return null;
    }

    /// <param name="fenced">A host that somebody vouches for in the same breath.</param>
    /// <param name="exporter">The host that is to export first: a child that runs on there is over when it could take the lock for that.</param>
    public static (Refusal, string)? ImportElsewhere(Pool pool, HostName to, HostName? fenced, HostName? exporter = null)
    {
        if (pool.OutstandingImport is { } outstanding && outstanding.Host != to && outstanding.Host != fenced && !(outstanding.UnendedSince is not null && outstanding.Host == exporter))
        {
            var proof = outstanding.UnendedSince is null ? "must report" : "must report (`zfsha lock POOL -- true` there waits for it and tells)";
            return (Refusal.ImportOutstanding, $"import {outstanding.Order} on {outstanding.Host} may still take effect; {outstanding.Host} {proof}, or be confirmed as fenced");
        }

        return pool.TypedImports.FirstOrDefault(t => t.Key != to && t.Key != fenced) is { Value: { } typed, Key: var host }
            ? (Refusal.ImportOutstanding, $"{typed.By} began to import the pool on {host} and nothing shows that it ended; `zfsha lock POOL -- true` there waits for it and tells")
            : null;
    }

    /// <summary>A host whose lease is live and that has not said yet whether it has the pool: its word is under way, or it could not look.</summary>
    public static (Refusal, string)? NotSaid(Pool pool, HostName to, DecisionContext context)
    {
        var silent = pool.Sightings.Where(s => s.Key != to && context.Alive(s.Key) is not null && (s.Value.Stale || s.Value.Sight.Presence is PoolPresence.Unknown)).Select(s => s.Key).ToList();
        return silent.Count > 0 ? (Refusal.OwnershipUnverified, $"{string.Join(", ", silent)} answers and has not said yet whether it has the pool; ask again in a moment") : null;
    }

    /// <summary>What a person is told who vouches for something and does not say how they know.</summary>
    public const string SayHow = "say how it was made sure that the host cannot write to the disks: power cut, cable pulled, ticket number";
}
