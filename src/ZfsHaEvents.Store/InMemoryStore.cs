using System.Text.Json;

namespace ZfsHaEvents.Store;

/// <summary>
/// The whole store in memory, under one lock: a real implementation for simulations and for tests of what stands on the store.
/// It passes the same contract tests as PostgreSQL.
/// </summary>
/// <param name="overtaking">As <see cref="PostgresMessageQueue"/> takes them.</param>
public sealed class InMemoryStore(TimeProvider clock, IReadOnlyList<string>? overtaking = null) : IEventStore, IMessageQueue, ILeases
{
    readonly Lock _gate = new();
    readonly IReadOnlyList<string> _overtaking = overtaking ?? [];
    readonly Guid _incarnation = Guid.NewGuid();
    readonly Dictionary<string, List<StoredEvent>> _streams = [];
    readonly Dictionary<(string Kind, string Id), Document> _documents = [];
    readonly SortedDictionary<long, Queued> _messages = [];
    readonly Dictionary<string, DateTimeOffset> _handled = [];
    readonly List<DeadLetter> _deadLetters = [];
    readonly Dictionary<string, LeaseRow> _leases = [];
    readonly Dictionary<string, SemaphoreSlim> _waiting = [];
    long _position;
    DateTimeOffset _tickedAt = clock.GetUtcNow();
    DateTimeOffset _graceFrom = clock.GetUtcNow();

    sealed record Queued(long Position, Guid Id, string Queue, string Json, string? Group, DateTimeOffset DueAt, int Attempts, int Failures, bool Retrying, DateTimeOffset EnqueuedAt);

    sealed record LeaseRow(string Holder, Guid Session, TimeSpan Duration, DateTimeOffset RenewedAt, bool Lost, string Attributes);

    public Task<StreamRead> LoadAsync(string stream, Action<StoredEvent>? each, CancellationToken cancellation)
    {
        lock (_gate)
        {
            var events = _streams.TryGetValue(stream, out var stored) ? stored.ToList() : [];
            if (each is not null) events.ForEach(each);
            var leases = _leases.Values.Select(l => new Lease(l.Holder, l.Session, l.RenewedAt, l.Lost, !l.Lost, l.Attributes)).ToList();
            return Task.FromResult(new StreamRead(events.Count, events, Now(), _incarnation, leases));
        }
    }

    public Task<CommitResult> CommitAsync(Commit commit, CancellationToken cancellation)
    {
        commit = Storable.Of(commit);
        string[] bodies =
        [
            .. commit.Events.SelectMany(e => new[] { e.Json, e.HeadersJson }), .. commit.Messages.Select(m => m.Json), .. commit.Documents.Select(d => d.Json),
            .. commit.Lease is LeaseChange.Grant grant ? new[] { grant.Attributes } : [],
        ];
        MustBeJson(bodies);
        lock (_gate) return Task.FromResult(CommitNow(commit));
    }

    /// <summary>Before anything is written, so that what cannot be written leaves nothing behind.</summary>
    static void MustBeJson(IEnumerable<string> bodies)
    {
        foreach (var body in bodies)
        {
            using var parsed = JsonDocument.Parse(body);
        }
    }

