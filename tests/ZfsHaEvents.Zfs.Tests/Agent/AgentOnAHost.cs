using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using ZfsHaEvents.Agent;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Zfs.Operations;
using ZfsHaEvents.Zfs.Spooling;

namespace ZfsHaEvents.Zfs.Tests.Agent;

/// <summary>The agent's parts on a host of their own, each started by the test that needs it.</summary>
sealed class AgentOnAHost : ILogger, IAsyncDisposable
{
    readonly ConcurrentQueue<string> _lines = new();
    readonly CancellationTokenSource _stopping = new();
    readonly ConcurrentBag<Task> _parts = [];

    /// <param name="time">What the session takes for time.</param>
    public AgentOnAHost(IReportSink? reports = null, TimeProvider? time = null)
    {
        Spool = Host.Spool;
        var troubles = new Troubles(this);
        reports ??= new SpooledReports(Host.Environment, Spool, TimeProvider.System);
        Observer = new(Host.Environment, TimeProvider.System);
        Epochs = new(Host.Environment);
        Outbox = new(Host.Environment, Spool, Database, troubles, this);
        Watcher = new(Host.Environment, Observer, reports, troubles, TimeProvider.System, this);
        Session = new(Host.Environment, Observer, Epochs, Database, Database, Watcher, troubles, time ?? TimeProvider.System, this);
        Orders = new(
            Host.Environment, new PoolOperations(Host.Environment, reports, TimeProvider.System), Epochs, Session, Watcher, Database, troubles, TimeProvider.System, this);
    }

    public TestHost Host { get; } = new();

    public Spool Spool { get; }

    public FaultyDatabase Database { get; } = new();

    public PoolObserver Observer { get; }

    public EpochRecord Epochs { get; }

    public Outbox Outbox { get; }

    public Watcher Watcher { get; }

    public Session Session { get; }

    public OrderPump Orders { get; }

    /// <summary>What was logged at warning or above.</summary>
    public IReadOnlyList<string> Warnings => [.. _lines];

    /// <summary>Whether a part has ended, by itself, which none does.</summary>
    public bool HasEnded => _parts.Any(part => part.IsCompleted);

    public void StartSession() => Start(Session.RunAsync(Outbox.DrainAsync, _stopping.Token));

    public void StartOutbox() => Start(Outbox.RunAsync(_stopping.Token));

    public void StartOrders() => Start(Orders.RunAsync(_stopping.Token));

    public void StartWatcher() => Start(Watcher.RunAsync(_stopping.Token));

    public Task OpenedAsync() => Eventually.TrueAsync(() => Session.Current is not null);

    /// <summary>Puts a message on the host's queue, as the server does.</summary>
    public Task OrderAsync(string id, object order, string? traceParent = null)
    {
        var queue = Queues.Host(Host.Environment.Name);
        var message = new BusMessage(id, Actors.Server, TestHost.Tank.ToString(), traceParent, order);
        return Database.SendAsync([new(BusMessage.RowId(queue, Actors.Server, id), queue, message.Write(DateTimeOffset.UtcNow), TimeSpan.Zero)], completes: null, _stopping.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_parts).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        Outbox.Dispose();
        _stopping.Dispose();
        Host.Dispose();
    }

    void Start(Task part) => _parts.Add(part);

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    void ILogger.Log<TState>(LogLevel logLevel, Microsoft.Extensions.Logging.EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue(formatter(state, exception));
}
