using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace ZfsHaEvents.Domain.Pools;

/// <summary>
/// A pool as its stream tells it: what was decided (the claim and its epoch), what each host saw last, and the switchover or
/// failover under way. The stream is the consistency boundary: every order about the pool is decided here.
/// </summary>
public sealed partial record Pool
{
    /// <summary>How many request ids are remembered, so that asking again is noticed after the request ended.</summary>
    public const int RequestsMax = 256;

    public required PoolGuid Id { get; init; }

    /// <summary>The number of events folded; 0 for a pool nobody has heard of.</summary>
    public long Version { get; init; }

    public PoolName? Name { get; init; }

    public PoolPolicy Policy { get; init; } = PoolPolicy.Default;

    /// <summary>The host that may hold the pool; null when none may.</summary>
    public HostName? Claimant { get; init; }

    /// <summary>The highest epoch ever given out.</summary>
    public Epoch Epoch { get; init; }

    /// <summary>What each host saw last.</summary>
    public ImmutableSortedDictionary<HostName, Sighting> Sightings { get; init; } = ImmutableSortedDictionary<HostName, Sighting>.Empty;

    /// <summary>The pool as the host that had it imported last described it; null when nobody ever did.</summary>
    public PoolMake? Make { get; init; }

    /// <summary>Hosts that told late of an import by a typed command: that they have the pool now is no surprise.</summary>
    public ImmutableSortedSet<HostName> ToldLate { get; init; } = [];

    /// <summary>Imports by a typed command that have begun and, as far as told, not ended.</summary>
    public ImmutableSortedDictionary<HostName, TypedImport> TypedImports { get; init; } = ImmutableSortedDictionary<HostName, TypedImport>.Empty;

    /// <summary>
    /// The import order that may still take effect. As long as it stands no other host is told to import; it ends when its
    /// host shows that its child is gone and the pool absent (or held), or when that host is fenced. Never by time-out.
    /// </summary>
    public OutstandingImport? OutstandingImport { get; init; }

    /// <summary>Hosts that a person vouched for as unable to write and that have not reported since, with the event that says so.</summary>
    public ImmutableSortedDictionary<HostName, EventId> Fenced { get; init; } = ImmutableSortedDictionary<HostName, EventId>.Empty;

    /// <summary>Hosts whose word is missing before ownership is certain again; empty when it is.</summary>
    public ImmutableSortedSet<HostName> Awaited { get; init; } = [];

    /// <summary>
    /// The one host that held the pool when it was lost; null once a move has begun since, somebody else was seen holding the pool, or the host has
    /// spoken for itself. A policy that says so owes the pool a failover from it.
    /// </summary>
    public HostName? LostHolder { get; init; }

    /// <summary>The hosts that hold the pool at once; empty when there is no conflict.</summary>
    public ImmutableSortedSet<HostName> Conflict { get; init; } = [];

    /// <summary>The request that asked for a switchover or failover last.</summary>
    public MoveRequested? Asked { get; init; }

    /// <summary>The last switchover or failover, running or ended.</summary>
    public Move? Move { get; init; }

    /// <summary>Why the pool takes no orders until somebody acknowledges it; null when it does.</summary>
    public Halt? Halt { get; init; }

    /// <summary>Other histories that hosts have reported for this pool: each halts it once.</summary>
    public ImmutableHashSet<Incarnation> KnownIncarnations { get; init; } = [];

    /// <summary>The requests dealt with, oldest first.</summary>
    public ImmutableList<RequestId> Requests { get; init; } = [];

    /// <summary>The first event of the stream that this version cannot read; null when it can read them all.</summary>
    public UnknownEntry? FirstUnknown { get; init; }

    /// <summary>The stream holds events that this version cannot read.</summary>
    public bool UnknownHistory => FirstUnknown is not null;

    /// <summary>The running move, if one is.</summary>
    public Move? RunningMove() => Move is { State: MoveState.Running } ? Move : null;

    public bool HasSeen(RequestId request) => Requests.Contains(request);

    /// <summary>The hosts that have the pool imported read-write, going by what they say and are believed to still be so.</summary>
    public IEnumerable<HostName> Holders() => Sightings.Where(s => s.Value.Holds()).Select(s => s.Key);

    /// <summary>The one host that holds the pool; null when none does, or several do.</summary>
    public HostName? Holder()
    {
        var holders = Holders().Take(2).ToList();
        return holders.Count == 1 ? holders[0] : null;
    }

    /// <summary>
    /// The host that a failover takes the pool from: who holds it, or else who was seen holding it when it was lost, or else
    /// who has the claim.
    /// </summary>
    public HostName? LastHolder()
    {
        if (Holder() is { } holder) return holder;
        var stale = Sightings.Where(s => s.Value.Stale && s.Value.Sight.IsHeld()).Select(s => s.Key).Take(2).ToList();
        return stale.Count == 1 ? stale[0] : Claimant;
    }

    /// <summary>Whether multihost was on when somebody last saw the pool imported; null when nobody could tell.</summary>
    public bool? Multihost() => Make?.Multihost;

    /// <summary>The leaf devices when somebody last saw the pool imported; empty when nobody could tell.</summary>
    public IReadOnlyList<string> Leaves() => Make?.Leaves ?? [];
}

