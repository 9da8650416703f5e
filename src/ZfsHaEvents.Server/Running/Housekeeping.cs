using System.Data.Common;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Server.Running;

/// <summary>Forgets the ids of messages that were handled long ago. Any number of servers may do so side by side.</summary>
/// <param name="retention">How long they are kept, by the database's clock. A repeat that comes later is decided on like any message, and the pool's own memory of requests is what notices it.</param>
public sealed class Housekeeping(IMessageQueue queue, TimeSpan retention, ILogger<Housekeeping> log) : BackgroundService
{
    public static readonly TimeSpan RetentionDefault = TimeSpan.FromDays(7);

    /// <summary>Rows of one transaction: milliseconds, so that no commit waits long for it.</summary>
    const int Batch = 1000;

    static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await StepAsync(stoppingToken);
                await Task.Delay(Interval, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is DbException || DatabaseOutage.Is(e))
            {
                log.NotForgotten(e.Message); // Nothing depends on it: the next round takes these too.
                await Task.Delay(Interval, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Forgets all that is old enough, batch by batch.</summary>
    /// <returns>How many ids were forgotten.</returns>
    public async Task<int> StepAsync(CancellationToken cancellation)
    {
        var forgotten = 0;
        for (var batch = Batch; batch == Batch; forgotten += batch) batch = await queue.ForgetHandledAsync(retention, Batch, cancellation);
        if (forgotten > 0) log.HandledForgotten(forgotten, retention.TotalDays);
        return forgotten;
    }
}
