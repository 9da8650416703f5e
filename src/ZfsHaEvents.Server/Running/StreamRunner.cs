using System.Diagnostics;
using System.Text.Json;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Alerts;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Domain.Views;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Server.Running;

/// <summary>What running a message came to.</summary>
/// <param name="Events">What was appended.</param>
public sealed record Ran(CommitResult Result, IReadOnlyList<StoredEvent> Events);

/// <summary>
/// Load, decide, commit: the loop that everything goes through. The decision is pure; its events, the inline views, the handled
/// message and the messages that follow are one transaction. Somebody else's append means deciding again.
/// </summary>
public sealed class StreamRunner(IEventStore store, OrderTimes times, TimeSpan leaseDuration, ILogger<StreamRunner> log)
{
    /// <summary>How often a decision is made anew before the message goes back to its queue.</summary>
    const int DecisionsMax = 5;

    static readonly TimeSpan ConflictPause = TimeSpan.FromMilliseconds(20);

    /// <summary>Names of the inline documents' tables.</summary>
    public static class Kinds
    {
        public const string Ownership = "poolownership";
        public const string Dossier = "dossier";
        public const string Alert = "alert";
        public const string Host = "hostview";
    }

    public static string StreamOf(PoolGuid pool) => $"pool-{pool}";

    public static string StreamOf(HostName host) => $"host-{host}";

    /// <summary>The id of a move's dossier: two pools may have a move of one id.</summary>
    public static string DossierKey(PoolGuid pool, RequestId move) => $"{pool}/{move}";

    /// <summary>Decides a message about a pool.</summary>
    /// <param name="handled">The queue's message it came in; null when it did not come over the queue.</param>
    public Task<Ran> RunAsync(PoolGuid poolId, IPoolMessage message, BusMessage envelope, Handled? handled, CancellationToken cancellation) =>
        CommitAsync(StreamOf(poolId), () => new PoolFolding(poolId), (read, folded) =>
        {
            var (pool, alerts) = (folded.Pool, folded.Alerts);
            var decision = message.Decide(pool, ContextOf(envelope.Id, read) with { Alerts = alerts });
            foreach (var e in decision.Events) folded.Take(e);
            var (after, alertsAfter) = (folded.Pool, folded.Alerts);
            return CommitOf(StreamOf(poolId), "pool", pool.Version, decision, e => CorrelationOf(e, pool.RunningMove() ?? after.RunningMove()), read, envelope, handled) with
            {
                Void = decision.VoidsOrders ? new(poolId.ToString(), Queues.HostPrefix) : null,
                Documents = decision.Events.Count == 0 ? [] : DocumentsOf(pool, after, alertsAfter),
            };
        }, cancellation);

    /// <summary>Decides a message about a host.</summary>
    public async Task<Ran> RunAsync(IHostMessage message, BusMessage envelope, Handled? handled, CancellationToken cancellation)
    {
        var pools = (await store.DocumentsAsync(Kinds.Ownership, cancellation)).Select(d => PoolGuid.Parse(d.Id)).ToList();
        return await CommitAsync(StreamOf(message.Host), () => new HostFolding(message.Host), (read, folded) =>
        {
            var (host, alerts) = (folded.Host, folded.Alerts);
            var decision = message.Decide(host, ContextOf(envelope.Id, read), pools);
            foreach (var e in decision.Events) folded.Take(e);
            var (after, alertsAfter) = (folded.Host, folded.Alerts);
            return CommitOf(StreamOf(message.Host), "host", host.Version, decision, _ => null, read, envelope, handled) with
            {
                Lease = LeaseChangeOf(decision.Events),
                Documents = decision.Events.Count == 0 ? [] : [DocumentOf(Kinds.Host, after.Name.Value, HostView.Of(after), after.Version), .. Changed(alertsAfter, host.Version)],
            };
        }, cancellation);
    }

    /// <summary>Writes the inline views of a stream that somebody else appended to.</summary>
    /// <param name="since">The version before the first event that they lack.</param>
    /// <exception cref="FormatException">The stream's name is not that of a pool or a host.</exception>
    public async Task RefreshAsync(string stream, long since, CancellationToken cancellation)
    {
        while ((await TryRefreshAsync(stream, since, cancellation)).Result is CommitResult.VersionConflict) await Task.Delay(ConflictPause, cancellation);
    }

    Task<Ran> TryRefreshAsync(string stream, long since, CancellationToken cancellation)
    {
        var name = stream[(stream.IndexOf('-', StringComparison.Ordinal) + 1)..];
        Commit With(StreamRead read, IReadOnlyList<Document> documents) => new(stream, "", read.Version, read.Now, null) { Documents = documents };
        if (stream.StartsWith("pool-", StringComparison.Ordinal))
        {
            var id = PoolGuid.Parse(name);
            return CommitAsync(stream, () => new PoolFolding(id), (read, folded) =>
                With(read, [DocumentOf(Kinds.Ownership, id.ToString(), PoolOwnership.Of(folded.Pool), folded.Pool.Version), .. folded.Dossiers(since), .. Changed(folded.Alerts, since)]), cancellation);
        }

        var host = HostName.Parse(name);
        return CommitAsync(stream, () => new HostFolding(host), (read, folded) =>
            With(read, [DocumentOf(Kinds.Host, host.Value, HostView.Of(folded.Host), folded.Host.Version), .. Changed(folded.Alerts, since)]), cancellation);
    }

