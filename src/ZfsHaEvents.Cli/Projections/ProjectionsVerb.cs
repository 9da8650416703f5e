using System.CommandLine;
using ZfsHaEvents.Cli.Api;

namespace ZfsHaEvents.Cli.Projections;

/// <summary><c>projections</c>: the readers of events, how far they are, what holds them back; stop one, let it go on, have a view made anew, try a parked stream again.</summary>
static class ProjectionsVerb
{
    public static Command Define() =>
        List("projections", "The readers of events: how far each is, what holds them back, what they could not take in",
            [
                List("list", "List them: the same as without a verb", []),
                Act("pause", "Stop a reader where it is, in whichever server it runs", "pauses", "stands still until zfsha projections resume"),
                Act("resume", "Let a paused reader go on", "resumptions", "goes on"),
                Rebuild(),
                Replay(),
            ]);

    static Command List(string name, string description, Command[] verbs) => Verb.Of(name, description, verbs, async invocation =>
    {
        var state = await invocation.Server.ProjectionsAsync(invocation.Cancellation);
        if (invocation.Screen.Json) invocation.Screen.Document(state, ApiJson.Relaxed.ProjectionsState);
        else ProjectionsText.Write(invocation.Screen, state, invocation.ServerOption);
        return ExitCodes.Done;
    });

    static Command Act(string name, string description, string what, string done)
    {
        var (reader, by) = (Parsers.Reader(), Parsers.By());
        return Verb.Of(name, description, [reader, by], async invocation =>
            Tell(invocation, await AskAsync(invocation, reader, by, what), $"{invocation.Get(reader)} {done}"));
    }

    static Command Rebuild()
    {
        var (reader, by) = (Parsers.Reader(), Parsers.By());
        var wait = new Option<bool>("--wait") { Description = "Wait until it is complete, with its progress on standard error" };
        var timeout = Parsers.Seconds("--timeout", "With --wait: stop waiting after so many seconds; the rebuild itself goes on");
        return Verb.Of("rebuild", "Have a view made anew from the first event on; the old one is read until then", [reader, by, wait, timeout], async invocation =>
        {
            var asked = await AskAsync(invocation, reader, by, "rebuilds");
            return invocation.Get(wait)
                ? await new RebuildWatch(invocation, invocation.Get(reader)!).RunAsync(invocation.Get(timeout))
                : Tell(invocation, asked, $"{invocation.Get(reader)} is being made anew; zfsha projections{invocation.ServerOption} tells how far it is");
        });
    }

    static Command Replay()
    {
        var (reader, by) = (Parsers.Reader(), Parsers.By());
        var stream = new Argument<string>("STREAM") { Description = "The parked stream, as zfsha projections lists it: pool-GUID or host-NAME" };
        return Verb.Of("replay", "Try a parked stream again, from its first event on", [reader, stream, by], async invocation =>
        {
            var body = new ReplayStreamBody(invocation.Get(by)!, invocation.Get(stream)!);
            return Tell(invocation, await invocation.Server.ReplayStreamAsync(invocation.Get(reader)!, body, invocation.Cancellation), $"{body.Stream} is taken in by {invocation.Get(reader)}");
        });
    }

    static Task<IReadOnlyList<ReaderState>> AskAsync(Invocation invocation, Argument<string> reader, Option<string> by, string what) =>
        invocation.Server.AskReaderAsync(invocation.Get(reader)!, what, new(invocation.Get(by)!), invocation.Cancellation);

    static int Tell(Invocation invocation, IReadOnlyList<ReaderState> readers, string sentence)
    {
        if (invocation.Screen.Json) invocation.Screen.Document(readers, ApiJson.Relaxed.IReadOnlyListReaderState);
        else invocation.Screen.Line(sentence);
        return ExitCodes.Done;
    }
}