/// <summary>
/// What belongs to the pool and not to a host, as far as it was read from the pool while it was imported: what a host remembers of its own time with
/// the pool says nothing of what others changed since.
/// </summary>
/// <param name="Multihost">The <c>multihost</c> property; null when nobody could read it.</param>
/// <param name="Leaves">The leaf vdevs' device paths; empty when nobody could read them.</param>
public sealed record PoolMake(bool? Multihost, IReadOnlyList<string> Leaves)
{
    public static readonly PoolMake Unknown = new(null, []);

    /// <summary>With what a later sight of the imported pool shows.</summary>
    public PoolMake With(PoolSight sight) => new(sight.Multihost ?? Multihost, sight.Leaves.Count > 0 ? sight.Leaves : Leaves);
}

/// <summary>What a host saw of the pool, and how old that is.</summary>
/// <param name="Event">The event that says so: evidence.</param>
/// <param name="Stale">The host has been lost since, or the pool taken over from it.</param>
public sealed record Sighting(PoolSight Sight, BootId Boot, long Sequence, DateTimeOffset ObservedAt, EventId Event, bool Stale)
{
    /// <summary>The host is believed to have the pool imported read-write and to be able to write.</summary>
    public bool Holds() => !Stale && Sight.IsHeld() && Sight.Health != PoolHealth.Suspended;

    /// <summary>The host is known not to have the pool imported read-write.</summary>
    public bool IsAbsent() => !Stale && !Sight.IsHeld() && Sight.Presence != PoolPresence.Unknown;
}

/// <summary>An import order that may still take effect.</summary>
/// <param name="Session">The session it is for; a host carries it out in no other.</param>
/// <param name="Boot">The boot it is for.</param>
/// <param name="Begun">The host has said that it began this order, or the one that this one stands for: a later refusal does not unsay that.</param>
public sealed record OutstandingImport(HostName Host, OrderId Order, Epoch Epoch, SessionId Session, BootId Boot, bool Begun)
{
    /// <summary>
    /// The number of the host's report that its child had not ended and could not be killed; null when there was none. That the pool is held then ends
    /// nothing: somebody else may have imported it there, and once it is exported the child imports it again.
    /// </summary>
    [JsonIgnore]
    public long? UnendedSince { get; init; }
}

/// <summary>An import by a typed command.</summary>
public sealed record TypedImport(string By, BootId Boot, long Sequence);

/// <summary>An event of a pool's stream that this version cannot read.</summary>
/// <param name="StoredType">The name that it is stored under.</param>
/// <param name="Version">Its place in the stream, from 1.</param>
public sealed record UnknownEntry(string StoredType, long Version);

/// <summary>The pool takes no orders.</summary>
/// <param name="Move">The move that halted; null when it was something else.</param>
/// <param name="Epoch">The epoch to go on from once acknowledged.</param>
public sealed record Halt(string Reason, RequestId? Move, Epoch Epoch);

/// <summary>Where a move stands.</summary>
[JsonConverter(typeof(NameConverter<MoveState>))]
public enum MoveState
{
    Running,
    Completed,
    Aborted,
    Halted,
}

/// <summary>One switchover or failover, from its start.</summary>
public sealed record Move
{
    public required RequestId Id { get; init; }

    public required MoveKind Kind { get; init; }

    public MoveState State { get; init; }

    /// <summary>The holder at the start; null when there was none.</summary>
    public required HostName? From { get; init; }

    public required HostName To { get; init; }

    public required string RequestedBy { get; init; }

    public required string? Reason { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>How it ended, in a sentence; null while it runs.</summary>
    public string? Outcome { get; init; }

    /// <summary>Every step begun so far; the last one is the present one.</summary>
    public ImmutableList<StepTaken> Steps { get; init; } = [];

    /// <summary>The event with the fencing evidence.</summary>
    public EventId? FencedBy { get; init; }

    /// <summary>The event that shows force is needed, and the hostid the label carried.</summary>
    public EventId? ForceAskedBy { get; init; }

    /// <summary>What the target read from the disks.</summary>
    public PoolLabel? Label { get; init; }

    /// <summary>Why the target could not import, kept while the pool is put back.</summary>
    public string? PutBackBecause { get; init; }

    /// <summary>The step under way; null between the last step's end and the move's.</summary>
    public StepTaken? Step() => Steps is [.., { EndedAt: null } last] ? last : null;

    /// <summary>Whether the outcome of this order is what the move waits for.</summary>
    public bool Awaits(OrderId? order) => State == MoveState.Running && order is not null && Step()?.Order == order;

    /// <summary>Whether the outcome of this order, from this host, is what the move waits for, and the order is for one of these steps.</summary>
    public bool Awaits(HostName host, OrderId? order, params ReadOnlySpan<MoveStep> steps) => Awaits(order) && Steps[^1].Host == host && steps.Contains(Steps[^1].Step);
}

/// <summary>A step of a move.</summary>
/// <param name="Host">Who carries it out; null for a step that waits for a person.</param>
/// <param name="Session">The session that its order is for.</param>
/// <param name="Attempt">1, and one more each time the order was issued anew.</param>
public sealed record StepTaken(
    MoveStep Step, HostName? Host, OrderId? Order, SessionId? Session, int Attempt, DateTimeOffset StartedAt, DateTimeOffset? EndedAt,
    bool? Done, double ZpoolSeconds, string Detail);