    /// <param name="begin">An empty fold, which takes the stream's events as they arrive.</param>
    async Task<Ran> CommitAsync<TFolding>(string stream, Func<TFolding> begin, Func<StreamRead, TFolding, Commit> decide, CancellationToken cancellation) where TFolding : IFolding
    {
        for (var round = 1; ; round++)
        {
            var folded = begin();
            var commit = decide(await store.LoadAsync(stream, folded.Take, cancellation), folded);
            Seams.Reached("commit-before");
            var result = await store.CommitAsync(commit, cancellation);
            Seams.Reached("commit-after");
            if (result is CommitResult.VersionConflict && round < DecisionsMax) continue;

            var events = result is CommitResult.Committed ? Stored(commit) : [];
            foreach (var e in events) log.Recorded(e.Stream, e.Version, e.Type, e.Actor, e.Correlation, e.Json);
            return new(result, events);
        }
    }

    DecisionContext ContextOf(string messageId, StreamRead read) => new(messageId, read.Now, new(read.Incarnation), StandingsOf(read.Leases), times);

    static Dictionary<HostName, HostStanding> StandingsOf(IReadOnlyList<Lease> leases) => leases.Select(l =>
    {
        var attributes = JsonSerializer.Deserialize(l.Attributes, StoredJson.Default.LeaseAttributes)!;
        return new HostStanding(new(l.Holder), new(l.Session), attributes.Boot, attributes.HostId, l.Alive);
    }).ToDictionary(s => s.Name);

    /// <summary>The switchover or failover that an event belongs to; or the other request, so that asking again finds what came of it.</summary>
    /// <param name="move">The one that the decision began with, and may have ended; or the one that it started.</param>
    static string? CorrelationOf(PoolEvent poolEvent, Move? move) => poolEvent switch
    {
        MoveEvent e => e.Id.Value,
        IHostDeed { Order: { } order } => order.Request().Value,
        FencingConfirmed e => (move?.Id ?? e.Request).Value,
        RequestRefused e => e.Request.Value,
        PolicySet e => e.Request.Value,
        CallOffRequested e => e.Request.Value,
        HaltAcknowledged e => e.Request.Value,
        AlertAcknowledged e => e.Request.Value,
        OrderReissued or OwnershipClaimed or OwnershipReleased or OwnershipUnverified => move?.Id.Value,
        _ => null,
    };

    static Commit CommitOf<TEvent>(
        string stream, string streamType, long version, Decision<TEvent> decision, Func<TEvent, string?> correlation, StreamRead read, BusMessage envelope, Handled? handled)
        where TEvent : notnull
    {
        var trace = TraceOf(envelope);
        return new(stream, streamType, version, read.Now, envelope.Key())
        {
            Events = [.. decision.Events.Select(e => Codec.Write(e, correlation(e.Event), trace))],
            Handled = handled,
            Messages = [.. decision.Messages.Select(m => MessageOf(m, read.Now, trace))],
        };
    }

    static NewMessage MessageOf(Outgoing outgoing, DateTimeOffset now, string? trace)
    {
        var message = new BusMessage(outgoing.Id, Actors.Server, outgoing.Subject, trace, outgoing.Message);
        return new(BusMessage.RowId(outgoing.Queue, message.Source, message.Id), outgoing.Queue, message.Write(now), outgoing.Delay ?? TimeSpan.Zero);
    }

    LeaseChange? LeaseChangeOf(IReadOnlyList<Recorded<HostEvent>> events) => events.Select(e => e.Event).LastOrDefault(e => e is HostSessionOpened or HostLeaseLost) switch
    {
        HostSessionOpened e => new LeaseChange.Grant(e.Host.Value, e.Session.Value, leaseDuration, JsonSerializer.Serialize(new(e.Boot, e.HostId), StoredJson.Default.LeaseAttributes)),
        HostLeaseLost e => new LeaseChange.Lose(e.Host.Value, e.Session.Value),
        _ => null,
    };

    static List<Document> DocumentsOf(Pool before, Pool after, AlertBook alerts)
    {
        var documents = new List<Document> { DocumentOf(Kinds.Ownership, after.Id.ToString(), PoolOwnership.Of(after), after.Version) };
        if (!ReferenceEquals(before.Move, after.Move) && Dossier.Of(after) is { } dossier) documents.Add(DocumentOf(dossier, after.Version));
        documents.AddRange(Changed(alerts, before.Version));
        return documents;
    }

    internal static Document DocumentOf(Dossier dossier, long version) => DocumentOf(Kinds.Dossier, DossierKey(dossier.Pool, dossier.Id), dossier, version);

    static IEnumerable<Document> Changed(AlertBook alerts, long since) => alerts.ChangedSince(since).Select(a => DocumentOf(Kinds.Alert, a.Id, a, a.Version));

    static Document DocumentOf<T>(string kind, string id, T document, long version) =>
        new(kind, id, JsonSerializer.Serialize(document, StoredJson.Default.GetTypeInfo(typeof(T))!), typeof(T).FullName!, version);

    static List<StoredEvent> Stored(Commit commit) => [.. commit.Events.Select((e, i) => new StoredEvent(
        commit.Stream, commit.ExpectedVersion + i + 1, e.Id, e.Type, e.Json, e.HeadersJson, commit.RecordedAt, e.ObservedAt, e.Actor, e.Correlation, commit.Causation))];

    /// <summary>A message without trace context begins a trace of its own, derived from what it is.</summary>
    static string TraceOf(BusMessage envelope) =>
        envelope.TraceParent ?? Activity.Current?.Id ?? $"00-{Derived.Uuid($"trace\n{envelope.Key()}"):N}-{Derived.Uuid($"span\n{envelope.Key()}").ToString("N")[..16]}-01";
}
