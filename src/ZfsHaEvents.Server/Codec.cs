using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Server;

/// <summary>
/// The one table of stored event names: the product's <see cref="EventCatalog"/>. The names are frozen: a changed shape gets an upcaster from the older
/// one, which makes it <c>{alias}_v2</c>. They follow Marten's alias rule, and are unique across streams.
/// </summary>
public static class Codec
{
    /// <summary>Every event type of the domain.</summary>
    public static readonly EventCatalog Catalog = new(
    [
        new("pool_discovered", typeof(PoolDiscovered)),
        new("pool_renamed", typeof(PoolRenamed)),
        new("pool_scanned", typeof(PoolScanned)),
        new("disks_watched", typeof(DisksWatched)),
        new("pool_lock_acquired", typeof(PoolLockAcquired)),
        new("pool_lock_released", typeof(PoolLockReleased)),
        new("pool_lock_timed_out", typeof(PoolLockTimedOut)),
        new("pool_lock_broken", typeof(PoolLockBroken)),
        new("import_started", typeof(ImportStarted)),
        new("import_succeeded", typeof(ImportSucceeded)),
        new("import_refused", typeof(ImportRefused)),
        new("import_failed", typeof(ImportFailed)),
        new("export_started", typeof(ExportStarted)),
        new("export_succeeded", typeof(ExportSucceeded)),
        new("export_refused", typeof(ExportRefused)),
        new("export_failed", typeof(ExportFailed)),
        new("pool_observed", typeof(PoolObserved)),
        new("pool_health_changed", typeof(PoolHealthChanged)),
        new("order_refused", typeof(OrderRefused)),
        new("order_reissued", typeof(OrderReissued)),
        new("import_ruled_out", typeof(ImportRuledOut)),
        new("ownership_claimed", typeof(OwnershipClaimed)),
        new("ownership_released", typeof(OwnershipReleased)),
        new("ownership_unverified", typeof(OwnershipUnverified)),
        new("ownership_verified", typeof(OwnershipVerified)),
        new("ownership_disputed", typeof(OwnershipDisputed)),
        new("conflict_detected", typeof(ConflictDetected)),
        new("conflict_cleared", typeof(ConflictCleared)),
        new("policy_set", typeof(PolicySet)),
        new("call_off_requested", typeof(CallOffRequested)),
        new("fencing_confirmed", typeof(FencingConfirmed)),
        new("request_refused", typeof(RequestRefused)),
        new("pool_halted", typeof(PoolHalted)),
        new("halt_acknowledged", typeof(HaltAcknowledged)),
        new("alert_acknowledged", typeof(AlertAcknowledged)),
        new("switchover_requested", typeof(SwitchoverRequested)),
        new("switchover_refused", typeof(SwitchoverRefused)),
        new("switchover_started", typeof(SwitchoverStarted)),
        new("switchover_step_started", typeof(SwitchoverStepStarted)),
        new("switchover_step_done", typeof(SwitchoverStepDone)),
        new("switchover_step_failed", typeof(SwitchoverStepFailed)),
        new("switchover_completed", typeof(SwitchoverCompleted)),
        new("switchover_aborted", typeof(SwitchoverAborted)),
        new("switchover_halted", typeof(SwitchoverHalted)),
        new("failover_requested", typeof(FailoverRequested)),
        new("failover_refused", typeof(FailoverRefused)),
        new("failover_started", typeof(FailoverStarted)),
        new("failover_step_started", typeof(FailoverStepStarted)),
        new("failover_step_done", typeof(FailoverStepDone)),
        new("failover_step_failed", typeof(FailoverStepFailed)),
        new("failover_completed", typeof(FailoverCompleted)),
        new("failover_aborted", typeof(FailoverAborted)),
        new("failover_halted", typeof(FailoverHalted)),
        new("host_registered", typeof(HostRegistered)),
        new("host_session_opened", typeof(HostSessionOpened)),
        new("host_lease_lost", typeof(HostLeaseLost)),
        new("host_evicted", typeof(HostEvicted)),
        new("host_returned", typeof(HostReturned)),
    ]);

    /// <inheritdoc cref="EventCatalog.Write"/>
    public static NewEvent Write<TEvent>(Recorded<TEvent> recorded, string? correlation, string? trace) where TEvent : notnull => Catalog.Write(recorded, correlation, trace);

    /// <inheritdoc cref="EventCatalog.ReadPoolEvent"/>
    public static Recorded<PoolEvent> ReadPoolEvent(StoredEvent stored) => Catalog.ReadPoolEvent(stored);

    /// <inheritdoc cref="EventCatalog.ReadHostEvent"/>
    public static Recorded<HostEvent> ReadHostEvent(StoredEvent stored) => Catalog.ReadHostEvent(stored);
}
