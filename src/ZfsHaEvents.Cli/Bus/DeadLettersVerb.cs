using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Text;

namespace ZfsHaEvents.Cli.Bus;

/// <summary><c>dead-letters</c>: messages that were given up on, and why; look at one, have it handled once more, or forget it.</summary>
static class DeadLettersVerb
{
    const int LimitDefault = 1000, LimitMax = 10_000;

    public static Command Define() =>
        List("dead-letters", "Messages on the bus that were given up on, and why; newest first", [List("list", "List them: the same as without a verb", []), Show(), Replay(), Discard()]);

    static Command List(string name, string description, Command[] verbs)
    {
        var bodies = new Option<bool>("--messages") { Description = "With the messages themselves" };
        var queue = new Option<string?>("--queue") { Description = "Only those of this queue: server, or host-NAME", HelpName = "QUEUE" };
        var limit = new Option<int>("--limit") { Description = $"At most so many (1 to {LimitMax})", HelpName = "N", DefaultValueFactory = _ => LimitDefault };
        limit.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && int.TryParse(token.Value, out var value) && value is < 1 or > LimitMax) result.AddError($"--limit takes a number from 1 to {LimitMax}");
        });
        return Verb.Of(name, description, [bodies, queue, limit, .. verbs], async invocation =>
        {
            var letters = await invocation.Server.DeadLettersAsync(invocation.Get(queue), invocation.Get(limit), invocation.Cancellation);
            if (invocation.Screen.Json) invocation.Screen.Document(letters, ApiJson.Relaxed.IReadOnlyListDeadLetter);
            else Write(invocation.Screen, letters, invocation.Get(bodies));
            return ExitCodes.Done;
        });
    }

    static Command Show()
    {
        var id = new Argument<Guid>("ID") { Description = "The dead letter's id, as zfsha dead-letters lists it", CustomParser = r => Parsers.Uuid(r, r.Tokens[0].Value) };
        return Verb.Of("show", "One dead letter, and the message itself", [id], async invocation =>
        {
            var letter = await invocation.Server.DeadLetterAsync(invocation.Get(id), invocation.Cancellation);
            if (invocation.Screen.Json) invocation.Screen.Document(letter, ApiJson.Relaxed.DeadLetter);
            else WriteOne(invocation.Screen, letter);
            return ExitCodes.Done;
        });
    }

    static Command Replay()
    {
        var (ids, by) = (Ids(), Parsers.By());
        return Verb.Of("replay", "Put them back on their queues, to be handled once more when the cause is gone", [ids, by], invocation =>
            EachAsync(invocation, invocation.Get(ids)!, "replayed", id => invocation.Server.ReplayAsync(id, new(invocation.Get(by)!), invocation.Cancellation)));
    }

    static Command Discard()
    {
        var (ids, by) = (Ids(), Parsers.By());
        var reason = Parsers.RequiredText("--reason", "TEXT", "Why nobody needs them, for the server's log");
        return Verb.Of("discard", "Forget them for good; the server's log keeps what they were", [ids, reason, by], invocation =>
            EachAsync(invocation, invocation.Get(ids)!, "discarded", id => invocation.Server.DiscardAsync(id, new(invocation.Get(by)!, invocation.Get(reason)!), invocation.Cancellation)));
    }

    static Argument<Guid[]> Ids() => new("ID")
    {
        Description = "The dead letters' ids, as zfsha dead-letters lists them",
        Arity = ArgumentArity.OneOrMore,
        CustomParser = r => [.. r.Tokens.Select(t => Parsers.Uuid(r, t.Value)).Distinct()],
    };

    /// <summary>One after the other: that there is none of one id does not keep the others waiting.</summary>
    static async Task<int> EachAsync(Invocation invocation, IReadOnlyList<Guid> ids, string done, Func<Guid, Task<DeadLetter>> actAsync)
    {
        var (outcomes, exitCode) = (new List<DeadLetterOutcome>(), ExitCodes.Done);
        foreach (var id in ids)
        {
            try
            {
                var letter = await actAsync(id);
                outcomes.Add(new(id, done, letter.Queue, Detail: null));
                if (!invocation.Screen.Json) invocation.Screen.Line($"{done}: {id} of queue {letter.Queue}");
            }
            catch (ServerRefusedException e)
            {
                exitCode = e.ExitCode();
                outcomes.Add(new(id, e.Reason, Queue: null, e.Message));
                if (!invocation.Screen.Json) invocation.Screen.Notice($"refused: {e.Reason}: {e.Message}");
            }
        }

        if (invocation.Screen.Json) invocation.Screen.Document(outcomes, ApiJson.Relaxed.IReadOnlyListDeadLetterOutcome);
        return exitCode;
    }

    public static void Write(Screen screen, IReadOnlyList<DeadLetter> letters, bool bodies)
    {
        if (letters.Count == 0) screen.Line("No message was given up on.");
        foreach (var letter in letters)
        {
            WriteHead(screen, letter);
            if (bodies) screen.Hanging(4, [], [$"    {letter.Json}"]);
        }
    }

    public static void WriteOne(Screen screen, DeadLetter letter)
    {
        WriteHead(screen, letter);
        screen.Line(Piece.Dim($"    put on the queue {screen.Instant(letter.EnqueuedAt)} {screen.ZoneName(letter.EnqueuedAt)}"));
        using var message = JsonDocument.Parse(letter.Json);
        foreach (var line in MessageExamples.Indented(message.RootElement).Split('\n')) screen.Line(line);
    }

    static void WriteHead(Screen screen, DeadLetter letter)
    {
        screen.Hanging(4, [$"{screen.Instant(letter.DeadAt)} {screen.ZoneName(letter.DeadAt)}  "], [Piece.Warning(letter.Reason), $": {letter.Detail}"]);
        screen.Line(Piece.Dim(string.Create(CultureInfo.InvariantCulture, $"    row {letter.Id} of queue {letter.Queue}, tried {letter.Attempts} times")));
    }
}
