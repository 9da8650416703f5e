using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.Json.Serialization;

namespace ZfsHaEvents.Domain.Hosts;

/// <summary>How a host stands with the control plane.</summary>
[JsonConverter(typeof(NameConverter<HostStatus>))]
public enum HostStatus
{
    /// <summary>Never heard of.</summary>
    Unknown,

    /// <summary>In session.</summary>
    Live,

    /// <summary>Its lease was lost.</summary>
    Lost,

    /// <summary>Lost, and at least one pool has been taken over from it.</summary>
    Evicted,
}

/// <summary>A host as its stream tells it.</summary>
public sealed record Host
{
    public required HostName Name { get; init; }

    public long Version { get; init; }

    public HostStatus Status { get; init; }

    public ZfsHostId HostId { get; init; }

    public SessionId Session { get; init; }

    public BootId Boot { get; init; }

    public string AgentVersion { get; init; } = "";

    /// <summary>When the session was opened, by the database's clock.</summary>
    public DateTimeOffset? SessionSince { get; init; }

    /// <summary>When the lease was found lost, by the database's clock.</summary>
    public DateTimeOffset? LostAt { get; init; }

    /// <summary>The takeovers from this host since it was lost.</summary>
    public ImmutableHashSet<(PoolGuid Pool, RequestId Request)> Evictions { get; init; } = [];

    public static Host Initial(HostName name) => new() { Name = name };

    public Host Evolve(Recorded<HostEvent> recorded)
    {
        var next = this with { Version = recorded.Version };
        return recorded.Event switch
        {
            HostRegistered e => next with { HostId = e.HostId },
            HostSessionOpened e => next with
            {
                Status = HostStatus.Live,
                Session = e.Session,
                Boot = e.Boot,
                HostId = e.HostId,
                AgentVersion = e.AgentVersion,
                SessionSince = recorded.RecordedAt,
                LostAt = null,
                Evictions = [],
            },
            HostLeaseLost => next with { Status = HostStatus.Lost, LostAt = recorded.RecordedAt },
            HostEvicted e => next with { Status = HostStatus.Evicted, Evictions = Evictions.Add((e.Pool, e.Request)) },
            HostReturned or UnknownHostEvent => next,
            _ => throw new UnreachableException($"{recorded.Event.GetType().Name} has no place in the fold."),
        };
    }
}
