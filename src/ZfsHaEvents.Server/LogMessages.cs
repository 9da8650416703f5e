namespace ZfsHaEvents.Server;

/// <summary>Every line the server logs.</summary>
static partial class LogMessages
{
    [LoggerMessage(1, LogLevel.Information, "{Stream}@{Version} {Type} by {Actor} ({Request}) {Body}")]
    public static partial void Recorded(this ILogger log, string stream, long version, string type, string? actor, string? request, string body);

    [LoggerMessage(2, LogLevel.Information, "zfsha-server {Version} on {Database}, listening on {Urls}")]
    public static partial void Started(this ILogger log, string version, string database, string urls);

    [LoggerMessage(3, LogLevel.Information, "Schema: applied {Scripts}")]
    public static partial void SchemaApplied(this ILogger log, string scripts);

    [LoggerMessage(18, LogLevel.Warning, "Schema: {Problem}")]
    public static partial void SchemaDiffers(this ILogger log, string problem);

    [LoggerMessage(4, LogLevel.Warning, "Dead letter {Id}: {Reason}: {Detail}")]
    public static partial void DeadLettered(this ILogger log, Guid id, string reason, string detail);

    [LoggerMessage(5, LogLevel.Warning, "Message {Id} failed at attempt {Attempt}, again in {Delay}")]
    public static partial void WillRetry(this ILogger log, Exception exception, Guid id, int attempt, TimeSpan delay);

    [LoggerMessage(6, LogLevel.Warning, "The database cannot be used: {Error}")]
    public static partial void DatabaseUnavailable(this ILogger log, string error);

    [LoggerMessage(7, LogLevel.Information, "The database can be used again after {Seconds:0.0} s; if that was more than a second, leases have their full time from now")]
    public static partial void DatabaseAvailable(this ILogger log, double seconds);

    [LoggerMessage(8, LogLevel.Warning, "The lease of {Host} ran out: last renewed at {RenewedAt}")]
    public static partial void LeaseRanOut(this ILogger log, string host, DateTimeOffset renewedAt);

    [LoggerMessage(17, LogLevel.Error, "That the lease of {Host} ran out could not be decided on; it is tried again with the next beat")]
    public static partial void LeaseNotJudged(this ILogger log, Exception exception, string host);

    [LoggerMessage(9, LogLevel.Information, "Private PostgreSQL: {What}")]
    public static partial void PrivateCluster(this ILogger log, string what);

    [LoggerMessage(10, LogLevel.Debug, "Message {Id}: {Result}")]
    public static partial void NothingToDo(this ILogger log, Guid id, string result);

    [LoggerMessage(20, LogLevel.Warning, "Somebody else appended to {Stream}: its views are brought from version {From} to {To}")]
    public static partial void ViewsRefreshed(this ILogger log, string stream, long from, long to);

    [LoggerMessage(21, LogLevel.Error, "The views of {Stream} cannot be brought up to version {Version}, which somebody else appended")]
    public static partial void ViewsNotRefreshed(this ILogger log, Exception exception, string stream, long version);

    [LoggerMessage(22, LogLevel.Warning, "{Reader} could not go on: {Error}")]
    public static partial void ReaderStopped(this ILogger log, string reader, string error);

    [LoggerMessage(23, LogLevel.Information, "{Projection} is made anew; the view that is read stays as it is until then")]
    public static partial void Rebuilding(this ILogger log, string projection);

    [LoggerMessage(24, LogLevel.Information, "This is incarnation {Ordinal} of the history")]
    public static partial void Incarnation(this ILogger log, int ordinal);

    [LoggerMessage(25, LogLevel.Information, "{Reader}: {What}, asked for by {By}")]
    public static partial void ReaderAsked(this ILogger log, string reader, string what, string by);

    [LoggerMessage(18, LogLevel.Information, "Dead letter {Id} of queue {Queue} replayed by {By}")]
    public static partial void Replayed(this ILogger log, Guid id, string queue, string by);

    [LoggerMessage(19, LogLevel.Warning, "Dead letter {Id} of queue {Queue} ({LetterReason}) discarded by {By}: {Reason}. It was: {Body}")]
    public static partial void Discarded(this ILogger log, Guid id, string queue, string letterReason, string by, string reason, string body);

    [LoggerMessage(26, LogLevel.Information, "{Count} ids of messages handled more than {Days} days ago are forgotten")]
    public static partial void HandledForgotten(this ILogger log, int count, double days);

    [LoggerMessage(27, LogLevel.Warning, "Ids of handled messages could not be forgotten; it is tried again later: {Error}")]
    public static partial void NotForgotten(this ILogger log, string error);
}
