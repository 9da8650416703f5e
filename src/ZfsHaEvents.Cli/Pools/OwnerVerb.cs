using System.CommandLine;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Text;

namespace ZfsHaEvents.Cli.Pools;

/// <summary><c>owner</c>: who holds a pool, or held it at a past instant.</summary>
static class OwnerVerb
{
    public static Command Define()
    {
        var pool = Parsers.Pool();
        var at = Parsers.Time("--at", $"At that instant by the hosts' clocks, instead of now: {TypedTime.Forms}");
        return Verb.Of("owner", "Who holds a pool, or held it at a past instant; the exit code says it too", [pool, at], async invocation =>
        {
            var answer = invocation.Get(at) is { } instant
                ? OwnerAnswer.Of(await invocation.Server.OwnerAtAsync(invocation.Get(pool), instant, invocation.Cancellation), invocation.Get(pool))
                : OwnerAnswer.Of(await invocation.Server.PoolAsync(invocation.Get(pool), invocation.Cancellation), DateTimeOffset.UtcNow);
            if (invocation.Screen.Json) invocation.Screen.Document(answer, ApiJson.Relaxed.OwnerDocument);
            else Write(invocation.Screen, answer);
            return OwnerAnswer.ExitCode(answer);
        });
    }

    public static void Write(Screen screen, OwnerDocument answer)
    {
        var tone = OwnerAnswer.ExitCode(answer) switch { ExitCodes.Done => Tone.Good, ExitCodes.NoHolder => Tone.Warning, _ => Tone.Bad };
        screen.Hanging(0, [], [new(answer.Sentence, tone)]);
        foreach (var holder in answer.Holders)
        {
            screen.Hanging(
                2, [$"  {holder.Host}: {holder.Health.ToString().ToUpperInvariant()}, seen {screen.Instant(holder.Since)} {screen.ZoneName(holder.Since)}"],
                [holder.Doubtful ? ", and lost or fenced since" : "", Piece.Dim($"  event {holder.Evidence}")]);
        }
    }
}
