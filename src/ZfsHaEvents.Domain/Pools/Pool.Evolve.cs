using System.Collections.Immutable;
using System.Diagnostics;
using ZfsHaEvents.Domain.Hosts;

namespace ZfsHaEvents.Domain.Pools;

public sealed partial record Pool
{
    /// <summary>A pool of which nothing is recorded.</summary>
    public static Pool Initial(PoolGuid id) => new() { Id = id };

    /// <summary>The pool after one more event. Total: every event that can be stored has its place here, and none throws.</summary>
    public Pool Evolve(Recorded<PoolEvent> recorded)
    {
        var next = this with { Version = recorded.Version };
        return recorded.Event switch
        {
            PoolDiscovered e => next with { Name = e.Name },
            PoolRenamed e => next with { Name = e.To },
            ImportStarted { Order: null } e => next.Typed(e.Host, recorded.Stamp),
            ImportStarted e => OutstandingImport is { } o && o.Host == e.Host && o.Boot == recorded.Stamp.Boot ? next with { OutstandingImport = o with { Begun = true } } : next,
            ImportSucceeded e => next.ImportEnded(e.Host, e.Order, e.Run, e.Sight, recorded),
            ImportRefused e => next.ImportEnded(e.Host, e.Order, e.Run, e.Sight, recorded),
            ImportFailed e => next.ImportEnded(e.Host, e.Order, e.Run, e.Sight, recorded),
            ExportSucceeded e => next.Exported(e.Host, e.Run, e.Sight, recorded),
            ExportRefused e => next.Exported(e.Host, e.Run, e.Sight, recorded),
            ExportFailed e => next.Exported(e.Host, e.Run, e.Sight, recorded),
            PoolObserved e => next.Seen(e.Host, e.Sight, recorded),
            PoolScanned e => next.Scanned(e, recorded),
            OrderRefused e => next.NotBegun(e.Host, e.Order, e.Reason, recorded),
            OrderReissued e => next.Reissued(e),
            ImportRuledOut e => OutstandingImport?.Order == e.Order ? next with { OutstandingImport = null } : next,

            // The lock is free only when the last import on that host, and its child, are over.
            PoolLockAcquired e => next.TypedOver(e.Host, recorded.Stamp).UnendedOver(e.Host, recorded.Stamp),
            PoolLockReleased e => next.TypedOver(e.Host, recorded.Stamp).UnendedOver(e.Host, recorded.Stamp),
            OwnershipClaimed e => next with { Claimant = e.Host, Epoch = e.Epoch },
            OwnershipReleased => next with { Claimant = null },
            OwnershipUnverified e => next.Doubted(e),
            OwnershipVerified => next with { Awaited = [] },
            ConflictDetected e => next with { Conflict = [.. e.Hosts] },
            ConflictCleared => next with { Conflict = [] },
            PolicySet e => next.Dealt(e.Request) with { Policy = e.Policy },
            CallOffRequested e => next.Dealt(e.Request),
            FencingConfirmed e => next.Dealt(e.Request).Fence(e.Host, recorded),
            RequestRefused e => next.Dealt(e.Request),
            PoolHalted e => next with
            {
                Halt = new($"{e.Cause} reported by {e.Host}", Halt?.Move, Highest(e.Reported, Highest(Epoch, Halt?.Epoch ?? Epoch))),
                KnownIncarnations = KnownIncarnations.Add(e.ReportedIncarnation),
            },
            HaltAcknowledged e => next.Dealt(e.Request) with { Halt = null, Epoch = Highest(e.Epoch, Epoch) },
            AlertAcknowledged e => next.Dealt(e.Request),
            MoveEvent e => next.EvolveMove(e, recorded),
            UnknownEvent e => next with { FirstUnknown = FirstUnknown ?? new(e.StoredType, recorded.Version) },

            // History only: they say what happened and change nothing that is decided on.
            ExportStarted or PoolLockTimedOut or PoolLockBroken or DisksWatched
                or PoolHealthChanged or OwnershipDisputed => next,

            _ => throw new UnreachableException($"{recorded.Event.GetType().Name} has no place in the fold."),
        };
    }

