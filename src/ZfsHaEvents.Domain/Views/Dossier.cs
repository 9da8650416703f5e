using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Views;

/// <summary>The record of one switchover or failover: trigger, evidence, each step with its duration, outcome.</summary>
/// <param name="FencedBy">The event with the fencing evidence.</param>
/// <param name="ForceAskedBy">The event that shows force was needed.</param>
/// <param name="Label">What the target read from the disks before it imported.</param>
/// <param name="Seconds">From start to end, by the database's clock; null while it runs.</param>
/// <param name="ZpoolSeconds">Of it, inside external commands on the hosts.</param>
public sealed record Dossier(
    RequestId Id, MoveKind Kind, PoolGuid Pool, PoolName? PoolName, MoveState State, HostName? From, HostName To, string RequestedBy, string? Reason,
    DateTimeOffset StartedAt, DateTimeOffset? EndedAt, double? Seconds, double ZpoolSeconds, string? Outcome, EventId? FencedBy, EventId? ForceAskedBy,
    PoolLabel? Label, IReadOnlyList<DossierStep> Steps)
{
    /// <summary>The dossier of the pool's last move; null when there was none.</summary>
    public static Dossier? Of(Pool pool) => pool.Move is not { } move ? null : new(
        move.Id, move.Kind, pool.Id, pool.Name, move.State, move.From, move.To, move.RequestedBy, move.Reason, move.StartedAt, move.EndedAt,
        (move.EndedAt - move.StartedAt)?.TotalSeconds, move.Steps.Sum(s => s.ZpoolSeconds), move.Outcome, move.FencedBy, move.ForceAskedBy, move.Label,
        [.. move.Steps.Select(s => new DossierStep(
            s.Step, s.Host, s.Order, s.Attempt, s.StartedAt, s.EndedAt, (s.EndedAt - s.StartedAt)?.TotalSeconds, s.ZpoolSeconds, s.Done, s.Detail))]);
}

/// <summary>One step of a move.</summary>
/// <param name="Done">Null while it is under way.</param>
public sealed record DossierStep(
    MoveStep Step, HostName? Host, OrderId? Order, int Attempt, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, double? Seconds, double ZpoolSeconds, bool? Done, string Detail);
