using System.Text.Json.Serialization;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Alerts;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Domain.Views;

namespace ZfsHaEvents.Server;

/// <summary>An event's metadata, in the flat <c>headers</c> object.</summary>
/// <param name="Late">Present and true for what came after newer news of its host.</param>
/// <param name="Trace">W3C trace context.</param>
public sealed record EventHeaders(
    [property: JsonPropertyName("host")] HostName? Host,
    [property: JsonPropertyName("boot")] BootId? Boot,
    [property: JsonPropertyName("sequence")] long? Sequence,
    [property: JsonPropertyName("late")] bool? Late,
    [property: JsonPropertyName("traceparent")] string? Trace);

/// <summary>What a lease's holder said of itself.</summary>
public sealed record LeaseAttributes(BootId Boot, ZfsHostId HostId);

/// <summary>
/// The stored format: System.Text.Json's defaults and nothing else, so that any program with the types can read it. Every
/// converter stands on the types themselves.
/// </summary>
[JsonSerializable(typeof(EventHeaders))]
[JsonSerializable(typeof(LeaseAttributes))]
[JsonSerializable(typeof(PoolOwnership))]
[JsonSerializable(typeof(Dossier))]
[JsonSerializable(typeof(Alert))]
[JsonSerializable(typeof(HostView))]
[JsonSerializable(typeof(PoolActivity))]
[JsonSerializable(typeof(PoolDiscovered))]
[JsonSerializable(typeof(PoolRenamed))]
[JsonSerializable(typeof(PoolScanned))]
[JsonSerializable(typeof(DisksWatched))]
[JsonSerializable(typeof(PoolLockAcquired))]
[JsonSerializable(typeof(PoolLockReleased))]
[JsonSerializable(typeof(PoolLockTimedOut))]
[JsonSerializable(typeof(PoolLockBroken))]
[JsonSerializable(typeof(ImportStarted))]
[JsonSerializable(typeof(ImportSucceeded))]
[JsonSerializable(typeof(ImportRefused))]
[JsonSerializable(typeof(ImportFailed))]
[JsonSerializable(typeof(ExportStarted))]
[JsonSerializable(typeof(ExportSucceeded))]
[JsonSerializable(typeof(ExportRefused))]
[JsonSerializable(typeof(ExportFailed))]
[JsonSerializable(typeof(PoolObserved))]
[JsonSerializable(typeof(PoolHealthChanged))]
[JsonSerializable(typeof(OrderRefused))]
[JsonSerializable(typeof(OrderReissued))]
[JsonSerializable(typeof(ImportRuledOut))]
[JsonSerializable(typeof(OwnershipClaimed))]
[JsonSerializable(typeof(OwnershipReleased))]
[JsonSerializable(typeof(OwnershipUnverified))]
[JsonSerializable(typeof(OwnershipVerified))]
[JsonSerializable(typeof(OwnershipDisputed))]
[JsonSerializable(typeof(ConflictDetected))]
[JsonSerializable(typeof(ConflictCleared))]
[JsonSerializable(typeof(PolicySet))]
[JsonSerializable(typeof(CallOffRequested))]
[JsonSerializable(typeof(FencingConfirmed))]
[JsonSerializable(typeof(RequestRefused))]
[JsonSerializable(typeof(PoolHalted))]
[JsonSerializable(typeof(HaltAcknowledged))]
[JsonSerializable(typeof(AlertAcknowledged))]
[JsonSerializable(typeof(SwitchoverRequested))]
[JsonSerializable(typeof(SwitchoverRefused))]
[JsonSerializable(typeof(SwitchoverStarted))]
[JsonSerializable(typeof(SwitchoverStepStarted))]
[JsonSerializable(typeof(SwitchoverStepDone))]
[JsonSerializable(typeof(SwitchoverStepFailed))]
[JsonSerializable(typeof(SwitchoverCompleted))]
[JsonSerializable(typeof(SwitchoverAborted))]
[JsonSerializable(typeof(SwitchoverHalted))]
[JsonSerializable(typeof(FailoverRequested))]
[JsonSerializable(typeof(FailoverRefused))]
[JsonSerializable(typeof(FailoverStarted))]
[JsonSerializable(typeof(FailoverStepStarted))]
[JsonSerializable(typeof(FailoverStepDone))]
[JsonSerializable(typeof(FailoverStepFailed))]
[JsonSerializable(typeof(FailoverCompleted))]
[JsonSerializable(typeof(FailoverAborted))]
[JsonSerializable(typeof(FailoverHalted))]
[JsonSerializable(typeof(HostRegistered))]
[JsonSerializable(typeof(HostSessionOpened))]
[JsonSerializable(typeof(HostLeaseLost))]
[JsonSerializable(typeof(HostEvicted))]
[JsonSerializable(typeof(HostReturned))]
public sealed partial class StoredJson : JsonSerializerContext;
