using System.Data.Common;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Server.Running;

/// <summary>Takes messages off the server's queue and has them decided. Retries are the queue's business, not the handlers'.</summary>
public sealed class QueueWorker(IMessageQueue queue, Dispatch dispatch, ILogger<QueueWorker> log) : BackgroundService
{
    /// <summary>Messages of one pool come one after the other anyway; so many pools are worked on at once.</summary>
    const int Parallel = 4;

    /// <summary>A message that failed so often is a bug's doing and is put aside.</summary>
    const int AttemptsMax = 8;

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
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (await StepAsync(stoppingToken) == 0) await queue.WaitAsync(Queues.Server, Poll, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is DbException || DatabaseOutage.Is(e))
            {
                if (_repeats.IsNews(e.Message)) log.DatabaseUnavailable(e.Message); // What was taken is given out again once its time is over.
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
            if (ran.Result is CommitResult.VersionConflict) await queue.RetryAsync(message, TimeSpan.FromMilliseconds(20), "somebody else appended first, every time", cancellation);
            else if (ran.Result is CommitResult.Archived) await DeadLetterAsync(message, "Archived", "the pool's stream is archived", cancellation);
            else if (ran.Result is not CommitResult.Committed) log.NothingToDo(message.Id, ran.Result.ToString());
        }
        catch (MalformedMessageException e)
        {
            await DeadLetterAsync(message, "Malformed", e.Message, cancellation);
        }
        catch (UndeliverableException e)
        {
            await DeadLetterAsync(message, e.Reason, e.Detail, cancellation);
        }
        catch (Exception e) when (!DatabaseOutage.Is(e) && !DatabaseOutage.SaysNo(e) && e is not OperationCanceledException)
        {
            await FailedAsync(message, e, cancellation); // A bug: this message must not stop the others.
        }
    }

    async Task FailedAsync(ClaimedMessage message, Exception exception, CancellationToken cancellation)
    {
        if (message.Attempts >= AttemptsMax)
        {
            await DeadLetterAsync(message, "Failed", exception.ToString(), cancellation);
            return;
        }

        var delay = TimeSpan.FromMilliseconds(50 << Math.Min(message.Attempts, 7));
        log.WillRetry(exception, message.Id, message.Attempts, delay);
        await queue.RetryAsync(message, delay, exception.Message, cancellation);
    }

    async Task DeadLetterAsync(ClaimedMessage message, string reason, string detail, CancellationToken cancellation)
    {
        if (detail.Length > DetailMax) detail = $"{detail[..DetailMax]}…";
        log.DeadLettered(message.Id, reason, detail);
        await queue.DeadLetterAsync(message, reason, detail, cancellation);
    }
}
