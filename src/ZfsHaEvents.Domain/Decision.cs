using ZfsHaEvents.Domain.Alerts;

namespace ZfsHaEvents.Domain;

/// <summary>What a decision may know besides the stream: read with it, in one statement of the database.</summary>
/// <param name="MessageId">The message decided on. Event ids derive from it.</param>
/// <param name="Now">The database's clock.</param>
/// <param name="Incarnation">This history.</param>
/// <param name="Hosts">Every registered host and whether its lease is live.</param>
/// <param name="Times">How long orders may wait and take.</param>
public sealed record DecisionContext(
    string MessageId, DateTimeOffset Now, Incarnation Incarnation, IReadOnlyDictionary<HostName, HostStanding> Hosts, OrderTimes Times)
{
    /// <summary>The alerts that the stream has raised so far.</summary>
    public AlertBook Alerts { get; init; } = AlertBook.Empty;

    /// <summary>The host, if it is registered and its lease is live.</summary>
    public HostStanding? Alive(HostName host) => Hosts.TryGetValue(host, out var standing) && standing.Alive ? standing : null;

    /// <summary>The stamp of what is decided here.</summary>
    public Stamp Decided(string actor = Actors.Server) => new(Now, null, null, null, actor, Late: false);
}

/// <summary>A host as its lease shows it.</summary>
/// <param name="Alive">The lease was renewed in time, by the database's clock.</param>
public sealed record HostStanding(HostName Name, SessionId Session, BootId Boot, ZfsHostId HostId, bool Alive);

/// <summary>Bounds on orders.</summary>
/// <param name="Start">A host begins an order within this time or not at all.</param>
/// <param name="Export">Time limit of <c>zpool export</c>.</param>
/// <param name="Import">Time limit of <c>zpool import</c>; an activity check with OpenZFS's defaults takes 35 to 40 s of it.</param>
/// <param name="ReadLabels">Time limit of <c>zdb -lu</c>.</param>
/// <param name="Grace">Past start and limit, how much longer a report may be under way before a reminder falls due; and from there until the step counts as overdue.</param>
public sealed record OrderTimes(TimeSpan Start, TimeSpan Export, TimeSpan Import, TimeSpan ReadLabels, TimeSpan Grace)
{
    public static readonly OrderTimes Default = new(
        Start: TimeSpan.FromSeconds(30), Export: TimeSpan.FromSeconds(60), Import: TimeSpan.FromSeconds(180),
        ReadLabels: TimeSpan.FromSeconds(15), Grace: TimeSpan.FromSeconds(10));

    /// <summary>How long after its order was issued a step counts as overdue.</summary>
    public TimeSpan OverdueAfter(TimeSpan limit) => Start + limit + Grace;
}

/// <summary>Names of actors that are not persons.</summary>
public static class Actors
{
    /// <summary>The control plane.</summary>
    public const string Server = "zfsha-server";

    /// <summary>The daemon on a storage host.</summary>
    public const string Agent = "zfsha-agent";
}

/// <summary>A message to be sent when the decision commits.</summary>
/// <param name="Queue">The queue it goes to; see <see cref="Queues"/>.</param>
/// <param name="Id">Its identity, derived, so that sending it twice is seen.</param>
/// <param name="Message">The message record.</param>
/// <param name="Subject">What it is about; messages on one subject are handled in order.</param>
/// <param name="Delay">How long after the commit it falls due; null for at once.</param>
public sealed record Outgoing(string Queue, string Id, object Message, string Subject, TimeSpan? Delay = null);

/// <summary>Names of the queues.</summary>
public static class Queues
{
    /// <summary>Requests and reports to the control plane.</summary>
    public const string Server = "server";

    /// <summary>What the name of every host's queue begins with.</summary>
    public const string HostPrefix = "host-";

    /// <summary>Orders to one host.</summary>
    public static string Host(HostName host) => HostPrefix + host.Value;
}

/// <summary>What a message leads to: events to be appended and messages to be sent, in one transaction. Nothing else.</summary>
/// <param name="VoidsOrders">The claim changed: orders about this pool that no host has taken yet are void.</param>
public sealed record Decision<TEvent>(IReadOnlyList<Recorded<TEvent>> Events, IReadOnlyList<Outgoing> Messages, bool VoidsOrders = false)
{
    /// <summary>Nothing follows: it was so already, or somebody else saw to it.</summary>
    public bool IsNothing() => Events.Count == 0 && Messages.Count == 0;
}
