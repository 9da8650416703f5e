using System.Globalization;

namespace ZfsHaEvents.Domain.Pools;

/// <summary>
/// The unplanned move: make sure that the lost holder cannot write, read from the disks whether force is needed and
/// permitted, then import. The only path to <c>import -f</c>.
/// </summary>
static class Takeover
{
    public static void Begin(PoolChange change, FailoverPool request)
    {
        var (pool, context) = (change.Pool, change.Context);
        change.Record(new FailoverRequested(request.Id, request.To, request.By, request.Reason), request.By);

        var target = request.To ?? FirstAlive(pool, context);
        if (Refuse(pool, context, target, request) is var (refusal, detail))
        {
            change.Record(new FailoverRefused(request.Id, refusal, detail));
            return;
        }

        var from = pool.LastHolder();
        change.Record(new FailoverStarted(request.Id, from, target!.Value, pool.Epoch), request.By);
        if (pool.Sightings.TryGetValue(from!.Value, out var sighting) && sighting.Holds()) change.Record(new OwnershipUnverified(Doubt.HostLost, [from.Value])); // So that its return is news.
        if (request.FencingStatement is { } statement) change.Record(new FencingConfirmed(request.Id, from!.Value, request.By, statement), request.By);

        var fenced = request.FencingStatement is not null || pool.Fenced.ContainsKey(from!.Value);
        if (!fenced && pool.Policy.Fencing is FencingMethod.MmpAlone)
        {
            change.Order(MoveStep.ReadLabels, target.Value);
            return;
        }

        change.Record(new FailoverStepStarted(request.Id, MoveStep.Fence, Host: null, Order: null, Session: null, Boot: null));
        if (fenced) FenceDone(change, request.FencingStatement is null ? "confirmed before the failover began" : $"{request.By}: {request.FencingStatement}");
    }

    /// <summary>The failover that the policy asks for when a host is lost with the pool, or the record of why there is none.</summary>
    public static void BeginByPolicy(PoolChange change, HostName lost, SessionId session)
    {
        var request = ByPolicy(change.Pool, lost, session, again: false);
        if (!change.Pool.HasSeen(request.Id)) Begin(change, request);
    }

    /// <summary>The same where it is still owed, after a person has done what may have been in its way.</summary>
    public static void BeginIfOwed(PoolChange change)
    {
        if (Owed(change) is { } request) Begin(change, request);
    }

    /// <summary>The same where nothing stands in its way any more.</summary>
    public static void BeginIfPossible(PoolChange change)
    {
        if (Possible(change) is { } request) Begin(change, request);
    }

    /// <summary>The same in a moment: the lost host may be coming back with the others.</summary>
    public static void BeginSoonIfPossible(PoolChange change)
    {
        if (Possible(change) is null) return;
        var pool = change.Pool;
        change.Send(Queues.Server, $"{change.Context.MessageId}/{pool.Id}/takeover", new TakeoverDue(pool.Id, pool.LostHolder!.Value), delay: change.Context.Times.Grace);
    }

    static FailoverPool? Possible(PoolChange change) =>
        Owed(change) is { } request && Refuse(change.Pool, change.Context, FirstAlive(change.Pool, change.Context), request) is null ? request : null;

    /// <summary>
    /// The failover that the policy still asks for. An earlier word that the lost host is fenced is left to whoever gave it: the host may have been
    /// switched on again since.
    /// </summary>
    static FailoverPool? Owed(PoolChange change)
    {
        var (pool, context) = (change.Pool, change.Context);
        if (!pool.Policy.Automatic || pool.LostHolder is not { } lost || pool.LastHolder() != lost) return null;
        if (!context.Hosts.TryGetValue(lost, out var standing) || standing.Alive) return null;
        if (pool.Fenced.ContainsKey(lost) && !change.Has<FencingConfirmed>(e => e.Host == lost)) return null;
        return ByPolicy(pool, lost, standing.Session, again: true);
    }

    /// <summary>One id per pool and session that was lost, and per time it is asked again, with the host's name where it fits: people will type it.</summary>
    static FailoverPool ByPolicy(Pool pool, HostName lost, SessionId session, bool again)
    {
        var time = again ? string.Create(CultureInfo.InvariantCulture, $":{pool.Version}") : "";
        var id = RequestId.TryParse($"lost:{lost}:{pool.Id}:{session.ToString()[^12..]}{time}", null, out var parsed) ? parsed : new($"lost:{session}:{pool.Id}{time}");
        return new(id, new(pool.Id.ToString()), By: Actors.Server, Reason: $"the lease of {lost} was lost");
    }

    /// <summary>The holder cannot write any more, on a person's word; now the disks.</summary>
    public static void FenceDone(PoolChange change, string evidence)
    {
        change.StepDone(0, evidence);
        change.Order(MoveStep.ReadLabels, change.Pool.RunningMove()!.To);
    }

