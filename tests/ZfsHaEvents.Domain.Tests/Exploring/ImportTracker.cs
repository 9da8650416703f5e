using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests.Exploring;

/// <summary>
/// Which import orders may still take effect, reckoned from the messages alone and not from the pool's own opinion. Lenient: it
/// takes for ended whatever anybody could call ended, so that what it complains of is a fault by every reading of the rules.
/// </summary>
public sealed class ImportTracker
{
    readonly List<Open> _open = [];

    sealed record Open(OrderId Order, HostName Host, BootId Boot, bool Taken);

    /// <summary>The host has begun to look at the order: it is beyond recall.</summary>
    public void Taken(OrderId order) => Replace(o => o.Order == order, o => o with { Taken = true });

    /// <summary>What the message itself proves, before anything is decided on it.</summary>
    public void Learn(IPoolMessage message)
    {
        switch (message)
        {
            case HostReport { Order: { } order } report:
                Taken(order);
                foreach (var fact in report.Facts) Learn(fact, order, report.Host);
                break;
            case HostReconnected reconnected:
                // Nothing outlives a boot.
                _open.RemoveAll(o => o.Host == reconnected.Host && o.Boot != reconnected.Boot);
                break;
        }
    }

    void Learn(HostFact fact, OrderId order, HostName host)
    {
        switch (fact)
        {
            case HostFact.ImportEnded { Run: null or { Ended: true }, Sight.Presence: not PoolPresence.Unknown }:
                // The host lock lets one attempt run at a time: where this one ended no earlier one is left.
                _open.RemoveAll(o => o.Host == host && o.Order.Request() == order.Request());
                break;
            case HostFact.ExportEnded { Run: null or { Ended: true }, Sight.Presence: not PoolPresence.Unknown }:
                // Run under the same host lock, so no import that was begun is left either.
                _open.RemoveAll(o => o.Host == host && o.Taken);
                break;
            case HostFact.OrderRefused { Reason: not OrderRefusal.StaleSession }:
                _open.RemoveAll(o => o.Host == host && o.Order == order);
                break;
        }
    }

    /// <summary>What was decided, and whether it may be.</summary>
    public void Judge(Decision<PoolEvent> decision, DecisionContext context)
    {
        foreach (var recorded in decision.Events)
            if (recorded.Event is FencingConfirmed fenced) _open.RemoveAll(o => o.Host == fenced.Host);
        if (decision.VoidsOrders) _open.RemoveAll(o => !o.Taken);

        foreach (var (host, order) in Spec.OrdersIn(decision))
        {
            if (order is not ImportPool) continue;
            if (_open.Find(o => o.Host != host) is { } elsewhere)
                throw new FindingException($"{order.Header.Id} tells {host} to import while {elsewhere.Order} may still take effect on {elsewhere.Host}");
            _open.Add(new(order.Header.Id, host, context.Hosts[host].Boot, Taken: false));
        }
    }

    void Replace(Predicate<Open> which, Func<Open, Open> by)
    {
        for (var i = 0; i < _open.Count; i++)
            if (which(_open[i])) _open[i] = by(_open[i]);
    }
}
