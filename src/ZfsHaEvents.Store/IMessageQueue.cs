namespace ZfsHaEvents.Store;

/// <summary>
/// Durable queues: at least once, in order within a group (the message's <c>subject</c>), different groups side by side. A
/// taken message that is not completed in time is given out again.
/// </summary>
public interface IMessageQueue
{
    /// <summary>Puts messages on their queues; and, in the same transaction, completes the one they answer.</summary>
    /// <remarks>A message whose id stands on a queue already is not put again.</remarks>
    Task SendAsync(IReadOnlyList<NewMessage> messages, Guid? completes, CancellationToken cancellation);

    /// <summary>Takes up to <paramref name="max"/> due messages, at most one of each group, each for the visibility time.</summary>
    Task<IReadOnlyList<ClaimedMessage>> ClaimAsync(string queue, int max, TimeSpan visibility, CancellationToken cancellation);

    /// <summary>Keeps taken messages for longer.</summary>
    Task ExtendAsync(IReadOnlyList<ClaimedMessage> messages, TimeSpan visibility, CancellationToken cancellation);

    /// <summary>Gives a taken message back, to fall due again after the delay.</summary>
    Task RetryAsync(ClaimedMessage message, TimeSpan delay, string error, CancellationToken cancellation);

    /// <summary>Gives up on a taken message; it is kept with the reason.</summary>
    Task DeadLetterAsync(ClaimedMessage message, string reason, string detail, CancellationToken cancellation);

    /// <summary>What was given up on, newest first.</summary>
    /// <param name="queue">Only what was taken from this queue; null for all.</param>
    Task<IReadOnlyList<DeadLetter>> DeadLettersAsync(string? queue, int max, CancellationToken cancellation);

    /// <summary>One message that was given up on; null when there is none of that id.</summary>
    Task<DeadLetter?> FindDeadLetterAsync(Guid id, CancellationToken cancellation);

    /// <summary>
    /// Puts a message that was given up on back on its queue: as one that was never taken, behind those of its group. One that its sender has put
    /// there again meanwhile stays as it is. Had the message been handled after all, it is noticed as a repeat, as ever.
    /// </summary>
    /// <returns>False when there is no dead letter of that id.</returns>
    Task<bool> ReplayAsync(Guid id, CancellationToken cancellation);

    /// <summary>Forgets a message that was given up on, for good.</summary>
    /// <returns>What was forgotten, for the log; null when there is no dead letter of that id.</returns>
    Task<DeadLetter?> DiscardAsync(Guid id, CancellationToken cancellation);

    /// <summary>
    /// Forgets the keys of messages that were handled longer ago, by the database's clock, oldest first. A repeat of such a message is not noticed by
    /// the queue any more.
    /// </summary>
    /// <param name="max">At most so many at once: one short transaction.</param>
    /// <returns>How many were forgotten; fewer than <paramref name="max"/> when no more were that old, or others are at them.</returns>
    Task<int> ForgetHandledAsync(TimeSpan olderThan, int max, CancellationToken cancellation);

    /// <summary>Returns when a message may be due on the queue, or after <paramref name="longest"/>.</summary>
    Task WaitAsync(string queue, TimeSpan longest, CancellationToken cancellation);
}

/// <summary>Leases, timed by the database's clock alone.</summary>
public interface ILeases
{
    /// <summary>
    /// Renews. False when the lease was lost or belongs to another session, or was never granted. Synchronous, so that a holder
    /// can renew from a thread of its own, whatever its other threads wait for.
    /// </summary>
    bool Renew(string holder, Guid session);

    /// <summary>The identity of the history that leases and orders belong to.</summary>
    Task<Guid> IncarnationAsync(CancellationToken cancellation);

    /// <summary>
    /// Begins another incarnation when this database is not where its history was last written: restored from a dump, or a standby that was
    /// promoted. Then no lease can be renewed, hosts open new sessions, and orders of the old history are refused.
    /// </summary>
    /// <returns>The ordinal of the incarnation that goes on.</returns>
    Task<int> SettleIncarnationAsync(CancellationToken cancellation);

    /// <summary>One beat of the watch: the leases that ran out. A gap between beats longer than <paramref name="gap"/> gives every lease its full time again.</summary>
    Task<IReadOnlyList<ExpiredLease>> WatchAsync(TimeSpan gap, CancellationToken cancellation);
}
