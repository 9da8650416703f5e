namespace ZfsHaEvents.Domain.Tests;

/// <summary>The hosts as their leases show them: what a decision is told besides the stream.</summary>
public sealed class Cluster
{
    public static readonly Incarnation ThisHistory = new(Derived.Uuid("this history"));

    readonly SortedDictionary<HostName, HostStanding> _hosts = [];
    readonly Dictionary<HostName, int> _sessions = [];

    public Cluster(params IEnumerable<HostName> hosts)
    {
        foreach (var host in hosts) Open(host, BootOf(host, 1));
    }

    public IReadOnlyDictionary<HostName, HostStanding> Hosts => _hosts;

    public HostStanding this[HostName host] => _hosts[host];

    public static BootId BootOf(HostName host, int number) => new(Derived.Uuid($"boot {number} of {host}"));

    public static ZfsHostId HostIdOf(HostName host) => new(0x00ab0000u + host.Value[0]);

    /// <summary>The host's lease ran out.</summary>
    public void Lose(HostName host) => _hosts[host] = _hosts[host] with { Alive = false };

    /// <summary>The agent started anew: a new session in the same boot.</summary>
    public HostStanding Restart(HostName host) => Open(host, _hosts[host].Boot);

    /// <summary>The host booted: a new session in a new boot.</summary>
    public HostStanding Reboot(HostName host) => Open(host, BootOf(host, Sessions(host) + 1));

    int Sessions(HostName host) => _sessions.GetValueOrDefault(host);

    HostStanding Open(HostName host, BootId boot)
    {
        var number = _sessions[host] = Sessions(host) + 1;
        return _hosts[host] = new(host, new SessionId(Derived.Uuid($"session {number} of {host}")), boot, HostIdOf(host), Alive: true);
    }

    public DecisionContext Context(string messageId, DateTimeOffset now) =>
        new(messageId, now, ThisHistory, new Dictionary<HostName, HostStanding>(_hosts), OrderTimes.Default);
}
