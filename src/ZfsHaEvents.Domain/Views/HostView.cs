using ZfsHaEvents.Domain.Hosts;

namespace ZfsHaEvents.Domain.Views;

/// <summary>A host as its stream tells it; whether its lease is live now is the database's to say.</summary>
public sealed record HostView(
    HostName Name, HostStatus Status, ZfsHostId HostId, BootId Boot, SessionId Session, string AgentVersion, DateTimeOffset? SessionSince, DateTimeOffset? LostAt, long Version)
{
    public static HostView Of(Host host) =>
        new(host.Name, host.Status, host.HostId, host.Boot, host.Session, host.AgentVersion, host.SessionSince, host.LostAt, host.Version);
}
