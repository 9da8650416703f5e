using System.CommandLine;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Text;

namespace ZfsHaEvents.Cli.Bus;

/// <summary><c>dead-letters</c>: messages that were given up on, and why.</summary>
static class DeadLettersVerb
{
    public static Command Define()
    {
        var bodies = new Option<bool>("--messages") { Description = "With the messages themselves" };
        return Verb.Of("dead-letters", "Messages on the bus that were given up on, and why; newest first", [bodies], async invocation =>
        {
            var letters = await invocation.Server.DeadLettersAsync(invocation.Cancellation);
            if (invocation.Screen.Json) invocation.Screen.Document(letters, ApiJson.Relaxed.IReadOnlyListDeadLetter);
            else Write(invocation.Screen, letters, invocation.Get(bodies));
            return ExitCodes.Done;
        });
    }

    public static void Write(Screen screen, IReadOnlyList<DeadLetter> letters, bool bodies)
    {
        if (letters.Count == 0) screen.Line("No message was given up on.");
        foreach (var letter in letters)
        {
            screen.Hanging(4, [$"{screen.Instant(letter.DeadAt)} {screen.ZoneName(letter.DeadAt)}  "], [Piece.Warning(letter.Reason), $": {letter.Detail}"]);
            screen.Line(Piece.Dim(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"    row {letter.Id} of queue {letter.Queue}, tried {letter.Attempts} times")));
            if (bodies) screen.Hanging(4, [], [$"    {letter.Json}"]);
        }
    }
}