    /// <summary>A host's look at the pool. What a newer look established stands.</summary>
    Pool Seen(HostName host, PoolSight sight, Recorded<PoolEvent> recorded)
    {
        var lostHolder = EndsLoss(host, sight, recorded.Stamp) ? null : LostHolder;
        if (recorded.Stamp is not { Late: false, Boot: { } boot, Sequence: { } sequence }) return this with { LostHolder = lostHolder };

        var earlier = Sightings.GetValueOrDefault(host);
        return this with
        {
            LostHolder = lostHolder,
            Sightings = Sightings.SetItem(host, new(sight.Over(earlier?.Sight ?? PoolSight.Unknown), boot, sequence, recorded.Stamp.ObservedAt, recorded.Id, Stale: false)),
            Make = sight.IsImported() ? (Make ?? PoolMake.Unknown).With(sight) : Make,
            Awaited = sight.Presence is PoolPresence.Unknown ? Awaited : Awaited.Remove(host),
            ToldLate = ToldLate.Remove(host),

            // It speaks: whoever vouched that it could not write vouched for an earlier time.
            Fenced = Fenced.Remove(host),
            Move = RunningMove() is { FencedBy: not null } move && move.From == host ? move with { FencedBy = null } : Move,
            TypedImports = TypedImports.TryGetValue(host, out var typed) && typed.Boot != boot ? TypedImports.Remove(host) : TypedImports,
            OutstandingImport = sight.IsHeld() && OutstandingImport is { UnendedSince: null } outstanding && outstanding.Host == host ? null : OutstandingImport,
        };
    }

    /// <summary>
    /// Whether this look shows that the pool is no longer as it was when its holder was lost. Told late it changes nothing that is held to be so
    /// now, but what nobody asked for is not begun against it: an export before the loss, an import elsewhere after it. That the lost host still had
    /// the pool before it was lost is no news.
    /// </summary>
    bool EndsLoss(HostName host, PoolSight sight, Stamp stamp) =>
        LostHolder is { } lost
        && (host == lost ? sight.Presence is not PoolPresence.Unknown && !(stamp.Late && sight.IsHeld()) : sight.IsHeld() && sight.Health is not PoolHealth.Suspended)
        && (!stamp.Late || Sightings.TryGetValue(lost, out var last) && stamp.ObservedAt > last.ObservedAt);

    Pool ImportEnded(HostName host, OrderId? order, ZpoolRun? run, PoolSight sight, Recorded<PoolEvent> recorded)
    {
        var ended = run is null or { Ended: true };
        var seen = ended ? Seen(host, sight, recorded).TypedOver(host, recorded.Stamp) : Unended(host, order, recorded.Stamp).Seen(host, sight, recorded);
        var byHand = recorded.Stamp.Late && sight.IsHeld() && !(Sightings.TryGetValue(host, out var last) && last.Boot == recorded.Stamp.Boot && !last.Stale);
        if (byHand && TypedImports.ContainsKey(host) && !seen.TypedImports.ContainsKey(host)) seen = seen with { ToldLate = seen.ToldLate.Add(host) };
        var settled = ended && !recorded.Stamp.Late && sight.Presence is not PoolPresence.Unknown;
        return settled && OutstandingImport is { } outstanding && outstanding.Host == host && outstanding.Order == order
            ? seen with { OutstandingImport = null }
            : seen;
    }

    /// <summary>An export runs under the lock that an import's child keeps as long as it lives.</summary>
    Pool Exported(HostName host, ZpoolRun? run, PoolSight sight, Recorded<PoolEvent> recorded) =>
        (run is null or { Ended: true } ? UnendedOver(host, recorded.Stamp) : this).Seen(host, sight, recorded);

    /// <summary>The host has said that the child of this order runs on. A sight of the held pool may have come before and ended the waiting for it.</summary>
    Pool Unended(HostName host, OrderId? order, Stamp stamp)
    {
        if (stamp is not { Late: false, Boot: { } boot, Sequence: { } sequence }) return this;
        var outstanding = OutstandingImport?.Order == order ? OutstandingImport
            : OutstandingImport is null && Move?.Steps is [.., { Session: { } session } last] && last.Host == host && last.Order == order ? new(host, last.Order!.Value, Epoch, session, boot, Begun: true)
            : null;
        return outstanding is null || outstanding.Host != host || outstanding.Boot != boot ? this : this with { OutstandingImport = outstanding with { Begun = true, UnendedSince = sequence } };
    }

