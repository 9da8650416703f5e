using System.Text.Json;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Domain.Views;
using ZfsHaEvents.Server.Pools;
using ZfsHaEvents.Server.Running;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Server.Failovers;

/// <summary>What is asked of a pool over HTTP. <c>id</c> is the caller's, and makes asking twice harmless; without it one is made.</summary>
sealed record SwitchoverBody(HostName To, string By, string? Reason = null, RequestId? Id = null);

/// <inheritdoc cref="SwitchoverBody"/>
sealed record FailoverBody(string By, HostName? To = null, string? Reason = null, HostName? FencedHost = null, string? FencingStatement = null, RequestId? Id = null);

/// <inheritdoc cref="SwitchoverBody"/>
sealed record FencingBody(HostName Host, string By, string Statement, RequestId? Id = null);

/// <inheritdoc cref="SwitchoverBody"/>
sealed record CallOffBody(string By, string Reason, RequestId? Id = null);

/// <inheritdoc cref="SwitchoverBody"/>
sealed record AcknowledgeBody(string By, string Comment, RequestId? Id = null);

/// <inheritdoc cref="SwitchoverBody"/>
sealed record PolicyBody(bool Automatic, FencingMethod Fencing, IReadOnlyList<HostName> Targets, string By, RequestId? Id = null);

/// <summary>Asking for switchovers and failovers, and reading their dossiers.</summary>
static class FailoverEndpoints
{
    public static void MapFailovers(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/pools/{pool}/switchovers", (string pool, SwitchoverBody body, Requests requests, CancellationToken cancellation) =>
            requests.AskAsync(new SwitchoverPool(Requests.IdOf(body.Id), PoolReference.Parse(pool), body.To, body.By, body.Reason), cancellation));
        routes.MapPost("/pools/{pool}/failovers", (string pool, FailoverBody body, Requests requests, CancellationToken cancellation) =>
            requests.AskAsync(new FailoverPool(Requests.IdOf(body.Id), PoolReference.Parse(pool), body.By, body.To, body.Reason, body.FencedHost, body.FencingStatement), cancellation));
        routes.MapPost("/pools/{pool}/fencing-confirmations", (string pool, FencingBody body, Requests requests, CancellationToken cancellation) =>
            requests.AskAsync(new ConfirmFencing(Requests.IdOf(body.Id), PoolReference.Parse(pool), body.Host, body.By, body.Statement), cancellation));
        routes.MapPost("/pools/{pool}/halt-acknowledgements", (string pool, AcknowledgeBody body, Requests requests, CancellationToken cancellation) =>
            requests.AskAsync(new AcknowledgeHalt(Requests.IdOf(body.Id), PoolReference.Parse(pool), body.By, body.Comment), cancellation));
        routes.MapPut("/pools/{pool}/policy", (string pool, PolicyBody body, Requests requests, CancellationToken cancellation) =>
            requests.AskAsync(new SetPoolPolicy(Requests.IdOf(body.Id), PoolReference.Parse(pool), new(body.Automatic, body.Fencing, body.Targets), body.By), cancellation));

        routes.MapGet("/moves", AllAsync);
        routes.MapGet("/moves/{id}", (string id, string? pool, Requests requests, CancellationToken cancellation) => requests.MoveAsync(id, pool, cancellation));
        routes.MapGet("/moves/{id}/events", EventsAsync);
        routes.MapPost("/moves/{id}/call-offs", CallOffAsync);
    }

    static async Task<IEnumerable<Dossier>> AllAsync(string? pool, Dispatch dispatch, IEventStore store, CancellationToken cancellation)
    {
        var guid = pool is not null ? await dispatch.KnownPoolAsync(PoolReference.Parse(pool), cancellation) : (PoolGuid?)null;
        var dossiers = (await store.DocumentsAsync(StreamRunner.Kinds.Dossier, cancellation)).Select(d => JsonSerializer.Deserialize(d.Json, StoredJson.Default.Dossier)!);
        return dossiers.Where(d => guid is null || d.Pool == guid).OrderByDescending(d => d.StartedAt);
    }

    static async Task<IEnumerable<HistoryEntry>> EventsAsync(string id, string? pool, Requests requests, IEventStore store, CancellationToken cancellation)
    {
        var move = await requests.MoveAsync(id, pool, cancellation);
        var events = await store.QueryAsync(new(StreamRunner.StreamOf(move.Pool), [], null, id, null, null, 0, 1000, NewestFirst: false), cancellation);
        return events.Select(HistoryEntry.Of);
    }

    static async Task<IResult> CallOffAsync(string id, string? pool, CallOffBody body, Requests requests, CancellationToken cancellation)
    {
        var move = await requests.MoveAsync(id, pool, cancellation);
        return await requests.AskAsync(new CallOffMove(Requests.IdOf(body.Id), new(move.Pool.ToString()), move.Id, body.By, body.Reason), cancellation);
    }
}

