namespace ZfsHaEvents.Store;

/// <summary>Streams of events, appended to under the version they were read at, and the documents derived from them.</summary>
public interface IEventStore
{
    /// <summary>Reads a whole stream, the database's clock and every lease in one statement.</summary>
    /// <param name="each">Given each event as it arrives, in order, so that folding them need not wait for the last.</param>
    Task<StreamRead> LoadAsync(string stream, Action<StoredEvent>? each, CancellationToken cancellation);

    /// <summary>Writes all of it in one transaction, or nothing. A conflict is a value, not an exception.</summary>
    Task<CommitResult> CommitAsync(Commit commit, CancellationToken cancellation);

    /// <summary>Events of one stream, filtered.</summary>
    Task<IReadOnlyList<StoredEvent>> QueryAsync(EventQuery query, CancellationToken cancellation);

    /// <summary>What is known of a stream as of an instant, by the clocks of those who saw it, without reading all of it.</summary>
    Task<IReadOnlyList<StoredEvent>> AsOfAsync(AsOfQuery query, CancellationToken cancellation);

    /// <summary>Every document of a kind, by id.</summary>
    Task<IReadOnlyList<Document>> DocumentsAsync(string kind, CancellationToken cancellation);

    /// <summary>One document; null when there is none.</summary>
    Task<Document?> DocumentAsync(string kind, string id, CancellationToken cancellation);
}

/// <summary>What every event store can do by what it can do.</summary>
public static class EventStoreExtensions
{
    /// <inheritdoc cref="IEventStore.LoadAsync"/>
    public static Task<StreamRead> LoadAsync(this IEventStore store, string stream, CancellationToken cancellation) => store.LoadAsync(stream, each: null, cancellation);
}
