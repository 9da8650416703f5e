namespace ZfsHaEvents.Domain.Hosts;

/// <summary>What can happen to a host: the vocabulary of its stream, closed.</summary>
public abstract record HostEvent;

/// <summary>A host of this name reported for the first time.</summary>
public sealed record HostRegistered(HostName Host, ZfsHostId HostId) : HostEvent;

/// <summary>The host opened a session: from here on it obeys only orders made for this one.</summary>
/// <param name="Imported">The pools it has imported, as it sees them.</param>
/// <param name="AgentVersion">The version of the agent.</param>
public sealed record HostSessionOpened(
    HostName Host, SessionId Session, BootId Boot, ZfsHostId HostId, string AgentVersion, IReadOnlyList<PoolGuid> Imported) : HostEvent;

/// <summary>The host did not renew its lease in time. A reason to fence, never a proof that it is dead.</summary>
public sealed record HostLeaseLost(HostName Host, SessionId Session, DateTimeOffset LastRenewedAt, double LeaseSeconds) : HostEvent;

/// <summary>A pool was taken over from the host. Whatever it still believes to hold, it does not.</summary>
public sealed record HostEvicted(HostName Host, PoolGuid Pool, RequestId Request) : HostEvent;

/// <summary>A host that was lost or evicted opened a session again.</summary>
public sealed record HostReturned(HostName Host, SessionId Session, bool Rebooted, double AwaySeconds) : HostEvent;

/// <summary>An event of a stored type that this version does not know. Never stored.</summary>
public sealed record UnknownHostEvent(string StoredType) : HostEvent;
