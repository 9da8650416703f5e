using System.Diagnostics;

namespace ZfsHaEvents.Server.Running;

/// <summary>Tells what is news from what goes wrong again and again. For one loop, not for several threads.</summary>
sealed class Repeats
{
    /// <summary>Longer than anything takes to go wrong once more: connecting and the statement each have their time limit.</summary>
    static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);

    readonly Dictionary<string, long> _last = [];

    /// <summary>Whether this has not gone wrong for a while.</summary>
    public bool IsNews(string problem)
    {
        var news = !_last.TryGetValue(problem, out var last) || Stopwatch.GetElapsedTime(last) > Quiet;
        _last[problem] = Stopwatch.GetTimestamp();
        return news;
    }
}
