namespace ZfsHaEvents.Store.Reading;

/// <summary>
/// A place in the order of reading. Below <c>pg_snapshot_xmin</c> nothing is ever added to what stands before it, which is not so of
/// <c>seq_id</c> alone: numbers are drawn before transactions commit, and they commit in any order.
/// </summary>
/// <param name="Incarnation">The ordinal of the history, for transaction ids begin anew in a restored database.</param>
/// <param name="TransactionId">PostgreSQL's <c>xid8</c>: of the writer, or of the version before in the stream when that is later.</param>
/// <param name="SeqId">Marten's <c>seq_id</c>.</param>
public readonly record struct Position(int Incarnation, ulong TransactionId, long SeqId)
{
    /// <summary>Before everything.</summary>
    public static Position Start { get; }
}

/// <summary>An event and its place.</summary>
/// <param name="ByOthers">It was appended past <see cref="IEventStore.CommitAsync"/>, so that no inline document came with it.</param>
public sealed record PlacedEvent(Position Position, StoredEvent Event, bool ByOthers);