    /// <summary>The lock was free after that, or the host has booted: the child is over, and what it did is seen.</summary>
    Pool UnendedOver(HostName host, Stamp stamp) =>
        OutstandingImport is { UnendedSince: { } since } outstanding && outstanding.Host == host && (outstanding.Boot == stamp.Boot ? stamp.Sequence > since : !stamp.Late)
            ? this with { OutstandingImport = null }
            : this;

    /// <summary>However late it is told, and in a boot that has not opened a session yet: it may be running as long as its boot lasts.</summary>
    Pool Typed(HostName host, Stamp stamp) =>
        stamp is { Boot: { } boot, Sequence: { } sequence }
            && (!TypedImports.TryGetValue(host, out var typed) || typed.Boot != boot || typed.Sequence < sequence)
            ? this with { TypedImports = TypedImports.SetItem(host, new(stamp.Actor, boot, sequence)) }
            : this;

    /// <summary>What the host did afterwards shows that a typed import is over.</summary>
    Pool TypedOver(HostName host, Stamp stamp) =>
        TypedImports.TryGetValue(host, out var typed) && typed.Boot == stamp.Boot && stamp.Sequence > typed.Sequence
            ? this with { TypedImports = TypedImports.Remove(host) }
            : this;

    /// <summary>
    /// An import order that the host would not begin has no effect to wait for. Not so with a stale session, or when the host
    /// has said that it began: an earlier delivery of the same order may still be at work.
    /// </summary>
    Pool NotBegun(HostName host, OrderId? order, OrderRefusal reason, Recorded<PoolEvent> recorded) =>
        reason is not OrderRefusal.StaleSession
        && !recorded.Stamp.Late
        && OutstandingImport is { Begun: false } outstanding && outstanding.Host == host && outstanding.Order == order
            ? this with { OutstandingImport = null }
            : this;

    Pool Scanned(PoolScanned e, Recorded<PoolEvent> recorded) =>
        Move is { } move && move.Awaits(e.Host, e.Order, MoveStep.ReadLabels) && !recorded.Stamp.Late && e.Label is not null ? this with { Move = move with { Label = e.Label, ForceAskedBy = recorded.Id } } : this;

    Pool Reissued(OrderReissued e) => this with
    {
        OutstandingImport = Move?.Steps is [.., { Step: MoveStep.Import or MoveStep.PutBack } step] && step.Order == e.Previous
            ? Outstands(e.Host, e.Order, e.Session, e.Boot)
            : OutstandingImport,
        Move = Move is { Steps: [.., var last] } move && last.Order == e.Previous
            ? move with { Steps = move.Steps.SetItem(move.Steps.Count - 1, last with { Order = e.Order, Session = e.Session, Attempt = last.Attempt + 1 }) }
            : Move,
    };

    /// <summary>
    /// The import that was ordered now. One that this host was told before, and that is not over, lives on in it: it may have begun, and it
    /// had the lower epoch.
    /// </summary>
    OutstandingImport Outstands(HostName host, OrderId order, SessionId session, BootId boot) =>
        OutstandingImport is { } earlier && earlier.Host == host && earlier.Boot == boot
            ? earlier with { Order = order, Session = session }
            : new(host, order, Epoch, session, boot, Begun: false);

    static Epoch Highest(Epoch one, Epoch other) => one > other ? one : other;

    Pool Doubted(OwnershipUnverified e) => this with
    {
        Awaited = Awaited.Union(e.Awaited),
        LostHolder = e is { Reason: Doubt.HostLost, Awaited: [var host] } && Loses(host) ? host : LostHolder,
        Fenced = e.Reason is Doubt.StillActive ? Fenced.RemoveRange(e.Awaited) : Fenced,
        Sightings = Sightings.SetItems(e.Awaited.Where(Sightings.ContainsKey).Select(h => KeyValuePair.Create(h, Doubted(Sightings[h], e.Reason)))),
    };

    /// <summary>Whether losing this host is losing the pool: it alone held it, and no failover from it has begun already.</summary>
    bool Loses(HostName host) =>
        Sightings.TryGetValue(host, out var last) && !last.Stale && last.Sight.IsHeld()
        && Holders().All(h => h == host) && LastHolder() == host
        && !(RunningMove() is { Kind: MoveKind.Failover } move && move.From == host);

