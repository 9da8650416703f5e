using System.Diagnostics;
using System.Runtime.InteropServices;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Pools;
using ZfsHaEvents.Cli.Text;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Domain.Views;

namespace ZfsHaEvents.Cli.Moves;

/// <summary>Waits for a move to end, telling each step as it ends. The move goes on whatever becomes of whoever watches.</summary>
sealed class MoveWatch(Invocation invocation)
{
    static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(100);

    /// <summary>How long the server may be away before we stop waiting for it: a restart takes seconds.</summary>
    static readonly TimeSpan OutageMax = TimeSpan.FromSeconds(60);

    readonly Screen _screen = invocation.Screen;
    int _stepsTold;
    bool _personTold;

    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(RequestId id, PoolReference pool, TimeSpan? limit)
    {
        using var interrupts = new Interrupts(PosixSignal.SIGINT, PosixSignal.SIGTERM);
        var started = Stopwatch.GetTimestamp();
        var move = await invocation.Server.MoveAsync(id, pool, interrupts.Token);
        if (!_screen.Json) DossierText.WriteHeading(_screen, move);
        while (true)
        {
            Tell(move);
            if (move.State is not MoveState.Running) return await EndedAsync(move);
            if (limit is { } most && Stopwatch.GetElapsedTime(started) >= most) return await StillRunningAsync(move, "did not end in the time given");
            try
            {
                await Task.Delay(Beat, interrupts.Token);
                move = await LookAsync(move, interrupts.Token);
            }
            catch (OperationCanceledException) when (interrupts.Token.IsCancellationRequested) // Ctrl-C ends the watching, not the move.
            {
                return await StillRunningAsync(move, "goes on without being watched");
            }
        }
    }

    async Task<Dossier> LookAsync(Dossier move, CancellationToken cancellation)
    {
        var since = Stopwatch.GetTimestamp();
        for (var told = false; ; told = true)
        {
            try
            {
                return await invocation.Server.MoveAsync(move.Id, new(move.Pool.ToString()), cancellation);
            }
            catch (ServerUnreachableException e) when (Stopwatch.GetElapsedTime(since) < OutageMax) // What was begun goes on when it is back.
            {
                if (!told) _screen.Notice($"{e.Message}; waiting for it");
                await Task.Delay(Beat, cancellation);
            }
        }
    }

    void Tell(Dossier move)
    {
        if (_screen.Json) return;
        foreach (var step in move.Steps.Skip(_stepsTold).TakeWhile(s => s.EndedAt is not null))
        {
            DossierText.WriteStep(_screen, step);
            _stepsTold++;
        }

        if (move.State is not MoveState.Running) return;
        if (!_personTold && move.Steps is [.., { EndedAt: null, Host: null, Step: MoveStep.Fence }])
        {
            _personTold = true;
            _screen.Line($"  waits for a person: make sure that {move.From} cannot write to the disks, then");
            _screen.Line($"    zfsha confirm-fencing {move.Pool} {move.From} --statement 'how that was made sure of'{invocation.ServerOption}");
            _screen.Line($"    (or zfsha call-off {move.Id} --reason …{invocation.ServerOption})");
        }

        _screen.Status(DossierText.Doing(move, DateTimeOffset.UtcNow));
    }

    async Task<int> EndedAsync(Dossier move)
    {
        if (_screen.Json) await DocumentAsync(move);
        else DossierText.WriteEnd(_screen, move);
        if (move.State is MoveState.Halted && !_screen.Json)
            _screen.Line($"  It needs a person: look at the pool on every host, then zfsha acknowledge {move.Pool} --comment 'what was found'{invocation.ServerOption}");
        return ExitCode(move.State);
    }

    async Task<int> StillRunningAsync(Dossier move, string how)
    {
        if (_screen.Json) await DocumentAsync(move);
        _screen.Notice($"{move.Id} {how}; see zfsha dossier {move.Id}{invocation.ServerOption}");
        return ExitCodes.StillRunning;
    }

    public async Task DocumentAsync(Dossier move)
    {
        var events = await invocation.Server.MoveEventsAsync(move, invocation.Cancellation);
        _screen.Document(new(move, [.. events.Select(HistoryVerb.DocumentOf)]), ApiJson.Relaxed.DossierDocument);
    }

    public static int ExitCode(MoveState state) => state switch
    {
        MoveState.Completed => ExitCodes.Done,
        MoveState.Aborted => ExitCodes.Aborted,
        MoveState.Halted => ExitCodes.Halted,
        MoveState.Running or _ => ExitCodes.StillRunning,
    };
}
