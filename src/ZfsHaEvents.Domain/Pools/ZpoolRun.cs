namespace ZfsHaEvents.Domain.Pools;

/// <summary>One external command as it ran on a host: what was asked, and all that came of it.</summary>
/// <param name="Arguments">The program's name and its arguments; never a shell string.</param>
/// <param name="ExitCode">Null when it did not exit by itself.</param>
/// <param name="Failure">The class of <paramref name="Stderr"/>; not a verdict: success is what is seen afterwards.</param>
/// <param name="Stderr">Raw, cut at 64 KiB.</param>
/// <param name="Seconds">Wall time from start to end, or to when we stopped waiting.</param>
/// <param name="Ended">
/// The child is gone. A <c>zpool</c> in an uninterruptible state survives SIGKILL and may complete much later; as long as
/// this is false nothing about its effect is known.
/// </param>
public sealed record ZpoolRun(
    IReadOnlyList<string> Arguments, int? ExitCode, ZpoolFailure Failure, string Stderr, double Seconds, bool Ended);
