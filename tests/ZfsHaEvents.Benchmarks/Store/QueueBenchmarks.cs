using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Benchmarks.Store;

/// <summary>How fast messages get onto a queue, through it, and how soon one that comes to an idle queue is in its handler's hands.</summary>
static class QueueBenchmarks
{
    /// <summary>Messages are about so many pools; those of one pool are handled one after the other.</summary>
    const int Subjects = 400;

    /// <summary>How many messages the producer may be ahead of the handler, and how many the handler takes at once.</summary>
    const int AheadMax = 512, ClaimMax = 64;

    const int LatencyWarm = 50, LatencyCounted = 500;

    static readonly TimeSpan Visibility = TimeSpan.FromSeconds(30), Poll = TimeSpan.FromMilliseconds(250), Idle = TimeSpan.FromMilliseconds(20);

    public static async Task<IReadOnlyList<Measured>> RunAsync(CancellationToken cancellation)
    {
        await using var database = await StoreDatabase.StartAsync(cancellation);
        var floor = await Floor.OnAsync(database, cancellation);

        // Two data sources with wake-ups of their own, as two processes have.
        var (producing, handling) = (database.Open(), database.Open());
        await using var producersWakeUps = new WakeUps(producing);
        await using var handlersWakeUps = new WakeUps(handling);
        var (producer, handler) = (new PostgresMessageQueue(producing, producersWakeUps), new PostgresMessageQueue(handling, handlersWakeUps));
        var store = new PostgresEventStore(handling, handlersWakeUps);

        async Task<Load> EmptyAfterAsync(Task<Load> load)
        {
            var measured = await load;
            await database.ExecuteAsync("truncate zfsha.messages", cancellation);
            return measured;
        }

        async Task<int> EnqueueAsync(int client, int round)
        {
            await producer.SendAsync([Samples.Message("enqueue", Subject(client * Floor.StreamsPerClient + round))], completes: null, cancellation);
            return 1;
        }

        var enqueue = new Contender("queue: enqueue, one in a commit", time => EmptyAfterAsync(Load.RunAsync(database, Floor.Clients, time, EnqueueAsync, cancellation)))
        {
            Target = 0.6,
            Unit = "messages/s",
        };
        Contender Through(string what, Func<ClaimedMessage, Task> complete, double? target) =>
            new(what, time => EmptyAfterAsync(ThroughAsync(database, producer, handler, complete, time, cancellation))) { Target = target, Unit = "messages/s", IsOneStatement = false };
        var through = Through("queue: end to end, one in a commit, completed by the queue", message => handler.SendAsync([], message.Id, cancellation), 0.40);
        var decided = Through("queue: end to end, one in a commit, completed by an empty decision", DecideAsync, target: null);

        async Task DecideAsync(ClaimedMessage message)
        {
            var result = await store.CommitAsync(new("none", "none", 0, message.Now, null) { Handled = new(message.Id, message.Attempts, message.Id.ToString()) }, cancellation);
            if (result is not CommitResult.Committed) throw new InvalidOperationException($"a message that was taken a moment ago was answered with {result}");
        }

        return
        [
            .. await Contender.CompareAsync(database, floor, [enqueue, through, decided], cancellation),
            .. await LatencyAsync(producer, handler, cancellation),
        ];
    }

    static string Subject(int number) => string.Create(CultureInfo.InvariantCulture, $"{9001 + number % Subjects}");

    /// <summary>Eight connections produce one in a commit, at most so far ahead; the handler takes many at once and completes them on eight connections.</summary>
    static async Task<Load> ThroughAsync(
        StoreDatabase database, PostgresMessageQueue producer, PostgresMessageQueue handler, Func<ClaimedMessage, Task> complete, TimeSpan time, CancellationToken cancellation)
    {
        const string Queue = "through";
        using var ahead = new SemaphoreSlim(AheadMax);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var producers = Enumerable.Range(0, Floor.Clients).Select(client => Task.Run(async () =>
        {
            for (var round = 0; !stop.IsCancellationRequested; round++)
            {
                if (!await ahead.WaitAsync(Poll, cancellation)) continue;
                await producer.SendAsync([Samples.Message(Queue, Subject(client * Floor.StreamsPerClient + round))], completes: null, cancellation);
            }
        }, cancellation)).ToList();

        var load = await Load.RunAsync(database, clients: 1, time, async (_, _) =>
        {
            var claimed = await handler.ClaimAsync(Queue, ClaimMax, Visibility, cancellation);
            if (claimed.Count == 0) await handler.WaitAsync(Queue, Poll, cancellation);
            await Parallel.ForEachAsync(claimed, new ParallelOptions { MaxDegreeOfParallelism = Floor.Clients, CancellationToken = cancellation }, async (message, _) =>
            {
                await complete(message);
                ahead.Release();
            });
            return claimed.Count;
        }, cancellation);
        await stop.CancelAsync();
        await Task.WhenAll(producers);
        return load;
    }

    /// <summary>From just before a message is sent to an idle queue until the handler has it.</summary>
    static async Task<IReadOnlyList<Measured>> LatencyAsync(PostgresMessageQueue producer, PostgresMessageQueue handler, CancellationToken cancellation)
    {
        const string Queue = "idle";
        var sent = new ConcurrentDictionary<Guid, long>();
        var milliseconds = new List<double>();
        var handled = Task.Run(async () =>
        {
            while (milliseconds.Count < LatencyWarm + LatencyCounted)
            {
                var claimed = await handler.ClaimAsync(Queue, 4, Visibility, cancellation);
                milliseconds.AddRange(claimed.Select(m => Stopwatch.GetElapsedTime(sent[m.Id]).TotalMilliseconds));
                foreach (var message in claimed) await handler.SendAsync([], message.Id, cancellation);
                if (claimed.Count == 0) await handler.WaitAsync(Queue, Poll, cancellation);
            }
        }, cancellation);
        for (var i = 0; i < LatencyWarm + LatencyCounted; i++)
        {
            var message = Samples.Message(Queue, Subject(i));
            sent[message.Id] = Stopwatch.GetTimestamp();
            await producer.SendAsync([message], completes: null, cancellation);
            await Task.Delay(Idle, cancellation);
        }

        await handled;
        milliseconds.RemoveRange(0, LatencyWarm);
        return
        [
            new("queue: idle, from enqueue to handler", "ms", milliseconds, Judged: 50, Target: 2),
            new("queue: idle, from enqueue to handler", "ms", milliseconds, Judged: 99, Target: 10),
        ];
    }
}
