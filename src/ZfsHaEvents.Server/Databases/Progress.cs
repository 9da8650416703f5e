using System.Diagnostics;
using System.Globalization;

namespace ZfsHaEvents.Server.Databases;

/// <summary>Tells a person on standard error how far it is, while it lasts.</summary>
sealed class Progress(string what)
{
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    readonly long _started = Stopwatch.GetTimestamp();
    long _told = Stopwatch.GetTimestamp();

    public static void Say(string text) => Console.Error.WriteLine($"zfsha-server: {text}");

    /// <summary>Said only once in a while.</summary>
    public void At(long bytes)
    {
        if (Stopwatch.GetElapsedTime(_told) < Interval) return;
        _told = Stopwatch.GetTimestamp();
        Say($"{what}: {Size(bytes)} after {Stopwatch.GetElapsedTime(_started).TotalSeconds:0} s");
    }

    /// <summary>Watches a file grow until the work is done.</summary>
    public async Task WhileAsync(Task work, string file)
    {
        while (await Task.WhenAny(work, Task.Delay(Interval, CancellationToken.None)) != work) At(new FileInfo(file) is { Exists: true } grown ? grown.Length : 0);
        await work;
    }

    public static string Size(long bytes) => bytes < 1024 * 1024
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.0} KiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MiB");
}
