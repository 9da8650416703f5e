using ZfsHaEvents.Domain.Hosts;

namespace ZfsHaEvents.Domain.Pools;

/// <summary>What a move does next, given how its awaited order went: judged by what was seen, never by an exit code.</summary>
static class StepOutcome
{
    public static void Exported(PoolChange change, HostFact.ExportEnded outcome)
    {
        var move = change.Pool.RunningMove()!;
        if (outcome.Run is { Ended: false })
        {
            change.StepFailed(outcome.Failure, outcome.ZpoolSeconds, Describe(outcome.Run));
            change.Halt(MoveEnd.ExportUnknown, $"zpool export on {move.From} has not ended and cannot be killed; it may still take effect");
            return;
        }

        if (outcome.Sight.IsImported())
        {
            change.StepFailed(outcome.Failure, outcome.ZpoolSeconds, Describe(outcome.Run));
            change.Abort(MoveEnd.ExportRefused, $"{outcome.Failure}: {Describe(outcome.Run)}", holder: move.From);
            return;
        }

        if (outcome.Sight.Presence is PoolPresence.Unknown)
        {
            change.StepFailed(outcome.Failure, outcome.ZpoolSeconds, Describe(outcome.Run));
            change.Halt(MoveEnd.ExportUnknown, $"{move.From} cannot tell whether it still has the pool: {Describe(outcome.Run)}");
            return;
        }

        change.StepDone(outcome.ZpoolSeconds, outcome.Run is null ? "was exported already" : "exported");
        change.GiveToTarget();
    }

    public static void Imported(PoolChange change, HostFact.ImportEnded outcome)
    {
        var move = change.Pool.RunningMove()!;
        var step = move.Step()!;
        if (outcome.Sight.IsHeld() && outcome.Sight.Health is PoolHealth.Suspended)
        {
            change.StepFailed(ZpoolFailure.Suspended, outcome.ZpoolSeconds, "imported, and its I/O is suspended");
            change.Halt(MoveEnd.PoolSuspended, $"{step.Host} has the pool imported and cannot write to it; reboot {step.Host} before the pool is imported elsewhere");
            return;
        }

        if (outcome.Sight.IsHeld())
        {
            change.StepDone(outcome.ZpoolSeconds, outcome.Run is null ? "was imported already" : "imported");
            if (step.Step is MoveStep.PutBack) change.Abort(MoveEnd.ImportRefused, $"{move.PutBackBecause}; put back on {move.From}", holder: move.From);
            else change.Complete();
            return;
        }

        var detail = $"{outcome.Failure}: {Describe(outcome.Run)}";
        change.StepFailed(outcome.Failure, outcome.ZpoolSeconds, detail);
        if (outcome.Run is { Ended: false } || outcome.Sight.IsImported() || outcome.Sight.Presence is PoolPresence.Unknown)
        {
            change.Halt(MoveEnd.ImportUnknown, $"zpool import on {step.Host} left the pool in doubt: {detail}");
            return;
        }

        NotImported(change, move, step, outcome.Failure, detail);
    }

    /// <summary>The target has shown that its import is over and the pool absent there.</summary>
    static void NotImported(PoolChange change, Move move, StepTaken step, ZpoolFailure failure, string detail)
    {
        if (step.Step is MoveStep.PutBack)
        {
            change.Release();
            change.Halt(MoveEnd.PutBackFailed, $"{move.PutBackBecause}; and {move.From} could not import it again: {detail}");
            return;
        }

        if (failure is ZpoolFailure.ActiveElsewhere)
        {
            // Somebody writes to the disks. Whoever it is, nobody else is told to import.
            if (move is { Kind: MoveKind.Failover, From: { } from }) change.Record(new OwnershipUnverified(Doubt.StillActive, [from]));
            change.Release();
            change.Halt(move.Kind is MoveKind.Failover ? MoveEnd.HolderStillActive : MoveEnd.HeldElsewhere, detail);
            return;
        }

        if (move.Kind is MoveKind.Switchover)
        {
            var advice = failure is ZpoolFailure.ForceRequired && move.From is null ? " If the host named there is up, it imports the pool without force: ask for a switchover to that host first." : "";
            change.PutBack(MoveEnd.ImportRefused, detail + advice);
            return;
        }

        change.Release();
        change.Halt(failure is ZpoolFailure.ForceRequired or ZpoolFailure.MmpNotOnDisk ? MoveEnd.ForceNotPermitted : MoveEnd.TakeoverFailed, detail);
    }

    public static void OrderRefused(PoolChange change, HostFact.OrderRefused refusal)
    {
        var move = change.Pool.RunningMove()!;
        if (refusal.Reason is OrderRefusal.StaleSession or OrderRefusal.Expired)
        {
            change.Reissue($"{move.Step()!.Host} refused the order: {refusal.Reason}");
            return;
        }

        change.StepFailed(ZpoolFailure.Other, 0, $"{refusal.Reason}: {refusal.Detail}");
        change.Halt(MoveEnd.OrderRefused, $"{move.Steps[^1].Host}: {refusal.Reason}: {refusal.Detail}");
    }

    /// <summary>Whoever has the host lock may be importing or exporting this very pool: an orphan of our own, or a person.</summary>
    public static void LockTimedOut(PoolChange change, HostFact.LockTimedOut fact)
    {
        var step = change.Pool.RunningMove()!.Step()!;
        change.StepFailed(ZpoolFailure.LockTimedOut, 0, $"the host lock is held by {fact.Holder}");
        change.Halt(
            step.Step is MoveStep.Export ? MoveEnd.ExportUnknown : MoveEnd.ImportUnknown,
            $"the pool's lock on {step.Host} was not to be had in {fact.WaitedSeconds:0.0} s: it is held by {fact.Holder}");
    }

    static string Describe(ZpoolRun? run) => run switch
    {
        null => "nothing was run",
        { Ended: false } => $"still running after {run.Seconds:0.0} s",
        { Stderr.Length: > 0 } => run.Stderr.Trim(),
        { ExitCode: { } code } => $"exit {code} without a word",
        _ => "ended by a signal",
    };
}
