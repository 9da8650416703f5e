using Microsoft.Extensions.Logging;

namespace ZfsHaEvents.Agent;

/// <summary>Every line the agent logs.</summary>
static partial class LogMessages
{
    [LoggerMessage(1, LogLevel.Information, "zfsha-agent {Version} on {Host}, boot {Boot}, hostid {HostId}")]
    public static partial void Started(this ILogger log, string version, string host, string boot, string hostId);

    [LoggerMessage(2, LogLevel.Information, "Session {Session} is open")]
    public static partial void SessionOpen(this ILogger log, Guid session);

    [LoggerMessage(3, LogLevel.Warning, "Session {Session} is gone: the lease was lost, or another session took its place; opening a new one")]
    public static partial void SessionGone(this ILogger log, Guid session);

    [LoggerMessage(4, LogLevel.Information, "Order {Order}: {Kind}, pool {Pool}, epoch {Epoch}")]
    public static partial void OrderTaken(this ILogger log, string order, string kind, string pool, string epoch);

    [LoggerMessage(5, LogLevel.Information, "Order {Order}: {Outcome}")]
    public static partial void OrderDone(this ILogger log, string order, string outcome);

    [LoggerMessage(6, LogLevel.Warning, "Order {Order} could not be carried out now and is tried again: {Problem}")]
    public static partial void OrderPutOff(this ILogger log, string order, string problem);

    [LoggerMessage(7, LogLevel.Information, "Seen: pool {Pool} ({Name}) {Presence}, {Health}")]
    public static partial void Seen(this ILogger log, string pool, string? name, string presence, string health);

    [LoggerMessage(8, LogLevel.Warning, "The database cannot be used: {Problem}")]
    public static partial void DatabaseUnavailable(this ILogger log, string problem);

    [LoggerMessage(9, LogLevel.Information, "The database is there again after {Seconds:0.0} s")]
    public static partial void DatabaseAvailable(this ILogger log, double seconds);

    [LoggerMessage(10, LogLevel.Error, "This host: {Problem}")]
    public static partial void HostProblem(this ILogger log, string problem);

    [LoggerMessage(11, LogLevel.Warning, "Message {Id} on this host's queue is no order: {Problem}")]
    public static partial void NotAnOrder(this ILogger log, Guid id, string problem);

    [LoggerMessage(12, LogLevel.Error, "Message {Id} failed by an error of ours")]
    public static partial void OrderFailed(this ILogger log, Exception exception, Guid id);

    [LoggerMessage(13, LogLevel.Warning, "No session was granted in {Seconds:0} s; does a zfsha-server run on this database?")]
    public static partial void NoSession(this ILogger log, double seconds);
}
