using System.Data.Common;
using ZfsHaEvents.Server.Running;
using ZfsHaEvents.Store;
using ZfsHaEvents.Store.Reading;

namespace ZfsHaEvents.Server.Projections;

/// <summary>
/// Brings the inline views up to what others have appended: a Marten application writes events past them. What we append finds its views
/// written already, in the same transaction.
/// </summary>
public sealed class InlineViews(StreamRunner streams, ILogger<InlineViews> log) : ISubscriber
{
    /// <inheritdoc/>
    public string Name => "InlineViews:All";

    /// <inheritdoc/>
    public Task ResetAsync(CancellationToken cancellation) => Task.CompletedTask; // Nothing is remembered.

    /// <inheritdoc/>
    public Task CaughtUpAsync(Guid runner, CancellationToken cancellation) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task<Effects> TakeInAsync(IReadOnlyList<PlacedEvent> page, CancellationToken cancellation)
    {
        // Whether or not we have appended to the stream since: what we wrote then tells only what changed by it.
        var parked = new List<ParkedStream>();
        foreach (var others in page.Where(p => p.ByOthers).Select(p => p.Event).GroupBy(e => e.Stream).Where(g => g.Key.StartsWith("pool-", StringComparison.Ordinal) || g.Key.StartsWith("host-", StringComparison.Ordinal)))
            if (await RefreshAsync(others.MaxBy(e => e.Version)!, others.Min(e => e.Version) - 1, cancellation) is { } error) parked.Add(new(others.Key, others.Min(e => e.Version), others.First().Type, error));
        return Effects.None with { Parked = parked };
    }

    async Task<string?> RefreshAsync(StoredEvent e, long since, CancellationToken cancellation)
    {
        try
        {
            await streams.RefreshAsync(e.Stream, since, cancellation);
            log.ViewsRefreshed(e.Stream, since, e.Version);
            return null;
        }
        catch (Exception exception) when (exception is not (OperationCanceledException or DbException) && !DatabaseOutage.Is(exception))
        {
            log.ViewsNotRefreshed(exception, e.Stream, e.Version);
            return exception.Message; // A stream of a name that no pool or host can have, or that cannot be folded: the others go on.
        }
    }
}
