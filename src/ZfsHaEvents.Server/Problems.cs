using ZfsHaEvents.Server.Running;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Server;

/// <summary>Errors as problem+json (RFC 9457): <c>type</c> is one word that programs can go by, <c>detail</c> a sentence for people.</summary>
static class Problems
{
    public static IResult Of(int status, string type, string detail) => Results.Problem(detail, statusCode: status, type: type, title: type);

    /// <summary>The domain said no.</summary>
    public static IResult Refused(string reason, string detail) => Of(StatusCodes.Status409Conflict, reason, detail);

    public static IResult NotFound(string type, string detail) => Of(StatusCodes.Status404NotFound, type, detail);

    /// <summary>What an endpoint may throw, in its right form. Anything else is a bug, and is logged as one.</summary>
    public static void UseProblems(this WebApplication app) => app.Use(async (context, next) =>
    {
        try
        {
            await next(context);
        }
        catch (UndeliverableException e)
        {
            await Of(e.Reason is "AmbiguousPool" or "AmbiguousMove" ? StatusCodes.Status409Conflict : StatusCodes.Status404NotFound, e.Reason, e.Detail).ExecuteAsync(context);
        }
        catch (BadHttpRequestException e)
        {
            await Of(e.StatusCode, "BadRequest", e.InnerException?.Message ?? e.Message).ExecuteAsync(context);
        }
        catch (FormatException e)
        {
            await Of(StatusCodes.Status400BadRequest, "BadRequest", e.Message).ExecuteAsync(context);
        }
        catch (Exception e) when (DatabaseOutage.Is(e))
        {
            await Of(StatusCodes.Status503ServiceUnavailable, "DatabaseUnavailable", $"the database does not answer: {e.Message}").ExecuteAsync(context);
        }
    });
}
