using System.Text.Json;
using ZfsHaEvents.Domain.Alerts;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests;

/// <summary>An event that happened before the story begins, with its stamp; by default the one such an event would have.</summary>
public sealed record Past(PoolEvent Event, Stamp? Stamp = null)
{
    public static implicit operator Past(PoolEvent poolEvent) => new(poolEvent);
}

/// <summary>
/// The specification of a decision: <c>Given(events).When(message).Then(names of events)</c>. A test class derives from it, and xunit
/// makes a new one for each test, so every story begins with three live hosts and a pool nobody has heard of.
/// </summary>
public abstract partial class Spec
{
    public static readonly PoolGuid Tank = new(9_001);
    public static readonly PoolName TankName = new("tank");
    public static readonly HostName A = new("a");
    public static readonly HostName B = new("b");
    public static readonly HostName C = new("c");

    readonly Dictionary<IPoolMessage, string> _ids = new(ReferenceEqualityComparer.Instance);
    IPoolMessage? _last;
    DecisionContext? _lastContext;

    public Cluster Cluster { get; } = new(A, B, C);

    /// <summary>The database's clock: one second later with each message.</summary>
    public DateTimeOffset Now { get; private set; } = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public Pool Pool { get; private set; } = Pool.Initial(Tank);

    public AlertBook Alerts { get; private set; } = AlertBook.Empty;

    public List<Recorded<PoolEvent>> History { get; } = [];

    public Decision<PoolEvent> Decided { get; private set; } = new([], []);

    public Spec Given(params IEnumerable<Past> events)
    {
        foreach (var (happened, stamp) in events)
        {
            Now += TimeSpan.FromSeconds(1);
            Append(new(EventId.Of("", "given", History.Count), Pool.Version + 1, Now, stamp ?? StampOf(happened), happened));
        }

        return this;
    }

    public Spec When(IPoolMessage message, DecisionContext? context = null)
    {
        Now += TimeSpan.FromSeconds(1);
        _last = message;
        _lastContext = (context ?? Cluster.Context(IdOf(message), Now)) with { Alerts = Alerts };
        Decided = message.Decide(Pool, _lastContext);
        foreach (var recorded in Decided.Events) Append(recorded);
        return this;
    }

    /// <summary>The last message is delivered once more, on the pool as it stands by now.</summary>
    public Spec WhenAgain() => When(_last!);

    /// <summary>Exactly these events, by their names, parted by spaces; none for "nothing was recorded".</summary>
    public Spec Then(string events)
    {
        string.Join(' ', Decided.Events.Select(e => e.Event.GetType().Name)).ShouldBe(events, Describe(History));
        return this;
    }

    /// <summary>Nothing is recorded and nobody is told anything.</summary>
    public Spec ThenNothing()
    {
        Then("");
        Decided.Messages.ShouldBeEmpty();
        return this;
    }

    /// <summary>The one event of its kind in the last decision.</summary>
    public TEvent Event<TEvent>() where TEvent : PoolEvent =>
        Decided.Events.Select(e => e.Event).OfType<TEvent>().ShouldHaveSingleItem($"one {typeof(TEvent).Name} was expected");

    public Recorded<PoolEvent> Recorded<TEvent>() where TEvent : PoolEvent => History.Last(e => e.Event is TEvent);

    public int Count<TEvent>() where TEvent : PoolEvent => History.Count(e => e.Event is TEvent);

    /// <summary>The orders of the last decision, with the hosts they go to.</summary>
    public IReadOnlyList<(HostName Host, IOrder Order)> Orders => OrdersIn(Decided);

    public static IReadOnlyList<(HostName Host, IOrder Order)> OrdersIn(Decision<PoolEvent> decision) =>
        [.. decision.Messages.Where(m => m.Message is IOrder).Select(m => (new HostName(m.Queue[Queues.HostPrefix.Length..]), (IOrder)m.Message))];

    /// <summary>The one order of the last decision, which is of this kind and goes to this host.</summary>
    public TOrder OrderTo<TOrder>(HostName host) where TOrder : IOrder
    {
        var (to, order) = Orders.ShouldHaveSingleItem(Describe(History));
        to.ShouldBe(host);
        return order.ShouldBeOfType<TOrder>();
    }

    public Spec ThenNoOrders()
    {
        Orders.ShouldBeEmpty(Describe(History));
        return this;
    }

    /// <summary>The history as a person reads it.</summary>
    public static string Describe(IEnumerable<Recorded<PoolEvent>> history) => string.Join('\n', history.Select(e =>
        $"{e.Version,4} {e.Event.GetType().Name}{(e.Stamp.Late ? " (late)" : "")} {JsonSerializer.Serialize<object>(e.Event)}"));

    string IdOf(IPoolMessage message)
    {
        if (_ids.TryGetValue(message, out var id)) return id;
        return _ids[message] = message is IRequest request ? $"test#{request.Id}" : $"test#{_ids.Count}";
    }

    void Append(Recorded<PoolEvent> recorded)
    {
        recorded.Version.ShouldBe(Pool.Version + 1);
        History.Add(recorded);
        Pool = Pool.Evolve(recorded);
        Alerts = Alerts.Evolve(recorded, Pool);
    }

    Stamp StampOf(PoolEvent happened) => happened switch
    {
        IHostDeed deed => Seen(deed.Host),
        PoolObserved observed => Seen(observed.Host),
        _ => new(Now, null, null, null, Actors.Server, Late: false),
    };

    Stamp Seen(HostName host) => new(Now, host, Cluster[host].Boot, NextSequence(), Actors.Agent, Late: false);
}