    /// <summary>What the labels say, and what that permits.</summary>
    public static void LabelsRead(PoolChange change, PoolLabel? label, double zpoolSeconds, string detail)
    {
        if (label is null or { State: LabelState.Other })
        {
            change.StepFailed(ZpoolFailure.LabelsUnreadable, zpoolSeconds, detail);
            change.Halt(MoveEnd.LabelsUnreadable, detail.Length > 0 ? detail : "no leaf carries a label of this pool that can be imported");
            return;
        }

        var move = change.Pool.RunningMove()!;
        change.StepDone(zpoolSeconds, Describe(label));
        if (move.From is { } back && change.Context.Alive(back) is not null && change.Pool.Sightings.GetValueOrDefault(back)?.IsAbsent() is not true)
        {
            change.Abort(MoveEnd.HolderReturned, $"{back} answers again and has not said yet whether it has the pool", holder: null);
            return;
        }

        if (label.State is LabelState.Exported)
        {
            TakeOver(change); // Exported cleanly after all: force is neither needed nor used.
            return;
        }

        if (move.From is not { } from || change.Context.Hosts.GetValueOrDefault(from)?.HostId != label.HostId || change.Context.Hosts.GetValueOrDefault(move.To)?.HostId == label.HostId)
        {
            change.Halt(MoveEnd.HeldByThirdHost, $"the label is ACTIVE under hostid {label.HostId} ({label.HostName}), which is not {move.From?.Value ?? "a known holder"}'s alone");
            return;
        }

        if (ForceForbidden(change) is { } why)
        {
            change.Halt(MoveEnd.ForceNotPermitted, why);
            return;
        }

        TakeOver(change);
    }

    /// <summary>
    /// Why the label that was read does not permit force; null when it does, or when none is needed. Asked before every order
    /// that would carry a proof: evidence is void once the fenced host has spoken again.
    /// </summary>
    public static string? ForceForbidden(PoolChange change)
    {
        if (change.Pool.RunningMove() is not { Kind: MoveKind.Failover, Label: { State: LabelState.Active } label, From: { } from } move) return null;
        if (move.FencedBy is not null || change.Pool.Policy.Fencing is FencingMethod.MmpAlone && label.MmpActive && label.LeavesRead == label.LeavesAsked) return null;

        return change.Context.Alive(from) is not null ? $"{from} answers again without the pool, and is not fenced; a switchover to {from} imports it there without force"
            : label.MmpActive && label.LeavesRead < label.LeavesAsked ? $"{from} is not fenced, and only {label.LeavesRead} of {label.LeavesAsked} devices could be read: the newest uberblock may be on another"
            : label.MmpActive ? $"{from} is not fenced, and the pool's policy does not permit MMP alone"
            : $"{from} is not fenced, and the newest uberblock carries no MMP";
    }

    static void TakeOver(PoolChange change)
    {
        var move = change.Pool.RunningMove()!;
        if (move.From is { } from)
        {
            if (!change.Pool.Fenced.ContainsKey(from) && change.Pool.Sightings.GetValueOrDefault(from)?.IsAbsent() is not true)
                change.Record(new OwnershipUnverified(Doubt.TakenOver, [from]));
            change.SendAbout(from, $"{move.Id}/{change.Pool.Id}/evict", new Hosts.EvictHost(from, change.Pool.Id, move.Id));
        }

        change.GiveToTarget();
    }

    static string Describe(PoolLabel label) =>
        $"{label.State}, hostid {label.HostId} ({label.HostName}), txg {label.Txg}, MMP {(label.MmpActive ? "on" : "off")}, {label.LeavesRead} of {label.LeavesAsked} leaves";

    static HostName? FirstAlive(Pool pool, DecisionContext context) =>
        pool.Policy.Targets.Where(t => t != pool.LastHolder() && context.Alive(t) is not null).Select(t => (HostName?)t).FirstOrDefault();

    static (Refusal, string)? Refuse(Pool pool, DecisionContext context, HostName? target, FailoverPool request)
    {
        var vouchedFor = request.FencedHost is not null;
        if (Guards.NotNow(pool) is { } notNow) return notNow;
        if (vouchedFor && string.IsNullOrWhiteSpace(request.FencingStatement)) return (Refusal.EvidenceMissing, Guards.SayHow);
        if (!vouchedFor && request.FencingStatement is not null) return (Refusal.EvidenceMissing, "say which host it is that cannot write to the disks");
        if (target is not { } to) return (Refusal.NoTarget, "no target was named, and none of the policy's targets is alive");
        if (Guards.BadTarget(to, context) is { } badTarget) return badTarget;
        if (pool.Holder() == to) return (Refusal.AlreadyHeldByTarget, $"{to} has the pool imported already");
        if (pool.Sightings.TryGetValue(to, out var sighting) && sighting is { Stale: false, Sight.Health: PoolHealth.Suspended } && sighting.Sight.IsHeld())
            return (Refusal.PoolSuspended, $"{to} has the pool imported with its I/O suspended and could not write to it; reboot {to} first");
        if (pool.LastHolder() is not { } from) return (Refusal.NothingToTakeOver, "no host holds or has claimed the pool; ask for a switchover");
        if (from == to) return (Refusal.AlreadyHeldByTarget, $"{to} is the last holder; a failover takes a pool from another host");
        if (request.FencedHost is { } vouched && vouched != from) return (Refusal.NotTheHolder, $"the pool is to be taken over from {from}, not from {vouched}: make sure that {from} cannot write to the disks");
        if (context.Alive(from) is not null) return (Refusal.HolderAlive, $"{from} renews its lease; ask for a switchover");
        if (Guards.ImportElsewhere(pool, to, vouchedFor ? from : null) is { } outstanding) return outstanding;
        if (pool.Leaves().Count == 0) return (Refusal.LeavesUnknown, "no host has ever reported the pool's devices, so its labels cannot be read");
        if (!vouchedFor && !pool.Fenced.ContainsKey(from) && pool.Policy.Fencing is FencingMethod.MmpAlone && pool.Multihost() is not true)
            return (Refusal.MultihostOff, "the policy rests on MMP alone, and multihost was not on when the pool was last seen imported; confirm that the holder is fenced");
        return null;
    }
}
