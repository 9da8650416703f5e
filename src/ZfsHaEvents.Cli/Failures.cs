namespace ZfsHaEvents.Cli;

/// <summary>The command ends here; what is said to the user and to the caller's script.</summary>
/// <param name="exitCode">One of <see cref="ExitCodes"/>.</param>
/// <param name="kind">One word for the class of error: <c>usage</c>, <c>refused</c>, <c>unreachable</c>, <c>failed</c>.</param>
/// <param name="reason">One word that programs can go by.</param>
/// <param name="detail">A sentence for people.</param>
/// <param name="advice">What to do instead; empty when there is nothing to say.</param>
sealed class CommandFailedException(int exitCode, string kind, string reason, string detail, string advice = "") : Exception(detail)
{
    public int ExitCode { get; } = exitCode;

    public string Kind { get; } = kind;

    public string Reason { get; } = reason;

    public string Advice { get; } = advice;

    public static CommandFailedException BadUsage(string detail, string advice = "") => new(ExitCodes.Usage, "usage", "BadUsage", detail, advice);

    public static CommandFailedException Refused(string reason, string detail, string advice = "") => new(ExitCodes.Refused, "refused", reason, detail, advice);
}

/// <summary>The server, or its database, cannot be asked.</summary>
/// <param name="detail">What was tried, and what came of it.</param>
/// <param name="advice">What to check.</param>
sealed class ServerUnreachableException(string detail, string advice, Exception? inner = null) : Exception(detail, inner)
{
    public string Advice { get; } = advice;
}

/// <summary>The server answered with a problem (RFC 9457).</summary>
/// <param name="status">The HTTP status.</param>
/// <param name="reason">The problem's type: one word.</param>
sealed class ServerRefusedException(int status, string reason, string detail) : Exception(detail)
{
    public int Status { get; } = status;

    public string Reason { get; } = reason;

    public int ExitCode() => Status switch
    {
        400 => ExitCodes.Usage,
        404 or 409 => ExitCodes.Refused,
        _ => ExitCodes.Failed,
    };
}
