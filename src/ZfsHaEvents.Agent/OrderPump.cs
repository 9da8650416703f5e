using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Store;
using ZfsHaEvents.Zfs;
using ZfsHaEvents.Zfs.Operations;
using Refusal = ZfsHaEvents.Zfs.Refusal;

namespace ZfsHaEvents.Agent;

/// <summary>
/// Takes orders off this host's queue and carries them out, each pool's one after the other, different pools' side by side. An
/// order's outcome goes onto the spool; telling it takes the order off the queue.
/// </summary>
sealed class OrderPump(HostEnvironment host, PoolOperations operations, EpochRecord epochs, Session session, Watcher watcher, IMessageQueue queue, Troubles troubles, TimeProvider time, ILogger log)
{
    /// <summary>So many pools are worked on at once. An import spends its time waiting, so this may exceed the processors.</summary>
    const int Parallel = 16;

    /// <summary>An order we took comes back after this if we die; as long as we live we keep extending it.</summary>
    static readonly TimeSpan Visibility = TimeSpan.FromSeconds(15);

    static readonly TimeSpan Extension = TimeSpan.FromSeconds(5);

    const string Part = "orders";

    static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    /// <summary>How long an orphan of ours, or a person, may keep a pool's host lock before an order gives up waiting for it.</summary>
    static readonly TimeSpan LockWait = TimeSpan.FromSeconds(60);

    readonly ConcurrentDictionary<Guid, ClaimedMessage> _taken = new();

    /// <summary>
    /// Orders that were begun here and had no outcome yet. A command of theirs may be running under the lock, and a refusal says that
    /// nothing is: of these only who has the lock can tell.
    /// </summary>
    readonly ConcurrentDictionary<OrderId, bool> _begun = new();

