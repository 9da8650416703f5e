using System.Data.Common;
using ZfsHaEvents.Server.Running;
using ZfsHaEvents.Store;
using ZfsHaEvents.Store.Reading;

namespace ZfsHaEvents.Server.Projections;

/// <summary>
/// Brings the inline views up to what others have appended: a Marten application writes events past them. What we append finds its views
/// written already, in the same transaction.
/// </summary>
public sealed class InlineViews(IEventStore store, StreamRunner streams, ILogger<InlineViews> log) : ISubscriber
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
        var parked = new List<ParkedStream>();
        var last = page.Select(p => p.Event).GroupBy(e => e.Stream).Select(g => g.MaxBy(e => e.Version)!).ToList();
        foreach (var (kind, prefix) in ((string, string)[])[(StreamRunner.Kinds.Ownership, "pool-"), (StreamRunner.Kinds.Host, "host-")])
        {
            var streams = last.Where(e => e.Stream.StartsWith(prefix, StringComparison.Ordinal)).ToList();
            if (streams.Count == 0) continue;

            var versions = await store.DocumentVersionsAsync(kind, [.. streams.Select(e => e.Stream[prefix.Length..])], cancellation);
            foreach (var e in streams.Where(e => versions.GetValueOrDefault(e.Stream[prefix.Length..]) < e.Version))
                if (await RefreshAsync(e, versions.GetValueOrDefault(e.Stream[prefix.Length..]), cancellation) is { } error) parked.Add(new(e.Stream, e.Version, e.Type, error));
        }

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