/// <summary>Has a request decided, and answers with what came of it.</summary>
sealed class Requests(Dispatch dispatch, IEventStore store)
{
    /// <summary>The caller's id, or a new one.</summary>
    public static RequestId IdOf(RequestId? given) => given ?? new(Guid.CreateVersion7().ToString());

    public async Task<IResult> AskAsync(IRequest request, CancellationToken cancellation)
    {
        if (string.IsNullOrWhiteSpace(request.By)) return Problems.Of(StatusCodes.Status400BadRequest, "BadRequest", IRequest.NobodyAsks);

        var ran = await dispatch.RunAsync(new(request.Id.Value, "http", null, null, request), handled: null, cancellation);
        if (ran.Result is not CommitResult.Committed) return Problems.Of(StatusCodes.Status503ServiceUnavailable, ran.Result.ToString(), "the request could not be recorded; ask again with the same id");

        var events = ran.Events.Count > 0 ? ran.Events : await EarlierAsync(request, cancellation);
        foreach (var recorded in events.Select(Codec.ReadPoolEvent))
        {
            if (recorded.Event is MoveRefused move && move.Id == request.Id) return Problems.Refused(move.Reason.ToString(), move.Detail);
            if (recorded.Event is RequestRefused refused && refused.Request == request.Id) return Problems.Refused(refused.Reason.ToString(), refused.Detail);
        }

        var pool = request is SwitchoverPool or FailoverPool ? await dispatch.KnownPoolAsync(request.Pool, cancellation) : (PoolGuid?)null;
        var answer = new { request.Id, Events = events.Select(HistoryEntry.Of), Dossier = pool is { } guid ? await DossierAsync(guid, request.Id, cancellation) : null };
        return pool is not null ? Results.Accepted($"/moves/{request.Id}?pool={pool}", answer) : Results.Ok(answer);
    }

    /// <summary>The same request once more: what it came to the first time.</summary>
    async Task<IReadOnlyList<StoredEvent>> EarlierAsync(IRequest request, CancellationToken cancellation)
    {
        var guid = await dispatch.KnownPoolAsync(request.Pool, cancellation);
        return await store.QueryAsync(new(StreamRunner.StreamOf(guid), [], null, request.Id.Value, null, null, 0, 1000, NewestFirst: false), cancellation);
    }

    /// <summary>The move of that id. Of which pool needs to be said only where several have one.</summary>
    /// <exception cref="UndeliverableException">No such move or pool, or several.</exception>
    public async Task<Dossier> MoveAsync(string id, string? pool, CancellationToken cancellation)
    {
        var move = RequestId.Parse(id);
        var found = new List<Dossier>();
        foreach (var guid in pool is null ? (await dispatch.PoolsAsync(cancellation)).Select(p => p.Pool) : [await dispatch.KnownPoolAsync(PoolReference.Parse(pool), cancellation)])
            if (await DossierAsync(guid, move, cancellation) is { } dossier) found.Add(dossier);

        return found switch
        {
            [var one] => one,
            [] => throw new UndeliverableException(
                "UnknownMove", $"no switchover or failover{(pool is null ? "" : $" of {pool}")} has the id {move}; a refused one has no dossier, only its refusal in the pool's history"),
            _ => throw new UndeliverableException(
                "AmbiguousMove", $"{found.Count} pools have a move with the id {move}: {string.Join(", ", found.Select(d => $"{d.Pool} ({d.PoolName?.Value ?? "no name"})"))}; say which pool's with --pool, over HTTP with ?pool="),
        };
    }

    async Task<Dossier?> DossierAsync(PoolGuid pool, RequestId move, CancellationToken cancellation) =>
        await store.DocumentAsync(StreamRunner.Kinds.Dossier, StreamRunner.DossierKey(pool, move), cancellation) is { } document
            ? JsonSerializer.Deserialize(document.Json, StoredJson.Default.Dossier)
            : null;
}
