using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Server.Running;

/// <summary>Why a message was not handled.</summary>
public enum ErrorClass
{
    /// <summary>Others appended to its stream first, every time.</summary>
    VersionConflict,

    /// <summary>The database is away. It is not the message's fault, and nothing can be written about it either.</summary>
    DatabaseOutage,

    /// <summary>The database is there and says no: a statement took too long or was cancelled, it takes no writes, a right is missing.</summary>
    DatabaseSaysNo,

    /// <summary>A fault of ours.</summary>
    Bug,

    /// <summary>It cannot be read, or names something that is not there. Trying again will not help.</summary>
    Undeliverable,
}

/// <summary>What becomes of a message that was not handled.</summary>
public abstract record Fate
{
    /// <summary>It is given back, to fall due again after the delay.</summary>
    public sealed record Again(TimeSpan Delay) : Fate;

    /// <summary>It is left as it is: once its visibility is over it is given out again.</summary>
    public sealed record Left : Fate;

    /// <summary>It becomes a dead letter.</summary>
    public sealed record GivenUp : Fate;
}

/// <summary>How long to wait before a message is tried again, by what went wrong and how often; or whether to give up. Pure.</summary>
/// <param name="jitter">
/// From 0 up to 1, anew with each call: the last half of a delay is left to it, so that what failed together does not come back together.
/// </param>
public sealed class Backoff(Func<double> jitter)
{
    /// <summary>A message that a fault of ours failed so often is put aside. Nothing else counts.</summary>
    public const int FailuresMax = 8;

    /// <summary>What an error is.</summary>
    public static ErrorClass ClassOf(Exception error) => error switch
    {
        MalformedMessageException or UndeliverableException => ErrorClass.Undeliverable,
        _ when DatabaseOutage.Is(error) => ErrorClass.DatabaseOutage,
        _ when DatabaseOutage.SaysNo(error) => ErrorClass.DatabaseSaysNo,
        _ => ErrorClass.Bug,
    };

    /// <param name="times">How often it went wrong so, this time included; from 1.</param>
    public Fate Of(ErrorClass error, int times) => error switch
    {
        ErrorClass.VersionConflict => Again(times, TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(160)),
        ErrorClass.DatabaseOutage => new Fate.Left(),
        ErrorClass.DatabaseSaysNo => Again(times, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(30)),
        ErrorClass.Bug when times < FailuresMax => Again(times, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10)),
        ErrorClass.Bug or ErrorClass.Undeliverable => new Fate.GivenUp(),
        _ => throw new ArgumentOutOfRangeException(nameof(error), error, "no class of error"),
    };

    /// <summary>Twice as long each time, up to the longest.</summary>
    Fate.Again Again(int times, TimeSpan first, TimeSpan longest)
    {
        var delay = Math.Min(first.TotalMilliseconds * Math.Pow(2, times - 1), longest.TotalMilliseconds);
        return new(TimeSpan.FromMilliseconds(delay * (1 + jitter()) / 2));
    }
}
