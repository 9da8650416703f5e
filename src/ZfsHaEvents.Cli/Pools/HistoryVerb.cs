using System.CommandLine;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Text;

namespace ZfsHaEvents.Cli.Pools;

/// <summary><c>history</c>: what happened to a pool.</summary>
static class HistoryVerb
{
    const int LimitDefault = 100, LimitMax = 10_000;

    static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(250);

    public static Command Define()
    {
        var pool = Parsers.Pool();
        var types = new Option<string[]>("--type") { Description = "Only events of this type, such as import_refused; may be given several times", HelpName = "TYPE" };
        var host = Parsers.Host("--host", "Only what this host saw or did");
        var request = Parsers.RequestOption("Only what belongs to this switchover, failover or other request");
        var from = Parsers.Time("--from", "Only what was observed at or after that time: " + TypedTime.Forms);
        var to = Parsers.Time("--to", "Only what was observed at or before that time");
        var limit = new Option<int>("--limit") { Description = $"At most so many: the newest ones, unless --from is given (1 to {LimitMax})", HelpName = "N", DefaultValueFactory = _ => LimitDefault };
        limit.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && int.TryParse(token.Value, out var value) && value is < 1 or > LimitMax) result.AddError($"--limit takes a number from 1 to {LimitMax}");
        });
        var newestFirst = new Option<bool>("--newest-first") { Description = "The newest event on top" };
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on with what happens next, until Ctrl-C; with --json one line per event" };
        return Verb.Of("history", "What happened to a pool, and who did it", [pool, types, host, request, from, to, limit, newestFirst, follow], async invocation =>
        {
            if (invocation.Get(follow) && invocation.Get(newestFirst)) throw CommandFailedException.BadUsage("--follow goes on at the bottom: it cannot be had with --newest-first");

            var filter = new HistoryFilter(
                invocation.Get(types) ?? [], invocation.Get(host), invocation.Get(request), invocation.Get(from), invocation.Get(to), After: null, invocation.Get(limit),
                NewestFirst: invocation.Get(newestFirst) || invocation.Get(from) is null);
            var events = await invocation.Server.HistoryAsync(invocation.Get(pool), filter, invocation.Cancellation);
            if (filter.NewestFirst && !invocation.Get(newestFirst)) events = [.. events.Reverse()];
            if (invocation.Get(follow)) return await FollowAsync(invocation, invocation.Get(pool), filter, events);

            if (invocation.Screen.Json) invocation.Screen.Document([.. events.Select(DocumentOf)], ApiJson.Relaxed.IReadOnlyListHistoryDocument);
            else if (events.Count == 0) invocation.Screen.Line("No such event.");
            else new HistoryText(invocation.Screen).Write(events);
            return ExitCodes.Done;
        });
    }

    public static HistoryDocument DocumentOf(HistoryEntry entry) => HistoryDocument.Of(entry, EventSentence.Of(entry));

    static async Task<int> FollowAsync(Invocation invocation, Domain.PoolReference pool, HistoryFilter filter, IReadOnlyList<HistoryEntry> events)
    {
        using var interrupts = new Interrupts(System.Runtime.InteropServices.PosixSignal.SIGINT, System.Runtime.InteropServices.PosixSignal.SIGTERM);
        var text = new HistoryText(invocation.Screen);
        var last = 0L;
        var outage = false;
        // What is shown first may be filtered; what follows must begin behind the newest event of all, or old ones would be shown that --limit left out.
        if (events.Count == 0 && await invocation.Server.HistoryAsync(pool, HistoryFilter.All with { Limit = 1, NewestFirst = true }, interrupts.Token) is [var newest]) last = newest.Version;
        while (!StandardOutput.IsAbandoned())
        {
            if (invocation.Screen.Json) foreach (var entry in events) invocation.Screen.Document(DocumentOf(entry), ApiJson.Relaxed.HistoryDocument);
            else text.Write(events);
            last = events.Select(e => e.Version).Append(last).Max();
            try
            {
                await Task.Delay(Beat, interrupts.Token);
                events = await invocation.Server.HistoryAsync(pool, filter with { After = last, Limit = LimitMax, NewestFirst = false }, interrupts.Token);
                if (outage) invocation.Screen.Notice("the server answers again; nothing was missed");
                outage = false;
            }
            catch (OperationCanceledException) when (interrupts.Token.IsCancellationRequested) // Ctrl-C: how following ends.
            {
                return ExitCodes.Done;
            }
            catch (ServerUnreachableException e) // It goes on where it was when the server is back.
            {
                if (!outage) invocation.Screen.Notice($"{e.Message}; waiting for it");
                (outage, events) = (true, []);
            }
        }

        return ExitCodes.Done;
    }
}
