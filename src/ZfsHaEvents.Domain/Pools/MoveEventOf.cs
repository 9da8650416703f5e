namespace ZfsHaEvents.Domain.Pools;

/// <summary>The events of a move, each in the words of its kind.</summary>
static class MoveEventOf
{
    public static MoveRequested Requested(MoveKind kind, RequestId id, HostName? to, string by, string? reason) => kind is MoveKind.Switchover
        ? new SwitchoverRequested(id, to, by, reason)
        : new FailoverRequested(id, to, by, reason);

    public static MoveRefused Refused(MoveKind kind, RequestId id, Refusal reason, string detail) => kind is MoveKind.Switchover
        ? new SwitchoverRefused(id, reason, detail)
        : new FailoverRefused(id, reason, detail);

    public static MoveStarted Started(MoveKind kind, RequestId id, HostName? from, HostName to, Epoch epoch) => kind is MoveKind.Switchover
        ? new SwitchoverStarted(id, from, to, epoch)
        : new FailoverStarted(id, from, to, epoch);

    public static MoveStepStarted StepStarted(Move move, MoveStep step, OrderId order, HostStanding host) => move.Kind is MoveKind.Switchover
        ? new SwitchoverStepStarted(move.Id, step, host.Name, order, host.Session, host.Boot)
        : new FailoverStepStarted(move.Id, step, host.Name, order, host.Session, host.Boot);

    public static MoveStepDone StepDone(Move move, MoveStep step, double seconds, double zpoolSeconds, string detail) => move.Kind is MoveKind.Switchover
        ? new SwitchoverStepDone(move.Id, step, seconds, zpoolSeconds, detail)
        : new FailoverStepDone(move.Id, step, seconds, zpoolSeconds, detail);

    public static MoveStepFailed StepFailed(Move move, MoveStep step, double seconds, double zpoolSeconds, ZpoolFailure failure, string detail) =>
        move.Kind is MoveKind.Switchover
            ? new SwitchoverStepFailed(move.Id, step, seconds, zpoolSeconds, failure, detail)
            : new FailoverStepFailed(move.Id, step, seconds, zpoolSeconds, failure, detail);

    public static MoveCompleted Completed(Move move, Epoch epoch, double seconds) => move.Kind is MoveKind.Switchover
        ? new SwitchoverCompleted(move.Id, move.To, epoch, seconds)
        : new FailoverCompleted(move.Id, move.To, epoch, seconds);

    public static MoveAborted Aborted(Move move, MoveEnd reason, string detail, HostName? holder, double seconds) => move.Kind is MoveKind.Switchover
        ? new SwitchoverAborted(move.Id, reason, detail, holder, seconds)
        : new FailoverAborted(move.Id, reason, detail, holder, seconds);

    public static MoveHalted Halted(Move move, MoveEnd reason, string detail, double seconds) => move.Kind is MoveKind.Switchover
        ? new SwitchoverHalted(move.Id, reason, detail, seconds)
        : new FailoverHalted(move.Id, reason, detail, seconds);
}
