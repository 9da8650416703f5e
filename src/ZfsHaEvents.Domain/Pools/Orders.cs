namespace ZfsHaEvents.Domain.Pools;

/// <summary>
/// What every order carries. The host obeys it only in the session it names, only if it has obeyed no higher epoch of this
/// history for the pool, and only before <see cref="NotAfter"/>; it writes the epoch to disk before the effect.
/// </summary>
/// <param name="Request">The switchover or failover that the order is part of.</param>
/// <param name="NotAfter">By the database's clock: not begun later than this.</param>
/// <param name="Limit">Once begun, how long the command may take before the host reports it as not ended.</param>
public sealed record OrderHeader(
    OrderId Id, RequestId Request, PoolGuid Pool, Incarnation Incarnation, Epoch Epoch, SessionId Session, DateTimeOffset NotAfter, TimeSpan Limit);

/// <summary>An order to one host about one pool.</summary>
public interface IOrder
{
    OrderHeader Header { get; }
}

/// <summary>Export the pool, so that another host can import it.</summary>
public sealed record ExportPool(OrderHeader Header) : IOrder;

/// <summary>Import the pool read-write, with <c>-o cachefile=none</c>.</summary>
/// <param name="Force">The proof that <c>-f</c> is needed and permitted; null for an import without it.</param>
/// <param name="Leaves">The leaf devices, as far as known; they spare ZFS the search.</param>
public sealed record ImportPool(OrderHeader Header, ForceProof? Force, IReadOnlyList<string> Leaves) : IOrder;

/// <summary>Read the pool's labels and newest uberblocks. Has no effect on the disks.</summary>
/// <param name="Leaves">The leaf devices to read, as the last holder had them.</param>
public sealed record ReadLabels(OrderHeader Header, IReadOnlyList<string> Leaves) : IOrder;

/// <summary>
/// Why an <c>import -f</c> is permitted: somebody asked for force, and somebody keeps the other host off the disks.
/// Without both there is no forced import.
/// </summary>
/// <param name="AskedBy">The event that shows force is needed: a refusal that asked for it, or a label read as ACTIVE under another hostid.</param>
/// <param name="FencedBy">The event with the fencing evidence; null when the proof is MMP, read from the disks by the importer itself.</param>
/// <param name="LastHolder">The hostid that the label must still carry when the importer looks again.</param>
public sealed record ForceProof(EventId AskedBy, EventId? FencedBy, ZfsHostId LastHolder)
{
    /// <summary>The importer must find MMP active in the newest uberblock before it uses <c>-f</c>.</summary>
    public bool RestsOnMmp() => FencedBy is null;
}
