using System.Diagnostics;
using System.Globalization;

namespace ZfsHaEvents.Domain.Pools;

/// <summary>
/// How a switchover or failover goes on: which step follows which outcome. Every path ends in completed, aborted or halted,
/// and no path orders an import while another host may still carry one out (<see cref="Pool.OutstandingImport"/>).
/// </summary>
static class Moving
{
    /// <summary>How often an order is issued in all before the move halts.</summary>
    const int AttemptsMax = 8;

    /// <summary>Tells a host to carry out a step. Should no report come in the time it may take, the step is overdue.</summary>
    public static void Order(this PoolChange change, MoveStep step, HostName host)
    {
        var move = change.Running();
        if (change.Context.Alive(host) is not { } standing)
        {
            change.Halt(change.Lost(host), $"{host} does not answer; {step} was not ordered");
            return;
        }

        var order = change.OrderFor(move, step, host, standing, attempt: 1);
        change.Record(MoveEventOf.StepStarted(move, step, order.Header.Id, standing));
        change.Send(order, host, step);
    }

    /// <summary>Issues the awaited order once more, for the present session of its host.</summary>
    public static void Reissue(this PoolChange change, string reason)
    {
        var (move, step) = change.RunningStep();
        var host = step.Host!.Value;
        if (change.Context.Alive(host) is not { } standing)
        {
            change.StepFailed(ZpoolFailure.Other, 0, $"{reason}; the lease of {host} is not live");
            change.Halt(change.Lost(host), reason);
            return;
        }

        if (step.Attempt >= AttemptsMax)
        {
            change.StepFailed(ZpoolFailure.Other, 0, $"{reason}; not issued again after {step.Attempt} attempts");
            change.Halt(MoveEnd.ReissuedTooOften, $"{reason}; the order was issued {step.Attempt} times");
            return;
        }

        if (step.Step is MoveStep.Import or MoveStep.PutBack && change.HeldOutside(host) is { } elsewhere)
        {
            change.StepFailed(ZpoolFailure.ActiveElsewhere, 0, elsewhere);
            change.Halt(MoveEnd.HeldElsewhere, $"{elsewhere}; {host} was not told again to import");
            return;
        }

        if (step.Step is MoveStep.Import && Takeover.ForceForbidden(change) is { } why)
        {
            change.StepFailed(ZpoolFailure.ForceRequired, 0, why);
            change.Halt(MoveEnd.ForceNotPermitted, why);
            return;
        }

        var order = change.OrderFor(move, step.Step, host, standing, step.Attempt + 1);
        change.Record(new OrderReissued(order.Header.Id, step.Order!.Value, host, standing.Session, standing.Boot, reason));
        change.Send(order, host, step.Step);
    }

    /// <summary>Gives the pool to the target: the claim changes, and with it the epoch, and the target is told to import.</summary>
    public static void GiveToTarget(this PoolChange change)
    {
        var move = change.Running();
        if (change.HeldOutside(move.To) is { } elsewhere)
        {
            change.Halt(MoveEnd.HeldElsewhere, $"{elsewhere}; nothing was imported on {move.To}");
            return;
        }

        if (change.Context.Alive(move.To) is null && move.Kind is MoveKind.Switchover)
        {
            if (change.Pool.OutstandingImport is { } outstanding)
            {
                change.Halt(MoveEnd.TargetLost, $"the lease of {move.To} was lost, and an earlier import there ({outstanding.Order}) may still take effect");
                return;
            }

            change.PutBack(MoveEnd.TargetLost, $"the lease of {move.To} was lost before it was told to import");
            return;
        }

        change.Claim(move.To, move.Kind is MoveKind.Switchover ? ClaimBasis.Switchover : ClaimBasis.Takeover);
        change.OrderImport(MoveStep.Import, move.To);
    }

    /// <summary>
    /// After the target failed and has shown that it does not hold the pool: back to where it came from. Never while the
    /// target may still import; the fold clears the outstanding import only on its proof.
    /// </summary>
    public static void PutBack(this PoolChange change, MoveEnd reason, string because)
    {
        var move = change.Running();
        Invariant.Holds(change.Pool.OutstandingImport is null, "a pool is put back only after the target has shown that its import is over");

        if (move.From is not { } from)
        {
            change.Release();
            change.Abort(reason, because, holder: null);
            return;
        }

        if (change.Context.Alive(from) is null)
        {
            change.Halt(MoveEnd.SourceLost, $"{because}; {from} has not answered since, so the pool cannot be put back there");
            return;
        }

        if (change.HeldOutside(from) is { } elsewhere)
        {
            change.Halt(MoveEnd.HeldElsewhere, $"{because}; {elsewhere}, so it was not put back on {from}");
            return;
        }

        change.Claim(from, ClaimBasis.PutBack);
        change.OrderImport(MoveStep.PutBack, from);
    }

    public static void StepDone(this PoolChange change, double zpoolSeconds, string detail)
    {
        var (move, step) = change.RunningStep();
        change.Record(MoveEventOf.StepDone(move, step.Step, change.Since(step.StartedAt), zpoolSeconds, detail));
    }

