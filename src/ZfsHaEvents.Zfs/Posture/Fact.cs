namespace ZfsHaEvents.Zfs.Posture;

/// <summary>Something a host was asked: what it said, or why that is not known. Not knowing is never taken for an answer.</summary>
/// <param name="Value">Meaningless when it is not known.</param>
/// <param name="Unknown">Why it is not known; null when it is.</param>
public readonly record struct Fact<T>(T Value, string? Unknown)
{
    public bool IsKnown => Unknown is null;
}

/// <summary>Makes facts.</summary>
public static class Fact
{
    public static Fact<T> Known<T>(T value) => new(value, null);

    public static Fact<T> Unknown<T>(string why) => new(default!, why);
}
