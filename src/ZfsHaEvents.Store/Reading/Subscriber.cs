namespace ZfsHaEvents.Store.Reading;

/// <summary>What follows from a page of events, written in one transaction with the reader's new place.</summary>
/// <param name="Documents">Documents of one kind; null when there are none.</param>
/// <param name="Parked">Streams that could not be taken in, each from an event on.</param>
public sealed record Effects(string? Kind, string? DotnetType, IReadOnlyList<Document> Documents, IReadOnlyList<ParkedStream> Parked)
{
    /// <summary>Only the place moves on.</summary>
    public static Effects None { get; } = new(null, null, [], []);
}

/// <summary>A stream that a reader skips from this event on, until it is replayed.</summary>
public sealed record ParkedStream(string Stream, long Version, string Type, string Error);

/// <summary>Takes in every event, in order.</summary>
public interface ISubscriber
{
    /// <summary>The name under which its place is kept: <c>Name:All</c>, as Marten names its own.</summary>
    string Name { get; }

    /// <summary>It may have been run elsewhere meanwhile, or parked streams may have been replayed: what is remembered between pages is void.</summary>
    Task ResetAsync(CancellationToken cancellation);

    /// <summary>What follows from these events. Called again with the same events when the place could not be moved.</summary>
    Task<Effects> TakeInAsync(IReadOnlyList<PlacedEvent> page, CancellationToken cancellation);

    /// <summary>There is nothing more to read for now.</summary>
    Task CaughtUpAsync(Guid runner, CancellationToken cancellation);
}
