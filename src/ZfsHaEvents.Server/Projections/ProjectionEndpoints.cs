using ZfsHaEvents.Server.Running;
using ZfsHaEvents.Store.Projections;

namespace ZfsHaEvents.Server.Projections;

/// <summary>Who asks for it.</summary>
sealed record AskedBody(string By);

/// <summary>A parked stream that is to be tried again.</summary>
sealed record ReplayBody(string By, string Stream);

/// <summary>Readers of events: how far they are, what holds them back, what they could not take in.</summary>
static class ProjectionEndpoints
{
    public static void MapProjections(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/projections", async (ProjectionControl control, CancellationToken cancellation) =>
            new { Readers = await control.StatusAsync(cancellation), HoldingBack = await control.HoldingBackAsync(cancellation), LastSeqId = await control.LastSeqIdAsync(cancellation) });
        routes.MapPost("/projections/{name}/pauses", PauseAsync);
        routes.MapPost("/projections/{name}/resumptions", ResumeAsync);
        routes.MapPost("/projections/{name}/rebuilds", RebuildAsync);
        routes.MapPost("/projections/{name}/replays", ReplayAsync);
    }

    static async Task<IResult> PauseAsync(string name, AskedBody body, ProjectionControl control, ILogger<Readers> log, CancellationToken cancellation) =>
        Nobody(body.By) ?? await DoneAsync(name, body.By, "pause", await NameOfAsync(name, control, cancellation) is { } reader && await control.PauseAsync(reader, body.By, cancellation), control, log, cancellation);

    static async Task<IResult> ResumeAsync(string name, AskedBody body, ProjectionControl control, ILogger<Readers> log, CancellationToken cancellation) =>
        Nobody(body.By) ?? await DoneAsync(name, body.By, "resume", await NameOfAsync(name, control, cancellation) is { } reader && await control.ResumeAsync(reader, cancellation), control, log, cancellation);

    static async Task<IResult> RebuildAsync(
        string name, AskedBody body, ProjectionControl control, IReadOnlyList<IProjection> projections, ILogger<Readers> log, CancellationToken cancellation)
    {
        if (Nobody(body.By) is { } nobody) return nobody;
        if (projections.FirstOrDefault(p => p.Name == name || ProjectionSubscriber.LiveName(p) == name) is not { } projection)
            return Problems.NotFound("UnknownProjection", $"there is no projection '{name}'; there are: {string.Join(", ", projections.Select(p => p.Name))}");
        return await control.RebuildAsync(projection, cancellation)
            ? await DoneAsync(name, body.By, "rebuild", done: true, control, log, cancellation)
            : Problems.Refused("RebuildRunning", $"{projection.Name} is being made anew already; 'zfsha projections' tells how far it is");
    }

    static async Task<IResult> ReplayAsync(
        string name, ReplayBody body, ProjectionControl control, InlineViews inline, StreamRunner runner, ILogger<Readers> log, CancellationToken cancellation)
    {
        if (Nobody(body.By) is { } nobody) return nobody;
        try
        {
            var reader = await NameOfAsync(name, control, cancellation) ?? name;
            log.ReaderAsked(reader, "replay " + body.Stream, body.By);
            if (reader == inline.Name)
            {
                if (!(await control.StatusAsync(cancellation)).Any(r => r.Name == reader && r.Parked.Any(p => p.Stream == body.Stream)))
                    throw new KeyNotFoundException($"'{reader}' has not parked a stream '{body.Stream}'"); // Views of a stream that does not exist must not come of it.
                await runner.RefreshAsync(body.Stream, since: 0, cancellation);
                await control.ForgetParkedAsync(reader, body.Stream, cancellation);
                return Results.Ok(await control.StatusAsync(cancellation));
            }

            return await control.ReplayAsync(reader, body.Stream, cancellation) is { } still
                ? Problems.Refused("StillParked", $"version {still.Version} of {body.Stream}, of the type {still.Type}, still cannot be taken in: {still.Error}")
                : Results.Ok(await control.StatusAsync(cancellation));
        }
        catch (FormatException e)
        {
            return Problems.Refused("StillParked", $"{body.Stream} is no stream of a pool or a host that could be: {e.Message}");
        }
        catch (KeyNotFoundException e)
        {
            return Problems.NotFound("NotParked", $"{e.Message}; 'zfsha projections' lists those that are");
        }
    }

    /// <summary>A reader's own name, of which the part before the colon is enough.</summary>
    static async Task<string?> NameOfAsync(string name, ProjectionControl control, CancellationToken cancellation)
    {
        var names = (await control.StatusAsync(cancellation)).Select(r => r.Name).ToList();
        return names.Find(n => n == name) ?? names.Find(n => n.EndsWith(":All", StringComparison.Ordinal) && n.Split(':')[0] == name);
    }

    static IResult? Nobody(string by) => string.IsNullOrWhiteSpace(by) ? Problems.Of(StatusCodes.Status400BadRequest, "BadRequest", Domain.Pools.IRequest.NobodyAsks) : null;

    static async Task<IResult> DoneAsync(string name, string by, string what, bool done, ProjectionControl control, ILogger<Readers> log, CancellationToken cancellation)
    {
        if (!done) return Problems.NotFound("UnknownReader", $"there is no reader '{name}'; there are: {string.Join(", ", (await control.StatusAsync(cancellation)).Select(r => r.Name))}");
        log.ReaderAsked(name, what, by);
        return Results.Ok(await control.StatusAsync(cancellation));
    }
}
