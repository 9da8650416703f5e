using System.Text.Json;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Server;

/// <summary>
/// The one table of stored event names, and the bridge between the domain's records and the store's JSON. The names are frozen:
/// a changed shape is <c>{alias}_v2</c> with an upcaster. They follow Marten's alias rule, and are unique across streams.
/// </summary>
public static class Codec
{
    static readonly (string Alias, Type Type)[] Table =
    [
        ("pool_discovered", typeof(PoolDiscovered)),
        ("pool_renamed", typeof(PoolRenamed)),
        ("pool_scanned", typeof(PoolScanned)),
        ("pool_lock_acquired", typeof(PoolLockAcquired)),
        ("pool_lock_released", typeof(PoolLockReleased)),
        ("pool_lock_timed_out", typeof(PoolLockTimedOut)),
        ("pool_lock_broken", typeof(PoolLockBroken)),
        ("import_started", typeof(ImportStarted)),
        ("import_succeeded", typeof(ImportSucceeded)),
        ("import_refused", typeof(ImportRefused)),
        ("import_failed", typeof(ImportFailed)),
        ("export_started", typeof(ExportStarted)),
        ("export_succeeded", typeof(ExportSucceeded)),
        ("export_refused", typeof(ExportRefused)),
        ("export_failed", typeof(ExportFailed)),
        ("pool_observed", typeof(PoolObserved)),
        ("pool_health_changed", typeof(PoolHealthChanged)),
        ("order_refused", typeof(OrderRefused)),
        ("order_reissued", typeof(OrderReissued)),
        ("import_ruled_out", typeof(ImportRuledOut)),
        ("ownership_claimed", typeof(OwnershipClaimed)),
        ("ownership_released", typeof(OwnershipReleased)),
        ("ownership_unverified", typeof(OwnershipUnverified)),
        ("ownership_verified", typeof(OwnershipVerified)),
        ("ownership_disputed", typeof(OwnershipDisputed)),
        ("conflict_detected", typeof(ConflictDetected)),
        ("conflict_cleared", typeof(ConflictCleared)),
        ("policy_set", typeof(PolicySet)),
        ("call_off_requested", typeof(CallOffRequested)),
        ("fencing_confirmed", typeof(FencingConfirmed)),
        ("request_refused", typeof(RequestRefused)),
        ("pool_halted", typeof(PoolHalted)),
        ("halt_acknowledged", typeof(HaltAcknowledged)),
        ("alert_acknowledged", typeof(AlertAcknowledged)),
        ("switchover_requested", typeof(SwitchoverRequested)),
        ("switchover_refused", typeof(SwitchoverRefused)),
        ("switchover_started", typeof(SwitchoverStarted)),
        ("switchover_step_started", typeof(SwitchoverStepStarted)),
        ("switchover_step_done", typeof(SwitchoverStepDone)),
        ("switchover_step_failed", typeof(SwitchoverStepFailed)),
        ("switchover_completed", typeof(SwitchoverCompleted)),
        ("switchover_aborted", typeof(SwitchoverAborted)),
        ("switchover_halted", typeof(SwitchoverHalted)),
        ("failover_requested", typeof(FailoverRequested)),
        ("failover_refused", typeof(FailoverRefused)),
        ("failover_started", typeof(FailoverStarted)),
        ("failover_step_started", typeof(FailoverStepStarted)),
        ("failover_step_done", typeof(FailoverStepDone)),
        ("failover_step_failed", typeof(FailoverStepFailed)),
        ("failover_completed", typeof(FailoverCompleted)),
        ("failover_aborted", typeof(FailoverAborted)),
        ("failover_halted", typeof(FailoverHalted)),
        ("host_registered", typeof(HostRegistered)),
        ("host_session_opened", typeof(HostSessionOpened)),
        ("host_lease_lost", typeof(HostLeaseLost)),
        ("host_evicted", typeof(HostEvicted)),
        ("host_returned", typeof(HostReturned)),
    ];

