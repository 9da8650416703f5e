using System.Text.Json;
using Microsoft.AspNetCore.Mvc;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Domain.Views;
using ZfsHaEvents.Server.Projections;
using ZfsHaEvents.Server.Running;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Server.Pools;

/// <summary>An event in a pool's history as a client sees it.</summary>
/// <param name="Late">It arrived after newer news of its host.</param>
/// <param name="Request">The switchover or failover it belongs to.</param>
/// <param name="Message">The message that led to it.</param>
public sealed record HistoryEntry(
    long Version, Guid Id, string Type, DateTimeOffset ObservedAt, DateTimeOffset RecordedAt, string? Host, string? Boot, long? Sequence, bool Late, string? Actor,
    string? Request, string? Message, string? Trace, JsonElement Data)
{
    public static HistoryEntry Of(StoredEvent e)
    {
        var headers = EventCatalog.HeadersOf(e);
        using var data = JsonDocument.Parse(e.Json);
        return new(
            e.Version, e.Id, e.Type, e.ObservedAt, e.RecordedAt, headers?.Host?.Value, headers?.Boot?.ToString(), headers?.Sequence, headers?.Late is true, e.Actor,
            e.Correlation, e.Causation, headers?.Trace, data.RootElement.Clone());
    }
}

/// <summary>What a pool has been through, in numbers.</summary>
/// <param name="Version">The last event of its stream that they contain.</param>
public sealed record ActivityEntry(PoolGuid Pool, long Version, PoolActivity Activity)
{
    public static ActivityEntry Of(Document document) => new(PoolGuid.Parse(document.Id), document.Version, JsonSerializer.Deserialize(document.Json, StoredJson.Default.PoolActivity)!);
}

/// <summary>Reading pools: who holds them, what happened to them.</summary>
static class PoolEndpoints
{
    const int LimitDefault = 100, LimitMax = 10_000;

    /// <summary>What <see cref="OwnerAt"/> goes by: what each host saw last, what was last decided, and every doubt.</summary>
    static readonly string[] Sights = Codec.Catalog.NamesOf(OwnerAt.Sights), LastWords = Codec.Catalog.NamesOf(OwnerAt.LastWords), Doubts = Codec.Catalog.NamesOf(OwnerAt.Doubts);

    public static void MapPools(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/pools", (Dispatch dispatch, CancellationToken cancellation) => dispatch.PoolsAsync(cancellation));
        routes.MapGet("/pools/{pool}", OneAsync);
        routes.MapGet("/pools/{pool}/owner", OwnerAsync);
        routes.MapGet("/pools/{pool}/history", HistoryAsync);
        routes.MapGet("/pools/{pool}/activity", ActivityAsync);
        routes.MapGet("/activity", async (IEventStore store, CancellationToken cancellation) =>
            (await store.DocumentsAsync(PoolActivityProjection.Table, cancellation)).Select(ActivityEntry.Of));
    }

    static async Task<PoolOwnership> OneAsync(string pool, Dispatch dispatch, IEventStore store, CancellationToken cancellation)
    {
        var guid = await dispatch.KnownPoolAsync(PoolReference.Parse(pool), cancellation);
        var document = await store.DocumentAsync(StreamRunner.Kinds.Ownership, guid.ToString(), cancellation);
        return JsonSerializer.Deserialize(document!.Json, StoredJson.Default.PoolOwnership)!;
    }

    /// <summary><c>at</c> is an instant by the hosts' clocks; without it, now.</summary>
    static async Task<OwnerAt> OwnerAsync(string pool, DateTimeOffset? at, Dispatch dispatch, IEventStore store, CancellationToken cancellation)
    {
        var guid = await dispatch.KnownPoolAsync(PoolReference.Parse(pool), cancellation);
        return await OwnerOfAsync(guid, at, store, cancellation);
    }

    /// <summary>Who held a pool, from the few events that say so.</summary>
    /// <param name="at">An instant by the hosts' clocks; null for all that was told: a host's clock may be ahead of the database's.</param>
    public static async Task<OwnerAt> OwnerOfAsync(PoolGuid pool, DateTimeOffset? at, IEventStore store, CancellationToken cancellation)
    {
        var until = at ?? DateTimeOffset.MaxValue;
        var stream = StreamRunner.StreamOf(pool);
        List<Recorded<PoolEvent>> known = [.. (await store.AsOfAsync(new(stream, until, Sights, LastWords), cancellation)).Select(Codec.ReadPoolEvent)];
        var owner = OwnerAt.Of(pool, known, until);
        if (owner.Holders.Count > 0) // Whether they may have stopped is told by what came after they were seen, of which there is little.
        {
            var seen = known.Where(e => owner.Holders.Any(h => h.Evidence == e.Id)).Min(e => e.Version);
            var doubts = await store.QueryAsync(new(stream, Doubts, Host: null, Correlation: null, From: null, To: at, seen, int.MaxValue, NewestFirst: false), cancellation);
            owner = OwnerAt.Of(pool, [.. known, .. doubts.Select(Codec.ReadPoolEvent)], until);
        }

        return at is null ? owner with { At = (await store.LoadAsync("none", cancellation)).Now } : owner; // The database's clock.
    }

    static async Task<IResult> ActivityAsync(string pool, Dispatch dispatch, IEventStore store, CancellationToken cancellation)
    {
        var guid = await dispatch.KnownPoolAsync(PoolReference.Parse(pool), cancellation);
        return await store.DocumentAsync(PoolActivityProjection.Table, guid.ToString(), cancellation) is { } document
            ? Results.Ok(ActivityEntry.Of(document))
            : Problems.NotFound("NoActivityYet", $"the numbers of pool {pool} have not been made yet; 'zfsha projections' tells how far they are");
    }

    static async Task<IResult> HistoryAsync(
        string pool, [FromQuery] string[]? type, string? host, string? request, DateTimeOffset? from, DateTimeOffset? to, long? after, int? limit, bool? newestFirst,
        Dispatch dispatch, IEventStore store, CancellationToken cancellation)
    {
        if (limit is <= 0 or > LimitMax) return Problems.Of(StatusCodes.Status400BadRequest, "BadRequest", $"limit must be from 1 to {LimitMax}");
        if (type?.FirstOrDefault(t => Codec.Catalog.NamesOf(t) is null) is { } unknown)
            return Problems.Of(StatusCodes.Status400BadRequest, "UnknownEventType", $"'{unknown}' is not an event type; they are: {string.Join(", ", Codec.Catalog.Types.Select(t => t.Alias))}");

        var guid = await dispatch.KnownPoolAsync(PoolReference.Parse(pool), cancellation);
        var events = await store.QueryAsync(
            new(StreamRunner.StreamOf(guid), [.. (type ?? []).SelectMany(t => Codec.Catalog.NamesOf(t)!)], host, request, from, to, after ?? 0, limit ?? LimitDefault, newestFirst ?? false), cancellation);
        return Results.Ok(events.Select(HistoryEntry.Of));
    }
}
