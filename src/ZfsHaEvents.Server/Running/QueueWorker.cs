using System.Data.Common;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Server.Running;

/// <summary>Takes messages off the server's queue and has them decided. Retries are the queue's business, not the handlers'.</summary>
public sealed class QueueWorker(IMessageQueue queue, ILeases leases, Dispatch dispatch, Backoff backoff, ILogger<QueueWorker> log) : BackgroundService
{
    /// <summary>Messages of one pool come one after the other anyway; so many pools are worked on at once.</summary>
    const int Parallel = 4;

    /// <summary>A reason is read by people; the message itself is kept beside it.</summary>
    const int DetailMax = 1500;

    /// <summary>A taken message whose taker died is given out again after this. Handling one takes milliseconds.</summary>
    static readonly TimeSpan Visibility = TimeSpan.FromSeconds(3);

    /// <summary>How long a message of a foreign program, which does not notify, may lie before it is seen.</summary>
    static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    /// <summary>How long to wait for a database that says no; one that is away may be there again in a moment.</summary>
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    readonly Repeats _repeats = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var away = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (away) await leases.SettleIncarnationAsync(stoppingToken); // Before anything is decided on what may be a promoted standby.
                away = false;
                if (await StepAsync(stoppingToken) == 0) await queue.WaitAsync(Queues.Server, Poll, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is DbException || DatabaseOutage.Is(e))
            {
                away = true;
                if (IsNews(e)) log.DatabaseUnavailable(e.Message); // What was taken is given out again once its time is over.
                await Task.Delay(DatabaseOutage.Is(e) ? Poll : Pause, CancellationToken.None);
            }
        }
    }

    /// <summary>Takes what is due and handles it.</summary>
    /// <returns>How many messages were taken.</returns>
    public async Task<int> StepAsync(CancellationToken cancellation)
    {
        var claimed = await queue.ClaimAsync(Queues.Server, Parallel, Visibility, cancellation);
        await Task.WhenAll(claimed.Select(m => HandleAsync(m, cancellation)));
        return claimed.Count;
    }

    async Task HandleAsync(ClaimedMessage message, CancellationToken cancellation)
    {
        try
        {
            var envelope = BusMessage.Read(message.Json);
            var ran = await dispatch.RunAsync(envelope, new(message.Id, message.Attempts, envelope.Key()), cancellation);
            if (ran.Result is CommitResult.VersionConflict && backoff.Of(ErrorClass.VersionConflict, message.Attempts) is Fate.Again(var delay))
            {
                await queue.RetryAsync(message, delay, "somebody else appended first, every time", cancellation);
                return;
            }

            if (ran.Result is CommitResult.Archived) await DeadLetterAsync(message, "Archived", "the pool's stream is archived", cancellation);
            else if (ran.Result is not CommitResult.Committed) log.NothingToDo(message.Id, ran.Result.ToString());
        }
        catch (Exception e) when (e is not OperationCanceledException && Backoff.ClassOf(e) is not ErrorClass.DatabaseOutage)
        {
            await FailedAsync(message, e, cancellation); // Whatever it is, this message must not stop the others.
        }
    }

    async Task FailedAsync(ClaimedMessage message, Exception exception, CancellationToken cancellation)
    {
        var error = Backoff.ClassOf(exception);
        if (error is ErrorClass.Bug) message = message with { Failures = message.Failures + 1 };
        if (backoff.Of(error, error is ErrorClass.Bug ? message.Failures : message.Attempts) is Fate.Again(var delay))
        {
            if (error is ErrorClass.Bug || IsNews(exception)) log.WillRetry(exception, message.Id, message.Attempts, delay);
            await queue.RetryAsync(message, delay, exception.Message, cancellation);
            return;
        }

        var (reason, detail) = exception switch
        {
            MalformedMessageException e => ("Malformed", e.Message),
            UndeliverableException e => (e.Reason, e.Detail),
            _ => ("Failed", exception.ToString()),
        };
        await DeadLetterAsync(message, reason, detail, cancellation);
    }

    bool IsNews(Exception exception)
    {
        lock (_repeats) return _repeats.IsNews(exception.Message);
    }

    async Task DeadLetterAsync(ClaimedMessage message, string reason, string detail, CancellationToken cancellation)
    {
        if (detail.Length > DetailMax) detail = $"{detail[..DetailMax]}…";
        log.DeadLettered(message.Id, reason, detail);
        await queue.DeadLetterAsync(message, reason, detail, cancellation);
    }
}