    CommitResult CommitNow(Commit commit)
    {
        Queued? handled = null;
        if (commit.Handled is { } h && (handled = Find(h.Id, h.Attempts)) is null) return CommitResult.NotOurs;
        if (commit.Handled?.Key is { } key && _handled.ContainsKey(key))
        {
            _messages.Remove(handled!.Position);
            return CommitResult.Duplicate;
        }

        var version = _streams.TryGetValue(commit.Stream, out var stream) ? stream.Count : 0;
        if (version != commit.ExpectedVersion) return CommitResult.VersionConflict;
        if (commit.Lease is LeaseChange.Lose lose && !(_leases.TryGetValue(lose.Holder, out var held) && held.Session == lose.Session && !held.Lost && Now() > End(held)))
            return CommitResult.LeaseHeld;

        if (handled is not null) _messages.Remove(handled.Position);
        if (commit.Handled?.Key is { } newKey) _handled[newKey] = Now();
        if (commit.Lease is LeaseChange.Lose) _leases[commit.Lease.Holder] = _leases[commit.Lease.Holder] with { Lost = true };
        if (commit.Lease is LeaseChange.Grant grant) _leases[grant.Holder] = new(grant.Holder, grant.Session, grant.Duration, Now(), Lost: false, grant.Attributes);

        if (commit.Events.Count > 0) Append(commit, version);
        if (commit.Void is { } v)
        {
            foreach (var message in _messages.Values.Where(m => m.Group == v.Group && m.Queue.StartsWith(v.QueuePrefix, StringComparison.Ordinal) && m.Attempts == 0).ToList())
                _messages.Remove(message.Position);
        }

        // Under an id that somebody foresaw there may be something of theirs.
        foreach (var impostor in _messages.Values.Where(q => commit.Messages.Any(m => m.Id == q.Id && (m.Queue != q.Queue || Attribute(m.Json, "source") != Attribute(q.Json, "source")))).ToList()) _messages.Remove(impostor.Position);
        Put(commit.Messages);
        foreach (var document in commit.Documents) _documents[(document.Kind, document.Id)] = document;
        return CommitResult.Committed;
    }

    void Append(Commit commit, long version)
    {
        if (!_streams.TryGetValue(commit.Stream, out var stream)) _streams[commit.Stream] = stream = [];
        stream.AddRange(commit.Events.Select((e, i) => new StoredEvent(
            commit.Stream, version + i + 1, e.Id, e.Type, e.Json, e.HeadersJson, commit.RecordedAt, e.ObservedAt, e.Actor, e.Correlation, commit.Causation)));
    }

    public Task<IReadOnlyList<StoredEvent>> QueryAsync(EventQuery query, CancellationToken cancellation)
    {
        query = Storable.Of(query);
        lock (_gate)
        {
            var events = (_streams.TryGetValue(query.Stream, out var stored) ? stored : [])
                .Where(e => e.Version > query.AfterVersion)
                .Where(e => query.Types.Count == 0 || query.Types.Contains(e.Type))
                .Where(e => query.Host is null || HostOf(e) == query.Host)
                .Where(e => query.Correlation is null || e.Correlation == query.Correlation)
                .Where(e => query.From is null || e.ObservedAt >= query.From)
                .Where(e => query.To is null || e.ObservedAt <= query.To);
            if (query.NewestFirst) events = events.Reverse();
            return Task.FromResult<IReadOnlyList<StoredEvent>>([.. events.Take(query.Limit)]);
        }
    }

    static string? HostOf(StoredEvent e) => Attribute(e.HeadersJson, "host");

    public Task<IReadOnlyList<StoredEvent>> AsOfAsync(AsOfQuery query, CancellationToken cancellation)
    {
        static IEnumerable<StoredEvent> Latest(IEnumerable<StoredEvent> events)
        {
            var last = events.Max(e => e.ObservedAt);
            return events.Where(e => e.ObservedAt == last);
        }

        lock (_gate)
        {
            var by = (_streams.TryGetValue(query.Stream, out var stored) ? stored : []).Where(e => e.ObservedAt <= query.At).ToList();
            var wanted = by.Where(e => query.LatestOfEachHost.Contains(e.Type) && HostOf(e) is not null).GroupBy(HostOf).SelectMany(Latest)
                .Concat(by.Where(e => query.Latest.Contains(e.Type)).GroupBy(e => e.Type).Select(g => g.MaxBy(e => e.Version)!))
                .Concat(by.OrderBy(e => e.ObservedAt).Take(1));
            return Task.FromResult<IReadOnlyList<StoredEvent>>([.. wanted.DistinctBy(e => e.Version).OrderBy(e => e.Version)]);
        }
    }

