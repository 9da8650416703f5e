using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Server.Running;

/// <summary>Finds the leases that ran out, by the database's clock. Any number of servers may watch: a loss is recorded once.</summary>
public sealed class LeaseWatch(ILeases leases, StreamRunner runner, ILogger<LeaseWatch> log) : BackgroundService
{
    static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Beats further apart than this mean that the database, or the watch itself, was away; then every lease gets its full time
    /// again. It must be shorter than the lease less one renewal, or an outage just under it would cost leases.
    /// </summary>
    public static readonly TimeSpan Gap = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        DateTimeOffset? awaySince = null;
        using var timer = new PeriodicTimer(Beat);
        do
        {
            try
            {
                await StepAsync(stoppingToken);
                if (awaySince is { } since) log.DatabaseAvailable((DateTimeOffset.UtcNow - since).TotalSeconds);
                awaySince = null;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (DatabaseOutage.Is(e))
            {
                awaySince ??= DateTimeOffset.UtcNow;
            }
        }
        while (await NextAsync(timer, stoppingToken));
    }

    /// <summary>One beat.</summary>
    public async Task StepAsync(CancellationToken cancellation)
    {
        foreach (var expired in await leases.WatchAsync(Gap, cancellation))
        {
            log.LeaseRanOut(expired.Holder, expired.RenewedAt);
            var message = new LeaseExpired(new(expired.Holder), new(expired.Session), expired.RenewedAt, expired.LeaseSeconds);
            var envelope = new BusMessage($"lease-expired/{expired.Session}", Actors.Server, null, null, message);
            try
            {
                await runner.RunAsync(message, envelope, handled: null, cancellation);
            }
            catch (Exception e) when (e is not OperationCanceledException && !DatabaseOutage.Is(e))
            {
                log.LeaseNotJudged(e, expired.Holder); // A fault in one host's stream must not end the watch over the others.
            }
        }
    }

    static async Task<bool> NextAsync(PeriodicTimer timer, CancellationToken cancellation)
    {
        try
        {
            return await timer.WaitForNextTickAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            return false; // Stopping.
        }
    }
}
