using System.CommandLine;
using System.Globalization;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Pools;
using ZfsHaEvents.Cli.Text;
using ZfsHaEvents.Domain;

namespace ZfsHaEvents.Cli.Projections;

/// <summary><c>activity</c>: what pools have been through, in numbers.</summary>
static class ActivityVerb
{
    public static Command Define()
    {
        var pool = new Argument<PoolReference?>("POOL")
        {
            Description = "The pool's name or GUID; without it, every pool",
            Arity = ArgumentArity.ZeroOrOne,
            CustomParser = Parsers.OptionalPool,
        };
        return Verb.Of("activity", "What a pool has been through, in numbers; without POOL, each of them", [pool], async invocation =>
        {
            if (invocation.Get(pool) is { } one)
            {
                var found = await invocation.Server.ActivityAsync(one, invocation.Cancellation);
                if (invocation.Screen.Json) invocation.Screen.Document(found, ApiJson.Relaxed.ActivityEntry);
                else WriteOne(invocation.Screen, found);
                return ExitCodes.Done;
            }

            var all = await invocation.Server.ActivityAsync(invocation.Cancellation);
            if (invocation.Screen.Json) invocation.Screen.Document(all, ApiJson.Relaxed.IReadOnlyListActivityEntry);
            else WriteAll(invocation.Screen, all);
            return ExitCodes.Done;
        });
    }

    public static void WriteAll(Screen screen, IReadOnlyList<ActivityEntry> all)
    {
        if (all.Count == 0)
        {
            screen.Line("No pool's events have been counted yet; zfsha projections tells how far that is.");
            return;
        }

        var table = new Table("POOL", "EVENTS", "IMPORTS", "EXPORTS", "REFUSED", "FAILED", "SWITCHOVERS", "FAILOVERS", "ABORTED", "HALTS", "CONFLICTS", $"LAST MOVED ({screen.ZoneName(DateTimeOffset.UtcNow)})");
        foreach (var (pool, _, a) in all.OrderBy(e => e.Activity.Name, StringComparer.Ordinal).ThenBy(e => e.Pool))
        {
            // A name that two pools have says nothing without the GUID.
            var name = a.Name is { } n ? all.Count(other => other.Activity.Name == n) > 1 ? $"{n} {pool}" : n : pool.ToString();
            table.Add(
                Piece.Strong(name), Number(a.Events), Number(a.Imports), Number(a.Exports), Bad(a.Refused), Bad(a.Failed), Number(a.Switchovers), Number(a.Failovers),
                Bad(a.Aborted), Bad(a.Halts), Bad(a.Conflicts), a.LastMovedAt is { } at ? screen.Instant(at) : "never");
        }

        table.WriteTo(screen);
    }

    public static void WriteOne(Screen screen, ActivityEntry entry)
    {
        var a = entry.Activity;
        screen.Line(Piece.Strong(a.Name ?? "(no name)"), "  ", Piece.Dim(entry.Pool.ToString()));
        PoolText.Field(screen, "events", a.FirstAt is { } first && a.LastAt is { } last ? $"{Number(a.Events)}, seen from {screen.Instant(first)} to {screen.Instant(last)} {screen.ZoneName(last)}" : Number(a.Events));
        PoolText.Field(screen, "imports", $"{Number(a.Imports)}; exports {Number(a.Exports)}; refused by ZFS {Number(a.Refused)}; failed {Number(a.Failed)}");
        PoolText.Field(screen, "moves", $"switchovers {Number(a.Switchovers)}; failovers {Number(a.Failovers)}; aborted {Number(a.Aborted)}; halts {Number(a.Halts)}");
        PoolText.Field(screen, "conflicts", a.Conflicts > 0 ? Piece.Bad(Number(a.Conflicts)) : "0");
        PoolText.Field(screen, "last moved", a.LastMovedAt is { } at ? $"{screen.Instant(at)} {screen.ZoneName(at)}" : "never");
        PoolText.Field(screen, "by host", a.ByHost.Count == 0 ? "none" : string.Join(", ", a.ByHost.Select(h => $"{h.Key} {Number(h.Value)}")));
    }

    static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    static Piece Bad(long number) => number > 0 ? Piece.Warning(Number(number)) : "0";
}
