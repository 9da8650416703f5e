using System.Data.Common;
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

    /// <summary>The shortest lease in which a gap, a renewal and a busy machine have room.</summary>
    public static readonly TimeSpan LeaseMin = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long to wait for a database that says no. One beat that fails is no gap yet: if it were, a statement cancelled now and then would
    /// give a lost host its full time again each time, and its loss would never be noticed.
    /// </summary>
    static readonly TimeSpan Pause = Gap / 2;

    readonly Repeats _repeats = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        DateTimeOffset? awaySince = null;
        using var timer = new PeriodicTimer(Beat);
        do
        {
            try
            {
                // What answers again may be a standby that was promoted.
                if (awaySince is not null) log.Incarnation(await leases.SettleIncarnationAsync(stoppingToken));
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
                awaySince ??= DateTimeOffset.UtcNow; // The queue's worker tells of it.
            }
            catch (DbException e)
            {
                awaySince ??= DateTimeOffset.UtcNow;
                if (_repeats.IsNews(e.Message)) log.DatabaseUnavailable(e.Message);
                await Task.Delay(Pause, CancellationToken.None);
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
                if (_repeats.IsNews($"{expired.Holder}: {e.Message}")) log.LeaseNotJudged(e, expired.Holder); // A fault in one host's stream must not end the watch over the others.
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