    public static void StepFailed(this PoolChange change, ZpoolFailure failure, double zpoolSeconds, string detail)
    {
        var (move, step) = change.RunningStep();
        change.Record(MoveEventOf.StepFailed(move, step.Step, change.Since(step.StartedAt), zpoolSeconds, failure, detail));
    }

    public static void Complete(this PoolChange change)
    {
        var move = change.Running();
        change.Record(MoveEventOf.Completed(move, change.Pool.Epoch, change.Since(move.StartedAt)));
    }

    public static void Abort(this PoolChange change, MoveEnd reason, string detail, HostName? holder, string actor = Actors.Server)
    {
        var move = change.Running();
        change.Record(MoveEventOf.Aborted(move, reason, detail, holder, change.Since(move.StartedAt)), actor);
    }

    public static void Halt(this PoolChange change, MoveEnd reason, string detail)
    {
        var move = change.Running();
        change.Record(MoveEventOf.Halted(move, reason, detail, change.Since(move.StartedAt)));
    }

    /// <summary>The claim changes hands; undelivered older orders are void from here on.</summary>
    public static void Claim(this PoolChange change, HostName host, ClaimBasis basis)
    {
        change.Release();
        change.Record(new OwnershipClaimed(host, change.Pool.Epoch.Next(), basis));
    }

    public static void Release(this PoolChange change)
    {
        if (change.Pool.Claimant is { } claimant) change.Record(new OwnershipReleased(claimant, change.Pool.Epoch));
    }

    /// <summary>How losing this host ends the move.</summary>
    public static MoveEnd Lost(this PoolChange change, HostName host) => change.Running().To == host ? MoveEnd.TargetLost : MoveEnd.SourceLost;

    /// <summary>Who else is seen to hold the pool, or to be importing it by hand, in a sentence; null when nobody is.</summary>
    static string? HeldOutside(this PoolChange change, HostName host)
    {
        var others = change.Pool.Holders().Where(h => h != host).ToList();
        if (others.Count > 0) return $"{string.Join(" and ", others)} {(others.Count == 1 ? "has" : "have")} the pool imported read-write";
        return change.Pool.TypedImports.FirstOrDefault(t => t.Key != host) is { Value: { } typed, Key: var typedOn } ? $"{typed.By} began to import the pool on {typedOn}" : null;
    }

    static void OrderImport(this PoolChange change, MoveStep step, HostName host)
    {
        Invariant.Holds(
            change.Pool.OutstandingImport is not { } outstanding || outstanding.Host == host,
            "no import is ordered while another host may still carry one out");
        change.Order(step, host);
    }

    static IOrder OrderFor(this PoolChange change, Move move, MoveStep step, HostName host, HostStanding standing, int attempt)
    {
        var (pool, context) = (change.Pool, change.Context);
        var limit = step switch
        {
            MoveStep.Export => context.Times.Export,
            MoveStep.ReadLabels => context.Times.ReadLabels,
            MoveStep.Import or MoveStep.PutBack => context.Times.Import,
            MoveStep.Fence or _ => throw new UnreachableException($"No order carries out {step}."),
        };
        var id = new OrderId(string.Create(CultureInfo.InvariantCulture, $"{move.Id}/{pool.Id}/{step}/{attempt}"));
        var header = new OrderHeader(id, move.Id, pool.Id, context.Incarnation, pool.Epoch, standing.Session, context.Now + context.Times.Start, limit);
        return step switch
        {
            MoveStep.Export => new ExportPool(header),
            MoveStep.ReadLabels => new ReadLabels(header, pool.Leaves()),
            MoveStep.Import => new ImportPool(header, change.ProofFor(move, standing), pool.Leaves()),
            MoveStep.PutBack or MoveStep.Fence or _ => new ImportPool(header, Force: null, pool.Leaves()),
        };
    }

    /// <summary>
    /// The proof that permits <c>import -f</c>; null when the label does not ask for force. That it is complete was judged
    /// when the labels came in (<see cref="Takeover"/>); the importer judges it once more from the disks.
    /// </summary>
    static ForceProof? ProofFor(this PoolChange change, Move move, HostStanding target) =>
        move is { Kind: MoveKind.Failover, Label: { State: LabelState.Active } label, ForceAskedBy: { } askedBy } && label.HostId != target.HostId
            ? new(askedBy, move.FencedBy, label.HostId)
            : null;

    static void Send(this PoolChange change, IOrder order, HostName host, MoveStep step)
    {
        var id = order.Header.Id;
        change.Send(Queues.Host(host), id.Value, order);
        change.Send(
            Queues.Server, $"{id}/overdue", new StepOverdue(change.Pool.Id, id, step),
            delay: change.Context.Times.OverdueAfter(order.Header.Limit));
    }

    static double Since(this PoolChange change, DateTimeOffset start) => Math.Max(0, (change.Context.Now - start).TotalSeconds);

    static Move Running(this PoolChange change)
    {
        var move = change.Pool.RunningMove();
        Invariant.Holds(move is not null, "a step of a move is decided only while the move runs");
        return move;
    }

    static (Move Move, StepTaken Step) RunningStep(this PoolChange change)
    {
        var move = change.Running();
        var step = move.Step();
        Invariant.Holds(step is not null, "a step ends only while it is under way");
        return (move, step);
    }
}
