namespace ZfsHaEvents.Domain.Pools;

/// <summary>
/// A decision in the making: the events so far, the pool as they leave it, and the messages to send. Folding as it goes lets
/// the next line see what the last one did; from outside a decision stays a pure function.
/// </summary>
sealed class PoolChange(Pool pool, DecisionContext context)
{
    readonly List<Recorded<PoolEvent>> _events = [];
    readonly List<Outgoing> _messages = [];

    /// <summary>The pool with everything recorded so far.</summary>
    public Pool Pool { get; private set; } = pool;

    public DecisionContext Context { get; } = context;

    /// <summary>Records what is decided here.</summary>
    public EventId Record(PoolEvent poolEvent, string actor = Actors.Server) => Record(poolEvent, Context.Decided(actor));

    /// <summary>Records what a host saw or did.</summary>
    public EventId Record(PoolEvent poolEvent, Stamp stamp)
    {
        var recorded = new Recorded<PoolEvent>(EventId.Of(Pool.Id.ToString(), Context.MessageId, _events.Count), Pool.Version + 1, Context.Now, stamp, poolEvent);
        _events.Add(recorded);
        Pool = Pool.Evolve(recorded);
        return recorded.Id;
    }

    public void Send(string queue, string id, object message, TimeSpan? delay = null) =>
        _messages.Add(new(queue, id, message, Pool.Id.ToString(), delay));

    /// <summary>Sends a message about a host rather than about this pool.</summary>
    public void SendAbout(HostName host, string id, object message) => _messages.Add(new(Queues.Server, id, message, Queues.Host(host)));

    /// <summary>Whether this decision has recorded such an event.</summary>
    public bool Has<TEvent>(Func<TEvent, bool> predicate) where TEvent : PoolEvent => _events.Exists(e => e.Event is TEvent found && predicate(found));

    public Decision<PoolEvent> Done() => new(_events, _messages, VoidsOrders: _events.Exists(e => e.Event is OwnershipClaimed));
}
