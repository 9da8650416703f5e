using System.Diagnostics;

namespace ZfsHaEvents.Testing;

/// <summary>For what comes true soon, by itself. The limit is generous: it is there to end a test, not to measure anything.</summary>
public static class Eventually
{
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static Task TrueAsync(string what, Func<bool> condition) => TrueAsync(what, () => Task.FromResult(condition()));

    /// <exception cref="TimeoutException">It did not come true; the message says what.</exception>
    public static async Task TrueAsync(string what, Func<Task<bool>> condition)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started) > Limit) throw new TimeoutException($"Not within {Limit.TotalSeconds} s: {what}");
            await Task.Delay(20);
        }
    }
}
