using Microsoft.AspNetCore.Mvc;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Server.DeadLetters;

/// <summary>Who wants a message handled once more.</summary>
sealed record ReplayBody(string By);

/// <summary>Who wants a message forgotten, and why.</summary>
sealed record DiscardBody(string By, string Reason);

/// <summary>What a request about one dead letter was logged under.</summary>
sealed class DeadLetterLog;

/// <summary>Reading, replaying and discarding the messages that were given up on.</summary>
static class DeadLetterEndpoints
{
    const int LimitDefault = 1000, LimitMax = 10_000;

    public static void MapDeadLetters(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/dead-letters", ListAsync);
        routes.MapGet("/dead-letters/{id}", OneAsync);
        routes.MapPost("/dead-letters/{id}/replays", ReplayAsync);
        routes.MapDelete("/dead-letters/{id}", DiscardAsync);
    }

    static async Task<IResult> ListAsync(string? queue, int? limit, IMessageQueue letters, CancellationToken cancellation) =>
        limit is <= 0 or > LimitMax ? BadRequest($"limit must be from 1 to {LimitMax}") : Results.Ok(await letters.DeadLettersAsync(queue, limit ?? LimitDefault, cancellation));

    static async Task<IResult> OneAsync(string id, IMessageQueue letters, CancellationToken cancellation) =>
        await letters.FindDeadLetterAsync(IdOf(id), cancellation) is { } letter ? Results.Ok(letter) : Unknown(id);

    /// <summary>Answers with the dead letter that the message was.</summary>
    static async Task<IResult> ReplayAsync(string id, ReplayBody body, IMessageQueue letters, ILogger<DeadLetterLog> log, CancellationToken cancellation)
    {
        if (string.IsNullOrWhiteSpace(body.By)) return BadRequest(IRequest.NobodyAsks);
        var letter = await letters.FindDeadLetterAsync(IdOf(id), cancellation);
        if (letter is null || !await letters.ReplayAsync(letter.Id, cancellation)) return Unknown(id);

        log.Replayed(letter.Id, letter.Queue, body.By);
        return Results.Accepted(value: letter);
    }

    /// <summary>Answers with the dead letter that there was; the log keeps it too.</summary>
    static async Task<IResult> DiscardAsync(string id, [FromBody] DiscardBody body, IMessageQueue letters, ILogger<DeadLetterLog> log, CancellationToken cancellation)
    {
        if (string.IsNullOrWhiteSpace(body.By)) return BadRequest(IRequest.NobodyAsks);
        if (string.IsNullOrWhiteSpace(body.Reason)) return BadRequest("'reason' must say why nobody needs the message, for the log");
        if (await letters.DiscardAsync(IdOf(id), cancellation) is not { } letter) return Unknown(id);

        log.Discarded(letter.Id, letter.Queue, letter.Reason, body.By, body.Reason, letter.Json);
        return Results.Ok(letter);
    }

    /// <exception cref="FormatException">No dead letter can have that id.</exception>
    static Guid IdOf(string id) => Guid.TryParse(id, out var guid)
        ? guid
        : throw new FormatException($"'{id}' is not a dead letter's id: expected a UUID, as 'zfsha dead-letters' lists it");

    static IResult Unknown(string id) => Problems.NotFound(
        "UnknownDeadLetter", $"no dead letter has the id {id}; 'zfsha dead-letters' lists those that there are, and one that was replayed or discarded is none any more");

    static IResult BadRequest(string detail) => Problems.Of(StatusCodes.Status400BadRequest, "BadRequest", detail);
}