    public Task<IReadOnlyList<Document>> DocumentsAsync(string kind, CancellationToken cancellation)
    {
        lock (_gate) return Task.FromResult<IReadOnlyList<Document>>([.. _documents.Values.Where(d => d.Kind == kind).OrderBy(d => d.Id, StringComparer.Ordinal)]);
    }

    public Task<Document?> DocumentAsync(string kind, string id, CancellationToken cancellation)
    {
        lock (_gate) return Task.FromResult(_documents.GetValueOrDefault((kind, id)));
    }

    public Task SendAsync(IReadOnlyList<NewMessage> messages, Guid? completes, CancellationToken cancellation)
    {
        messages = [.. messages.Select(Storable.Of)];
        MustBeJson(messages.Select(m => m.Json));
        lock (_gate)
        {
            if (completes is { } id && _messages.Values.FirstOrDefault(m => m.Id == id) is { } completed) _messages.Remove(completed.Position);
            Put(messages);
        }

        return Task.CompletedTask;
    }

    void Put(IReadOnlyList<NewMessage> messages)
    {
        foreach (var message in messages.Where(m => !_messages.Values.Any(q => q.Id == m.Id)))
        {
            var position = ++_position;
            _messages[position] = new(position, message.Id, message.Queue, message.Json, Attribute(message.Json, "subject"), Now() + message.Delay, Attempts: 0, Failures: 0, Retrying: false, Now());
            if (_waiting.TryGetValue(message.Queue, out var semaphore) && semaphore.CurrentCount == 0) semaphore.Release();
        }
    }

    static string? Attribute(string json, string name)
    {
        using var message = JsonDocument.Parse(json);
        return message.RootElement.ValueKind is JsonValueKind.Object && message.RootElement.TryGetProperty(name, out var value) && value.ValueKind is not JsonValueKind.Null
            ? value.ToString()
            : null;
    }

    public Task<IReadOnlyList<ClaimedMessage>> ClaimAsync(string queue, int max, TimeSpan visibility, CancellationToken cancellation)
    {
        lock (_gate)
        {
            var due = _messages.Values.Where(m => m.Queue == queue && m.DueAt <= Now() && !HeldUp(m)).Take(max).ToList();
            var claimed = new List<ClaimedMessage>();
            foreach (var message in due)
            {
                _messages[message.Position] = message with { Attempts = message.Attempts + 1, DueAt = Now() + visibility, Retrying = false };
                claimed.Add(new(message.Id, message.Queue, message.Json, message.Attempts + 1, message.Failures, message.EnqueuedAt, Now()));
            }

            return Task.FromResult<IReadOnlyList<ClaimedMessage>>(claimed);
        }
    }

    bool HeldUp(Queued message) => Earlier(message).Any(e => (e.Attempts > 0 || e.DueAt <= Now())
        && !(!WaitsForFailed(message, e) && (e.Retrying || e.Attempts == 0 && Earlier(e).Any(f => f.Retrying && WaitsForFailed(e, f)))));

    IEnumerable<Queued> Earlier(Queued message) => _messages.Values.Where(e => message.Group is not null && e.Queue == message.Queue && e.Group == message.Group && e.Position < message.Position);

    bool WaitsForFailed(Queued message, Queued failed) => !Overtakes(message) || Overtakes(failed) && Attribute(failed.Json, "source") == Attribute(message.Json, "source");

    bool Overtakes(Queued message) => Attribute(message.Json, "type") is { } type && _overtaking.Contains(type);

    public Task ExtendAsync(IReadOnlyList<ClaimedMessage> messages, TimeSpan visibility, CancellationToken cancellation)
    {
        lock (_gate)
        {
            foreach (var message in messages)
                if (Find(message.Id, message.Attempts) is { } queued) _messages[queued.Position] = queued with { DueAt = Now() + visibility };
        }

        return Task.CompletedTask;
    }

    public Task RetryAsync(ClaimedMessage message, TimeSpan delay, string error, CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (Find(message.Id, message.Attempts) is { } queued) _messages[queued.Position] = queued with { DueAt = Now() + delay, Failures = message.Failures, Retrying = true };
        }

