using System.CommandLine;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Domain;

namespace ZfsHaEvents.Cli.Moves;

/// <summary>Whether and how long to wait for a move that was asked for.</summary>
sealed class WaitOptions
{
    readonly Option<bool> _wait = new("--wait") { Description = "Wait for the end, telling each step (the default)" };
    readonly Option<bool> _noWait = new("--no-wait") { Description = "Return as soon as it has begun" };
    readonly Option<TimeSpan?> _timeout = Parsers.Seconds("--timeout", "Stop waiting after so many seconds; the move itself goes on");

    public Symbol[] Symbols => [_wait, _noWait, _timeout];

    /// <summary>Asks, and stays until the end if that is wanted.</summary>
    public async Task<int> RunAsync(Invocation invocation, PoolReference pool, Func<Task<Answer>> askAsync)
    {
        if (invocation.Get(_wait) && invocation.Get(_noWait)) throw CommandFailedException.BadUsage("--wait and --no-wait cannot both be had");

        var answer = await askAsync();
        var watch = new MoveWatch(invocation);
        if (!invocation.Get(_noWait)) return await watch.RunAsync(answer.Id, pool, invocation.Get(_timeout));

        var move = answer.Dossier ?? await invocation.Server.MoveAsync(answer.Id, pool, invocation.Cancellation);
        if (invocation.Screen.Json) await watch.DocumentAsync(move);
        else invocation.Screen.Line($"{DossierText.Kind(move)} {move.Id} has begun; see zfsha dossier {move.Id}{invocation.ServerOption}");
        return ExitCodes.Done;
    }
}

/// <summary><c>switchover</c>: move a pool in good order.</summary>
static class SwitchoverVerb
{
    public static Command Define()
    {
        var pool = Parsers.Pool();
        var to = Parsers.Host("--to", "The host that shall have it");
        to.Required = true;
        var (reason, id, by, wait) = (Parsers.Text("--reason", "TEXT", "Why, for the audit"), Parsers.Id(), Parsers.By(), new WaitOptions());
        return Verb.Of("switchover", "Move a pool to another host: its holder exports, the other imports", [pool, to, reason, id, by, .. wait.Symbols], invocation =>
        {
            var body = new SwitchoverBody(invocation.Get(to)!.Value, invocation.Get(by)!, invocation.Get(reason), invocation.Get(id) ?? Ids.New("so"));
            return wait.RunAsync(invocation, invocation.Get(pool), () => invocation.Server.SwitchOverAsync(invocation.Get(pool), body, invocation.Cancellation));
        });
    }
}

/// <summary><c>failover</c>: take a pool over from a holder that does not answer.</summary>
static class FailoverVerb
{
    public static Command Define()
    {
        var pool = Parsers.Pool();
        var to = Parsers.Host("--to", "The host that shall have it; without it, the first of the policy's targets that is alive");
        var fenced = Parsers.Host("--fenced", "The lost holder, when you know that it cannot write to the disks; without it, the policy says what is needed");
        var statement = Parsers.Text("--statement", "TEXT", "How that was made sure of: power cut at the PDU, cable pulled, ticket number; with --fenced");
        var (reason, id, by, wait) = (Parsers.Text("--reason", "TEXT", "Why, for the audit"), Parsers.Id(), Parsers.By(), new WaitOptions());
        return Verb.Of("failover", "Take a pool over from a holder that does not answer", [pool, to, fenced, statement, reason, id, by, .. wait.Symbols], invocation =>
        {
            if (invocation.Get(fenced) is null != invocation.Get(statement) is null)
                throw CommandFailedException.BadUsage("--fenced HOST and --statement TEXT belong together: which host cannot write to the disks, and how that was made sure of");

            var body = new FailoverBody(invocation.Get(by)!, invocation.Get(to), invocation.Get(reason), invocation.Get(fenced), invocation.Get(statement), invocation.Get(id) ?? Ids.New("fo"));
            return wait.RunAsync(invocation, invocation.Get(pool), () => invocation.Server.FailOverAsync(invocation.Get(pool), body, invocation.Cancellation));
        });
    }
}

/// <summary><c>moves</c>: every switchover and failover.</summary>
static class MovesVerb
{
    public static Command Define()
    {
        var pool = Parsers.PoolOption("Only this pool's");
        return Verb.Of("moves", "Switchovers and failovers, newest first", [pool], async invocation =>
        {
            var moves = await invocation.Server.MovesAsync(invocation.Get(pool), invocation.Cancellation);
            if (invocation.Screen.Json) invocation.Screen.Document(moves, ApiJson.Relaxed.IReadOnlyListDossier);
            else DossierText.WriteAll(invocation.Screen, moves);
            return ExitCodes.Done;
        });
    }
}

/// <summary><c>dossier</c>: the record of one switchover or failover.</summary>
static class DossierVerb
{
    public static Command Define()
    {
        var (id, pool) = (Parsers.MoveIdOptional(), Parsers.PoolOption($"{Parsers.WhosePool}; without ID, the latest of this pool"));
        var events = new Option<bool>("--events") { Description = "With every event it left in the pool's history" };
        return Verb.Of("dossier", "The record of one switchover or failover: who, why, each step with its duration", [id, pool, events], async invocation =>
        {
            var move = invocation.Get(id) is { } given ? await invocation.Server.MoveAsync(given, invocation.Get(pool), invocation.Cancellation)
                : await invocation.Server.MovesAsync(invocation.Get(pool), invocation.Cancellation) is [var latest, ..] ? latest
                : throw CommandFailedException.Refused("UnknownMove", "there was no switchover or failover yet");
            if (invocation.Screen.Json)
            {
                await new MoveWatch(invocation).DocumentAsync(move);
                return ExitCodes.Done;
            }

            DossierText.Write(invocation.Screen, move);
            if (!invocation.Get(events)) return ExitCodes.Done;
            invocation.Screen.Line();
            new Pools.HistoryText(invocation.Screen).Write(await invocation.Server.MoveEventsAsync(move, invocation.Cancellation));
            return ExitCodes.Done;
        });
    }
}
