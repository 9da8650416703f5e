using System.Diagnostics;
using System.Runtime.InteropServices;
using ZfsHaEvents.Cli.Api;

namespace ZfsHaEvents.Cli.Projections;

/// <summary>Waits until a view is made anew, telling its progress beside the results. The rebuild goes on whatever becomes of whoever watches.</summary>
sealed class RebuildWatch(Invocation invocation, string reader)
{
    static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(200);

    /// <summary>How long the server may be away before we stop waiting for it: a restart takes seconds.</summary>
    static readonly TimeSpan OutageMax = TimeSpan.FromSeconds(60);

    /// <summary>Of a hundred: how much more must be done for a line.</summary>
    const int PercentStep = 10;

    string _told = "";
    int _percentTold = -PercentStep;

    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(TimeSpan? limit)
    {
        using var interrupts = new Interrupts(PosixSignal.SIGINT, PosixSignal.SIGTERM);
        var (started, answered) = (Stopwatch.GetTimestamp(), Stopwatch.GetTimestamp());
        while (true)
        {
            try
            {
                var state = await invocation.Server.ProjectionsAsync(interrupts.Token);
                answered = Stopwatch.GetTimestamp();
                if (state.Readers.FirstOrDefault(r => ProjectionsText.IsRebuildOf(reader, r.Name)) is not { } rebuild) return Ended(state);
                Tell(rebuild, state.LastSeqId);
                if (limit is { } most && Stopwatch.GetElapsedTime(started) >= most) return StillRunning("is not complete in the time given");
                await Task.Delay(Beat, interrupts.Token);
            }
            catch (ServerUnreachableException e) when (Stopwatch.GetElapsedTime(answered) < OutageMax) // Another server takes it over, or the same one when it is back.
            {
                TellOnce($"{e.Message}; waiting for it");
                await Task.Delay(Beat, CancellationToken.None);
            }
            catch (OperationCanceledException) when (interrupts.Token.IsCancellationRequested) // Ctrl-C ends the watching, not the rebuild.
            {
                return StillRunning("goes on without being watched");
            }
        }
    }

    void Tell(ReaderState rebuild, long last)
    {
        if (rebuild.PausedAt is not null)
        {
            TellOnce($"{rebuild.Name} is paused by {rebuild.PausedBy}: zfsha projections resume {rebuild.Name}{invocation.ServerOption} lets it go on");
            return;
        }

        var percent = ProjectionsText.Percent(rebuild, last);
        if (percent < _percentTold + PercentStep) return;
        _percentTold = percent;
        TellOnce($"{rebuild.Name}: {ProjectionsText.Progress(rebuild, last)}");
    }

    void TellOnce(string text)
    {
        if (text != _told) invocation.Screen.Notice(text);
        _told = text;
    }

    int Ended(ProjectionsState state)
    {
        var parked = state.Readers.Where(r => r.Name.Split(':')[0] == reader.Split(':')[0]).Sum(r => r.Parked.Count);
        if (invocation.Screen.Json) invocation.Screen.Document(state.Readers, ApiJson.Relaxed.IReadOnlyListReaderState);
        else invocation.Screen.Line($"{reader} was made anew{(parked > 0 ? "; what it could not take in: zfsha projections" + invocation.ServerOption : "")}");
        return ExitCodes.Done;
    }

    int StillRunning(string how)
    {
        invocation.Screen.Notice($"the rebuild of {reader} {how}; see zfsha projections{invocation.ServerOption}");
        return ExitCodes.StillRunning;
    }
}
