using System.Data.Common;
using System.Diagnostics.Metrics;
using Npgsql;
using ZfsHaEvents.Server.Running;
using ZfsHaEvents.Store;
using ZfsHaEvents.Store.Projections;
using ZfsHaEvents.Store.Reading;

namespace ZfsHaEvents.Server.Projections;

/// <summary>Runs every reader of events: the repair of the inline views, and the projections with their rebuilds. Any number of servers may.</summary>
public sealed class Readers : BackgroundService
{
    /// <summary>The meter that readers are measured with.</summary>
    public const string MeterName = "ZfsHaEvents.Readers";

    /// <summary>A runner that says nothing for so long is taken for dead, and another takes over.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(4);

    /// <summary>How long a reader rests when there is nothing to read. What others appended must be in the views within a second.</summary>
    static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(300);

    /// <summary>How long until a reader that is run elsewhere, is paused, or met with an outage is tried again; and between measurements.</summary>
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1), Measuring = TimeSpan.FromSeconds(10);

    readonly NpgsqlDataSource _database;
    readonly IReadOnlyList<IProjection> _projections;
    readonly ISubscriber _inlineViews;
    readonly ProjectionControl _control;
    readonly ILogger<Readers> _log;
    readonly Meter _meter;
    volatile IReadOnlyList<ReaderStatus> _status = [];
    volatile IReadOnlyList<HoldingBack> _holding = [];

    public Readers(NpgsqlDataSource database, IReadOnlyList<IProjection> projections, InlineViews inlineViews, ProjectionControl control, IMeterFactory meters, ILogger<Readers> log)
    {
        (_database, _projections, _inlineViews, _control, _log) = (database, projections, inlineViews, control, log);
        _meter = meters.Create(MeterName);
        _meter.CreateObservableGauge("zfsha.reader.lag.events", () => _status.Select(s => new Measurement<long>(s.EventsBehind, new KeyValuePair<string, object?>("reader", s.Name))), "{event}",
            "Events a reader has not taken in; counting stops at ten thousand");
        _meter.CreateObservableGauge("zfsha.reader.lag.time", () => _status.Select(s => new Measurement<double>(s.SecondsBehind, new KeyValuePair<string, object?>("reader", s.Name))), "s",
            "The age of the oldest event a reader has not taken in");
        _meter.CreateObservableGauge("zfsha.reader.parked", () => _status.Select(s => new Measurement<int>(s.Parked.Count, new KeyValuePair<string, object?>("reader", s.Name))), "{stream}",
            "Streams a reader skips because it could not take them in");
        _meter.CreateObservableGauge("zfsha.reader.held_back", () => _holding.Select(h => h.Seconds).DefaultIfEmpty(0).Max(), "s", "The age of the oldest transaction that no reader goes past");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var running = _projections.SelectMany(p => (Task[])[LiveAsync(p, stoppingToken), RebuildAsync(p, stoppingToken)]).Append(RunAsync(_inlineViews, _ => Task.FromResult(true), stoppingToken));
        await Task.WhenAll(running.Append(MeasureAsync(stoppingToken)));
    }

    async Task LiveAsync(IProjection projection, CancellationToken cancellation) =>
        await RunAsync(new ProjectionSubscriber(_database, projection, rebuild: false), async c =>
        {
            var made = await _control.MadeByAsync(projection, c) ?? projection.Version;
            if (made < projection.Version && await _control.RebuildAsync(projection, c)) _log.Rebuilding(projection.Name);
            return made == projection.Version; // What a former version made is read until the rebuild has an end; what a later one made is its servers' business.
        }, cancellation);

    Task RebuildAsync(IProjection projection, CancellationToken cancellation) =>
        RunAsync(new ProjectionSubscriber(_database, projection, rebuild: true), c => _control.IsRebuildingAsync(projection, c), cancellation);

    /// <summary>Page after page, until cancelled.</summary>
    /// <param name="wanted">Whether there is anything for this reader to do; asked whenever it comes from a rest.</param>
    async Task RunAsync(ISubscriber subscriber, Func<CancellationToken, Task<bool>> wanted, CancellationToken cancellation)
    {
        var runner = new SubscriptionRunner(_database, subscriber, Lease);
        var repeats = new Repeats();
        try
        {
            for (int? read = null; ; read = await StepAsync(runner, read is > 0 ? null : wanted, repeats, cancellation))
            {
                if (read is null or 0) await Task.Delay(read is null ? Pause : Rest, cancellation);
            }
        }
        catch (OperationCanceledException)
        {
            await LeaveAsync(runner);
        }
    }

    async Task<int?> StepAsync(SubscriptionRunner runner, Func<CancellationToken, Task<bool>>? wanted, Repeats repeats, CancellationToken cancellation)
    {
        try
        {
            if (wanted is not null && !await wanted(cancellation)) return null;
            return await runner.StepAsync(cancellation);
        }
        catch (Exception e) when (e is DbException || DatabaseOutage.Is(e))
        {
            if (!DatabaseOutage.Is(e) && !DatabaseOutage.SaysNo(e) && repeats.IsNews(e.Message)) _log.ReaderStopped(runner.Name, e.Message); // Of those the queue's worker tells.
            return null;
        }
    }

    /// <summary>So that another server need not wait for the lease's end.</summary>
    static async Task LeaveAsync(SubscriptionRunner runner)
    {
        try
        {
            using var limit = new CancellationTokenSource(Pause);
            await runner.LeaveAsync(limit.Token);
        }
        catch (Exception e) when (e is DbException or OperationCanceledException || DatabaseOutage.Is(e))
        {
            // The lease ends by itself.
        }
    }

    async Task MeasureAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(Measuring);
        try
        {
            do
            {
                try
                {
                    (_status, _holding) = (await _control.StatusAsync(cancellation), await _control.HoldingBackAsync(cancellation));
                }
                catch (Exception e) when (e is DbException || DatabaseOutage.Is(e))
                {
                    // What was measured last stands; the queue's worker tells of the outage.
                }
            }
            while (await timer.WaitForNextTickAsync(cancellation));
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    public override void Dispose()
    {
        _meter.Dispose();
        base.Dispose();
    }
}