        return Task.CompletedTask;
    }

    public Task DeadLetterAsync(ClaimedMessage message, string reason, string detail, CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (Find(message.Id, message.Attempts) is { } queued)
            {
                _messages.Remove(queued.Position);
                if (_deadLetters.Exists(l => l.Id == queued.Id && l.Json == queued.Json)) return Task.CompletedTask; // Put again, given up again: it is kept once.
                _deadLetters.RemoveAll(l => l.Id == queued.Id);
                _deadLetters.Insert(0, new(queued.Id, queued.Queue, queued.Json, queued.Attempts, Storable.Text(reason), Storable.Text(detail), queued.EnqueuedAt, Now()));
            }
        }

        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<DeadLetter>> DeadLettersAsync(string? queue, int max, CancellationToken cancellation)
    {
        lock (_gate) return Task.FromResult<IReadOnlyList<DeadLetter>>([.. _deadLetters.Where(l => queue is null || l.Queue == Storable.Text(queue)).Take(max)]);
    }

    public Task<DeadLetter?> FindDeadLetterAsync(Guid id, CancellationToken cancellation)
    {
        lock (_gate) return Task.FromResult(_deadLetters.Find(l => l.Id == id));
    }

    public Task<bool> ReplayAsync(Guid id, CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (_deadLetters.Find(l => l.Id == id) is not { } letter) return Task.FromResult(false);
            _deadLetters.Remove(letter);
            Put([new(letter.Id, letter.Queue, letter.Json, TimeSpan.Zero)]);
            return Task.FromResult(true);
        }
    }

    public Task<DeadLetter?> DiscardAsync(Guid id, CancellationToken cancellation)
    {
        lock (_gate)
        {
            var letter = _deadLetters.Find(l => l.Id == id);
            if (letter is not null) _deadLetters.Remove(letter);
            return Task.FromResult(letter);
        }
    }

    public Task<int> ForgetHandledAsync(TimeSpan olderThan, int max, CancellationToken cancellation)
    {
        lock (_gate)
        {
            var old = _handled.Where(h => h.Value < Now() - olderThan).OrderBy(h => h.Value).Take(max).Select(h => h.Key).ToList();
            foreach (var key in old) _handled.Remove(key);
            return Task.FromResult(old.Count);
        }
    }

    public async Task WaitAsync(string queue, TimeSpan longest, CancellationToken cancellation)
    {
        SemaphoreSlim? semaphore;
        lock (_gate)
            if (!_waiting.TryGetValue(queue, out semaphore)) _waiting[queue] = semaphore = new(0, 1);
        await semaphore.WaitAsync(longest, cancellation);
    }

    public bool Renew(string holder, Guid session)
    {
        lock (_gate)
        {
            if (!_leases.TryGetValue(holder, out var lease) || lease.Session != session || lease.Lost) return false;
            _leases[holder] = lease with { RenewedAt = Now() };
            return true;
        }
    }

    public Task<Guid> IncarnationAsync(CancellationToken cancellation) => Task.FromResult(_incarnation);

    public Task<int> SettleIncarnationAsync(CancellationToken cancellation) => Task.FromResult(1); // Memory is never elsewhere.

    public Task<IReadOnlyList<ExpiredLease>> WatchAsync(TimeSpan gap, CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (Now() - _tickedAt > gap) _graceFrom = Now();
            _tickedAt = Now();
            return Task.FromResult<IReadOnlyList<ExpiredLease>>([.. _leases.Values.Where(l => !l.Lost && Now() > End(l))
                .Select(l => new ExpiredLease(l.Holder, l.Session, l.RenewedAt, l.Duration.TotalSeconds))]);
        }
    }

    DateTimeOffset End(LeaseRow lease) => (lease.RenewedAt > _graceFrom ? lease.RenewedAt : _graceFrom) + lease.Duration;

    Queued? Find(Guid id, int attempts) => _messages.Values.FirstOrDefault(m => m.Id == id && m.Attempts == attempts);

    DateTimeOffset Now() => clock.GetUtcNow();
}
