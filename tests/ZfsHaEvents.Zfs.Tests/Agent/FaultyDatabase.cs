using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Zfs.Tests.Agent;

/// <summary>The store in memory, behind a connection that fails as told.</summary>
sealed class FaultyDatabase : IMessageQueue, ILeases
{
    readonly InMemoryStore _store = new(TimeProvider.System);
    readonly List<(string Queue, object Message)> _sent = [];
    int _failed;

    /// <summary>What every call fails with; null when all is well.</summary>
    public Exception? Fault { get; set; }

    /// <summary>A server is there, and grants every lease that is asked for.</summary>
    public bool Grants { get; set; } = true;

    /// <summary>The calls that have failed.</summary>
    public int Failed => Volatile.Read(ref _failed);

    /// <summary>All that was put on a queue, in order.</summary>
    public IReadOnlyList<T> Sent<T>()
    {
        lock (_sent) return [.. _sent.Select(s => s.Message).OfType<T>()];
    }

    /// <summary>Takes every message off the queue.</summary>
    /// <returns>How many there were.</returns>
    public async Task<int> EmptyAsync(string queue)
    {
        for (var taken = 0; ; taken++)
        {
            if (await _store.ClaimAsync(queue, max: 1, TimeSpan.Zero, CancellationToken.None) is not [var next]) return taken;
            await _store.SendAsync([], completes: next.Id, CancellationToken.None);
        }
    }

    public Task SendAsync(IReadOnlyList<NewMessage> messages, Guid? completes, CancellationToken cancellation)
    {
        Fail();
        lock (_sent) _sent.AddRange(messages.Select(m => (m.Queue, BusMessage.Read(m.Json).Message)));
        return _store.SendAsync(messages, completes, cancellation);
    }

    public Task<IReadOnlyList<ClaimedMessage>> ClaimAsync(string queue, int max, TimeSpan visibility, CancellationToken cancellation)
    {
        Fail();
        return _store.ClaimAsync(queue, max, visibility, cancellation);
    }

    public Task ExtendAsync(IReadOnlyList<ClaimedMessage> messages, TimeSpan visibility, CancellationToken cancellation)
    {
        Fail();
        return _store.ExtendAsync(messages, visibility, cancellation);
    }

    public Task RetryAsync(ClaimedMessage message, TimeSpan delay, string error, CancellationToken cancellation)
    {
        Fail();
        return _store.RetryAsync(message, delay, error, cancellation);
    }

    public Task DeadLetterAsync(ClaimedMessage message, string reason, string detail, CancellationToken cancellation)
    {
        Fail();
        return _store.DeadLetterAsync(message, reason, detail, cancellation);
    }

    public Task<IReadOnlyList<DeadLetter>> DeadLettersAsync(string? queue, int max, CancellationToken cancellation) => _store.DeadLettersAsync(queue, max, cancellation);

    public Task<DeadLetter?> FindDeadLetterAsync(Guid id, CancellationToken cancellation) => _store.FindDeadLetterAsync(id, cancellation);

    public Task<bool> ReplayAsync(Guid id, CancellationToken cancellation) => _store.ReplayAsync(id, cancellation);

    public Task<DeadLetter?> DiscardAsync(Guid id, CancellationToken cancellation) => _store.DiscardAsync(id, cancellation);

    public Task<int> ForgetHandledAsync(TimeSpan olderThan, int max, CancellationToken cancellation) => _store.ForgetHandledAsync(olderThan, max, cancellation);

    public Task WaitAsync(string queue, TimeSpan longest, CancellationToken cancellation) => _store.WaitAsync(queue, longest, cancellation);

    public bool Renew(string holder, Guid session)
    {
        Fail();
        return Grants;
    }

    public Task<Guid> IncarnationAsync(CancellationToken cancellation)
    {
        Fail();
        return _store.IncarnationAsync(cancellation);
    }

    public Task<int> SettleIncarnationAsync(CancellationToken cancellation) => _store.SettleIncarnationAsync(cancellation);

    public Task<IReadOnlyList<ExpiredLease>> WatchAsync(TimeSpan gap, CancellationToken cancellation) => _store.WatchAsync(gap, cancellation);

    void Fail()
    {
        if (Fault is not { } fault) return;
        Interlocked.Increment(ref _failed);
        throw fault;
    }
}
