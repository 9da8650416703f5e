namespace ZfsHaEvents.Testing;

/// <summary>A clock that goes when told. Its ticks are whole microseconds, as a database's are.</summary>
public sealed class ManualClock : TimeProvider
{
    DateTimeOffset _now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => _now;

    public void Advance(TimeSpan time) => _now += time;
}
