using System.Collections.Concurrent;
using System.Threading.Channels;
using Npgsql;

namespace ZfsHaEvents.Store;

/// <summary>
/// Tells processes that a queue has news, so that they need not wait for the next poll. Only a hint: polling is the truth.
/// Notifications leave on a connection of their own, coalesced, after the commit: inside it they would make committers wait
/// for each other.
/// </summary>
public sealed class WakeUps : IAsyncDisposable
{
    static readonly TimeSpan Reconnect = TimeSpan.FromMilliseconds(500);

    readonly NpgsqlDataSource _database;
    readonly CancellationTokenSource _stopping = new();
    readonly Channel<string> _outgoing = Channel.CreateUnbounded<string>(new() { SingleReader = true });
    readonly ConcurrentDictionary<string, SemaphoreSlim> _waiting = new();
    readonly Task _notifying;
    readonly Lazy<Task> _listening;

    public WakeUps(NpgsqlDataSource database)
    {
        _database = database;
        _notifying = Task.Run(NotifyAsync);
        _listening = new(() => Task.Run(ListenAsync));
    }

    /// <summary>Wakes whoever waits on these queues, here and in other processes.</summary>
    public void Signal(IEnumerable<string> queues)
    {
        foreach (var queue in queues.Distinct())
        {
            Wake(queue);
            _outgoing.Writer.TryWrite(queue);
        }
    }

    /// <summary>Returns at the next wake-up of the queue, at once if there was one since the last wait, or after <paramref name="longest"/>.</summary>
    public async Task WaitAsync(string queue, TimeSpan longest, CancellationToken cancellation)
    {
        _ = _listening.Value;
        await _waiting.GetOrAdd(queue, _ => new(0, 1)).WaitAsync(longest, cancellation);
    }

    void Wake(string queue)
    {
        if (!_waiting.TryGetValue(queue, out var semaphore) || semaphore.CurrentCount > 0) return;
        try
        {
            semaphore.Release();
        }
        catch (SemaphoreFullException)
        {
            // Two wakers at once: one wake-up is enough.
        }
    }

    async Task NotifyAsync()
    {
        var queues = new HashSet<string>();
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await _outgoing.Reader.WaitToReadAsync(_stopping.Token);
                while (_outgoing.Reader.TryRead(out var queue)) queues.Add(queue);
                await using var command = new NpgsqlCommand("select pg_notify('zfsha', q) from unnest($1) as q");
                command.Parameters.Add(new() { Value = queues.ToArray() });
                await _database.RunAsync(command, _stopping.Token);
                queues.Clear();
            }
            catch (OperationCanceledException)
            {
                return; // Stopping.
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                queues.Clear(); // The others poll; a hint is not worth keeping over an outage.
                await Task.Delay(Reconnect, CancellationToken.None);
            }
        }
    }

    async Task ListenAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await using var connection = await _database.OpenConnectionAsync(_stopping.Token);
                connection.Notification += OnNotification;
                await using (var listen = new NpgsqlCommand("listen zfsha", connection)) await listen.ExecuteNonQueryAsync(_stopping.Token);
                foreach (var queue in _waiting.Keys) Wake(queue); // Whatever came while nobody listened.
                while (true) await connection.WaitAsync(_stopping.Token);
            }
            catch (OperationCanceledException)
            {
                return; // Stopping.
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                await Task.Delay(Reconnect, CancellationToken.None);
            }
        }
    }

    /// <summary>One channel for all queues, the queue in the payload: a channel's name may have 63 bytes, a host's alone may.</summary>
    void OnNotification(object sender, NpgsqlNotificationEventArgs e) => Wake(e.Payload);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _notifying;
        if (_listening.IsValueCreated) await _listening.Value;
        _stopping.Dispose();
        foreach (var semaphore in _waiting.Values) semaphore.Dispose();
    }
}