    /// <summary>Works until cancelled. Orders under way are not waited for: their children live on, under the host lock.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var extended = time.GetTimestamp();
        while (true)
        {
            try
            {
                if (time.GetElapsedTime(extended) >= Extension && !_taken.IsEmpty)
                {
                    await queue.ExtendAsync([.. _taken.Values], Visibility, cancellation);
                    extended = time.GetTimestamp();
                }

                var found = session.Current is not null && _taken.Count < Parallel && await TakeAsync(cancellation) > 0;
                troubles.Over(Part);
                if (found) continue;
                await queue.WaitAsync(Queues.Host(host.Name), session.Current is null ? TimeSpan.FromMilliseconds(50) : Poll, cancellation);
            }
            catch (Exception e) when (Troubles.Is(e))
            {
                if (!DatabaseOutage.Is(e)) troubles.Tell(Part, e); // An outage is reported by the session.
                await Task.Delay(Troubles.After(e), cancellation);
            }
        }
    }

    async Task<int> TakeAsync(CancellationToken cancellation)
    {
        var claimed = await queue.ClaimAsync(Queues.Host(host.Name), Parallel - _taken.Count, Visibility, cancellation);
        foreach (var message in claimed)
        {
            if (_taken.TryAdd(message.Id, message)) _ = Task.Run(() => HandleAsync(message, cancellation), CancellationToken.None);
            else _taken[message.Id] = message; // Given out again while we still work on it: ours is the newer attempt now.
        }

        return claimed.Count;
    }

    async Task HandleAsync(ClaimedMessage message, CancellationToken cancellation)
    {
        var taken = time.GetTimestamp();
        try
        {
            var envelope = BusMessage.Read(message.Json);
            if (envelope.Message is not IOrder order) throw new MalformedMessageException("it is a message of another kind");
            if (message.Id != BusMessage.RowId(Queues.Host(host.Name), Actors.Server, order.Header.Id.Value))
                throw new MalformedMessageException("its row is not one that the control plane makes: telling the outcome would not take it off the queue");
            using var trace = Continue(envelope.TraceParent);
            log.OrderTaken(order.Header.Id.Value, order.GetType().Name, order.Header.Pool.ToString(), order.Header.Epoch.ToString());
            var outcome = await CarryOutAsync(order, () => message.Now + time.GetElapsedTime(taken), cancellation);
            troubles.Over($"{Part} {message.Id}");
            if (outcome.Run is null or { Ended: true }) _begun.TryRemove(order.Header.Id, out _);
            log.OrderDone(order.Header.Id.Value, outcome.Failure is ZpoolFailure.None ? "so" : $"{outcome.Failure}: {outcome.Detail}");
        }
        catch (MalformedMessageException e)
        {
            log.NotAnOrder(message.Id, e.Message);
            await TryAsync(() => queue.DeadLetterAsync(message, "Malformed", e.Message, cancellation));
        }
        catch (Exception e) when (Troubles.IsHost(e))
        {
            // Nothing is known of the outcome; the order comes back, and looking will tell.
            if (troubles.IsNews($"{Part} {message.Id}", e.Message)) log.OrderPutOff(message.Id.ToString(), e.Message);
            await TryAsync(() => queue.RetryAsync(message, TimeSpan.FromSeconds(1), e.Message, cancellation));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            log.OrderFailed(e, message.Id); // A bug: it must not stop the other orders. This one comes back until its not-after time.
            await TryAsync(() => queue.RetryAsync(message, TimeSpan.FromSeconds(1), e.Message, cancellation));
        }
        catch (OperationCanceledException)
        {
            // We are stopping. The child, if there is one, goes on under the lock; the order comes back to whoever starts next.
        }
        finally
        {
            _taken.TryRemove(message.Id, out _);
        }
    }

    /// <summary>What is done and reported from here on belongs to the order's trace (W3C trace context).</summary>
    static Activity Continue(string? traceParent)
    {
        var activity = new Activity("zfsha.order");
        if (ActivityContext.TryParse(traceParent, null, out _)) activity.SetParentId(traceParent!);
        return activity.Start();
    }

    /// <param name="databaseNow">The database's clock, carried forward by our own since the order was taken.</param>
    async Task<OperationOutcome> CarryOutAsync(IOrder order, Func<DateTimeOffset> databaseNow, CancellationToken cancellation)
    {
        var header = order.Header;
        using var busy = watcher.LeaveAlone(header.Pool);
        var terms = new OperationTerms(header.Id.Value, Actors.Agent, header.Limit, LockWait)
        {
            Order = header.Id,
            BeforeLock = () => _begun.ContainsKey(header.Id) ? null : session.Judge(present => Standing(header, present, databaseNow())),
            Gate = () => Task.FromResult(Check(header, databaseNow())),
            ReportPatience = Timeout.InfiniteTimeSpan,
        };
        var outcome = order switch
        {
            ExportPool => await operations.ExportAsync(new(header.Pool, terms), cancellation),
            ImportPool import => await operations.ImportAsync(new(header.Pool, import.Force, import.Leaves, terms), cancellation),
            ReadLabels labels => await operations.ReadLabelsAsync(new(header.Pool, labels.Leaves, terms), cancellation),
            _ => throw new MalformedMessageException($"{order.GetType().Name} is not an order we know"),
        };
        if (order is not ReadLabels && (outcome.Sight.Presence is not PoolPresence.Unknown || outcome.Run is not null)) watcher.Reported(header.Pool, outcome.Sight);
        return outcome;
    }

    /// <summary>Whether the order still stands; if so its epoch is on disk when this returns.</summary>
    Refusal? Check(OrderHeader header, DateTimeOffset databaseNow) => session.Judge(present =>
    {
        if (Standing(header, present, databaseNow) is { } fallen) return fallen;
        if (!epochs.TryObey(header.Pool, header.Incarnation, header.Epoch, out var refusal)) return refusal;
        _begun[header.Id] = true;
        return null;
    });

    static Refusal? Standing(OrderHeader header, (SessionId Session, Incarnation Incarnation)? present, DateTimeOffset databaseNow)
    {
        if (present is not { } current || current.Session != header.Session)
            return new(OrderRefusal.StaleSession, $"the order is for session {header.Session}, the present one is {present?.Session.ToString() ?? "none"}");
        if (current.Incarnation != header.Incarnation)
            return new(OrderRefusal.ForeignIncarnation, $"the order belongs to incarnation {header.Incarnation}, the session to {current.Incarnation}");
        return databaseNow > header.NotAfter ? new(OrderRefusal.Expired, $"the order was not to be begun after {header.NotAfter:O}") : null;
    }

    async Task TryAsync(Func<Task> tell)
    {
        try
        {
            await tell();
        }
        catch (Exception e) when (Troubles.Is(e))
        {
            troubles.Tell(Part, e); // The message comes back by itself once its time is over.
        }
    }
}