    static readonly Dictionary<string, Type> ByAlias = Table.ToDictionary(t => t.Alias, t => t.Type, StringComparer.Ordinal);
    static readonly Dictionary<Type, string> ByType = Table.ToDictionary(t => t.Type, t => t.Alias);

    /// <summary>
    /// Bodies are written with System.Text.Json's defaults and read more strictly: by default a body that lacks members, or has them in
    /// camelCase, is read as half an event without any error, and the fold trips over it.
    /// </summary>
    static readonly StoredJson Strict = new(new JsonSerializerOptions { RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true });

    /// <summary>Every stored event type.</summary>
    public static IEnumerable<(string Alias, Type Type)> All => Table;

    /// <summary>Whether an alias is one of ours.</summary>
    public static bool Knows(string alias) => ByAlias.ContainsKey(alias);

    /// <summary>The stored names of these types.</summary>
    public static string[] AliasesOf(IReadOnlyList<Type> types) => [.. types.Select(t => ByType[t])];

    /// <summary>The event as it is stored.</summary>
    /// <param name="trace">The W3C trace context it belongs to.</param>
    public static NewEvent Write<TEvent>(Recorded<TEvent> recorded, string? correlation, string? trace) where TEvent : notnull
    {
        var type = recorded.Event.GetType();
        var stamp = recorded.Stamp;
        var headers = new EventHeaders(stamp.Host, stamp.Boot, stamp.Sequence, stamp.Late ? true : null, trace);
        return new(
            recorded.Id.Value, ByType[type], $"{type.FullName}, {type.Assembly.GetName().Name}",
            JsonSerializer.Serialize(recorded.Event, StoredJson.Default.GetTypeInfo(type)!),
            JsonSerializer.Serialize(headers, StoredJson.Default.EventHeaders), stamp.ObservedAt, stamp.Actor, correlation);
    }

    /// <summary>A stored event of a pool; of a type unknown to this version, an <see cref="UnknownEvent"/>.</summary>
    public static Recorded<PoolEvent> ReadPoolEvent(StoredEvent stored) => Read<PoolEvent>(stored, alias => new UnknownEvent(alias));

    /// <summary>A stored event of a host; of a type unknown to this version, an <see cref="UnknownHostEvent"/>.</summary>
    public static Recorded<HostEvent> ReadHostEvent(StoredEvent stored) => Read<HostEvent>(stored, alias => new UnknownHostEvent(alias));

    static Recorded<TEvent> Read<TEvent>(StoredEvent stored, Func<string, TEvent> unknown) where TEvent : class
    {
        var headers = HeadersOf(stored);
        var stamp = new Stamp(stored.ObservedAt, headers?.Host, headers?.Boot, headers?.Sequence, stored.Actor ?? "", headers?.Late is true);
        return new(new(stored.Id), stored.Version, stored.RecordedAt, stamp, headers is null ? unknown(stored.Type) : Body(stored, unknown));
    }

    /// <summary>An event's metadata; null when a foreign writer uses our names for something else.</summary>
    public static EventHeaders? HeadersOf(StoredEvent stored)
    {
        try
        {
            return JsonSerializer.Deserialize(stored.HeadersJson, StoredJson.Default.EventHeaders) ?? new(null, null, null, null, null);
        }
        catch (JsonException)
        {
            return null; // It must not keep the rest of the stream from being read.
        }
    }

    static TEvent Body<TEvent>(StoredEvent stored, Func<string, TEvent> unknown) where TEvent : class
    {
        if (!ByAlias.TryGetValue(stored.Type, out var type)) return unknown(stored.Type);
        try
        {
            return JsonSerializer.Deserialize(stored.Json, Strict.GetTypeInfo(type)!) as TEvent ?? unknown(stored.Type);
        }
        catch (JsonException)
        {
            return unknown(stored.Type); // A foreign writer's body under our name: we cannot read it, so it is unknown to us.
        }
    }
}
