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
        routes.MapGet("/moves/{id}", async (string id, IEventStore store, CancellationToken cancellation) =>
            await Requests.DossierAsync(store, RequestId.Parse(id), cancellation) is { } dossier ? Results.Ok(dossier) : NoSuchMove(id));
        routes.MapGet("/moves/{id}/events", EventsAsync);
        routes.MapPost("/moves/{id}/call-offs", CallOffAsync);
    }

    static async Task<IEnumerable<Dossier>> AllAsync(string? pool, Dispatch dispatch, IEventStore store, CancellationToken cancellation)
    {
        var guid = pool is not null ? await dispatch.KnownPoolAsync(PoolReference.Parse(pool), cancellation) : (PoolGuid?)null;
        var dossiers = (await store.DocumentsAsync(StreamRunner.Kinds.Dossier, cancellation)).Select(d => JsonSerializer.Deserialize(d.Json, StoredJson.Default.Dossier)!);
        return dossiers.Where(d => guid is null || d.Pool == guid).OrderByDescending(d => d.StartedAt);
    }

    static async Task<IResult> EventsAsync(string id, IEventStore store, CancellationToken cancellation)
    {
        if (await Requests.DossierAsync(store, RequestId.Parse(id), cancellation) is not { } dossier) return NoSuchMove(id);
        var events = await store.QueryAsync(new(StreamRunner.StreamOf(dossier.Pool), [], null, id, null, null, 0, 1000, NewestFirst: false), cancellation);
        return Results.Ok(events.Select(HistoryEntry.Of));
    }

    static async Task<IResult> CallOffAsync(string id, CallOffBody body, Requests requests, IEventStore store, CancellationToken cancellation) =>
        await Requests.DossierAsync(store, RequestId.Parse(id), cancellation) is { } dossier
            ? await requests.AskAsync(new CallOffMove(Requests.IdOf(body.Id), new(dossier.Pool.ToString()), dossier.Id, body.By, body.Reason), cancellation)
            : NoSuchMove(id);

    static IResult NoSuchMove(string id) => Problems.NotFound("UnknownMove", $"no switchover or failover has the id {id}; a refused one has no dossier, only its refusal in the pool's history");
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

        var answer = new { request.Id, Events = events.Select(HistoryEntry.Of), Dossier = request is SwitchoverPool or FailoverPool ? await DossierAsync(store, request.Id, cancellation) : null };
        return request is SwitchoverPool or FailoverPool ? Results.Accepted($"/moves/{request.Id}", answer) : Results.Ok(answer);
    }

    /// <summary>The same request once more: what it came to the first time.</summary>
    async Task<IReadOnlyList<StoredEvent>> EarlierAsync(IRequest request, CancellationToken cancellation)
    {
        var guid = await dispatch.KnownPoolAsync(request.Pool, cancellation);
        return await store.QueryAsync(new(StreamRunner.StreamOf(guid), [], null, request.Id.Value, null, null, 0, 1000, NewestFirst: false), cancellation);
    }

    public static async Task<Dossier?> DossierAsync(IEventStore store, RequestId id, CancellationToken cancellation) =>
        await store.DocumentAsync(StreamRunner.Kinds.Dossier, id.Value, cancellation) is { } document ? JsonSerializer.Deserialize(document.Json, StoredJson.Default.Dossier) : null;
}