    /// <summary>In doubt a pool is held: whoever still writes to its disks is taken for the last holder again.</summary>
    static Sighting Doubted(Sighting sighting, Doubt reason) => reason is Doubt.StillActive && !sighting.Sight.IsHeld()
        ? sighting with { Stale = true, Sight = sighting.Sight with { Presence = PoolPresence.Imported } }
        : sighting with { Stale = true };

    Pool Fence(HostName host, Recorded<PoolEvent> recorded) => this with
    {
        Fenced = Fenced.SetItem(host, recorded.Id),
        Awaited = Awaited.Remove(host),
        TypedImports = TypedImports.Remove(host),
        OutstandingImport = OutstandingImport?.Host == host ? null : OutstandingImport,
        Sightings = Sightings.TryGetValue(host, out var sighting)
            ? Sightings.SetItem(host, sighting with { Sight = sighting.Sight with { Presence = PoolPresence.Absent }, Stale = true, Event = recorded.Id })
            : Sightings,
        Move = RunningMove() is { } move && move.From == host ? move with { FencedBy = recorded.Id } : Move,
    };

    Pool Dealt(RequestId request) =>
        HasSeen(request) ? this : this with { Requests = (Requests.Count >= RequestsMax ? Requests.RemoveAt(0) : Requests).Add(request) };

    Pool EvolveMove(MoveEvent moveEvent, Recorded<PoolEvent> recorded)
    {
        if (moveEvent is MoveRequested asked) return Dealt(moveEvent.Id) with { Asked = asked };
        if (moveEvent is MoveRefused) return this;
        if (moveEvent is MoveStarted started) return this with { Move = Begin(started, recorded), LostHolder = null };
        if (Move is null || Move.Id != moveEvent.Id) return this;

        return moveEvent switch
        {
            MoveStepStarted e => this with
            {
                Move = Move with { Steps = Move.Steps.Add(new(e.Step, e.Host, e.Order, e.Session, 1, recorded.RecordedAt, null, null, 0, "")) },
                OutstandingImport = e is { Step: MoveStep.Import or MoveStep.PutBack, Host: { } host, Order: { } order, Session: { } session, Boot: { } boot }
                    ? Outstands(host, order, session, boot)
                    : OutstandingImport,
            },
            MoveStepDone e => this with { Move = EndStep(Move, recorded, done: true, e.ZpoolSeconds, e.Detail) },
            MoveStepFailed e => this with { Move = EndStep(Move, recorded, done: false, e.ZpoolSeconds, e.Detail) with { PutBackBecause = e.Step is MoveStep.Import ? e.Detail : Move.PutBackBecause } },
            MoveCompleted e => this with { Move = End(Move, MoveState.Completed, $"{e.Holder} holds the pool in epoch {e.Epoch}", recorded) },
            MoveAborted e => this with { Move = End(Move, MoveState.Aborted, $"{e.Reason}: {e.Detail}", recorded) },
            MoveHalted e => this with
            {
                Move = End(Move, MoveState.Halted, $"{e.Reason}: {e.Detail}", recorded),
                Halt = new($"{e.Reason}: {e.Detail}", e.Id, Epoch),
            },
            _ => throw new UnreachableException($"{moveEvent.GetType().Name} has no place in the fold."),
        };
    }

    Move Begin(MoveStarted e, Recorded<PoolEvent> recorded) => new()
    {
        Id = e.Id,
        Kind = e is SwitchoverStarted ? MoveKind.Switchover : MoveKind.Failover,
        From = e.From,
        To = e.To,
        RequestedBy = Asked?.RequestedBy ?? recorded.Stamp.Actor,
        Reason = Asked?.Reason,
        StartedAt = recorded.RecordedAt,
        FencedBy = e.From is { } from && Fenced.TryGetValue(from, out var evidence) ? evidence : null,
    };

    static Move EndStep(Move move, Recorded<PoolEvent> recorded, bool done, double zpoolSeconds, string detail) =>
        move.Steps is [.., var last]
            ? move with { Steps = move.Steps.SetItem(move.Steps.Count - 1, last with { EndedAt = recorded.RecordedAt, Done = done, ZpoolSeconds = zpoolSeconds, Detail = detail }) }
            : move;

    static Move End(Move move, MoveState state, string outcome, Recorded<PoolEvent> recorded) =>
        move with { State = state, EndedAt = recorded.RecordedAt, Outcome = outcome };
}
