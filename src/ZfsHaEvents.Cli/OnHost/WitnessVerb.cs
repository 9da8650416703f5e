using System.CommandLine;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Text;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Cli.OnHost;

/// <summary><c>witness</c>: whether somebody writes to a pool's disks, as this host sees them.</summary>
static class WitnessVerb
{
    /// <summary>Enough for two of the longest intervals that make sense; what is needed is read from the disks, and takes two seconds by default.</summary>
    static readonly TimeSpan TimeDefault = TimeSpan.FromSeconds(30);

    public static Command Define()
    {
        var pool = Parsers.Pool();
        var time = Parsers.Seconds("--time", "How long to watch at most, such as 10s; it ends earlier when it is certain (default 30s)");
        return Verb.Of(
            "witness", "On a storage host: watch the pool's disks for writes; reads only, and permits nothing by itself", [pool, time],
            async invocation =>
            {
                var (host, screen) = (new ThisHost(), invocation.Screen);
                var wanted = invocation.Get(pool);
                var found = (await host.Disks.RunAsync(invocation.Cancellation)).Pools.Where(p => wanted.AsGuid() is { } guid ? p.Pool == guid : p.Name == wanted.Text).ToList();
                if (found is not [var one])
                {
                    throw found is []
                        ? CommandFailedException.Refused("NotVisible", $"no device of {host.Name} carries a label of {wanted}", "See zfsha scan.")
                        : CommandFailedException.Refused("AmbiguousPool", $"{found.Count} pools on the disks of {host.Name} are named {wanted}: {string.Join(", ", found.Select(p => p.Pool))}", "Give the GUID.");
                }

                var terms = ThisHost.Terms("zfsha witness", invocation.Get(time) ?? TimeDefault, TimeSpan.Zero, null);
                var watched = await host.Operations.WatchDisksAsync(
                    new(one.Pool, one.Devices, terms),
                    (passed, needed) => screen.Status($"  watching {one.Devices.Count} devices of {one.Name}: {Human.Duration(passed.TotalSeconds)} of {Human.Duration(needed.TotalSeconds)} …"),
                    invocation.Cancellation);
                var document = new WitnessDocument(one.Pool, host.Name, watched.Verdict.Activity, watched.Verdict.Reason, watched.Seconds, watched.Leaves, one.ImportedHere);
                if (screen.Json) screen.Document(document, ApiJson.Relaxed.WitnessDocument);
                else Write(screen, one.Name, document);
                return watched.Verdict.Activity switch { DiskActivity.Silent => ExitCodes.Done, DiskActivity.Writing => ExitCodes.Writing, DiskActivity.Unknown or _ => ExitCodes.Doubt };
            });
    }

    static void Write(Screen screen, string name, WitnessDocument watched)
    {
        screen.Line(
            Piece.Strong(name), "  ",
            watched.Activity switch
            {
                DiskActivity.Silent => Piece.Good("silent"),
                DiskActivity.Writing => Piece.Warning("somebody writes to it"),
                DiskActivity.Unknown or _ => Piece.Warning("unknown"),
            },
            $": {watched.Reason}");
        if (watched.ImportedHere) screen.Notice($"it is imported on {watched.Host}: what was seen may be this host's own writing");
        foreach (var leaf in watched.Leaves)
            screen.Line(Piece.Dim($"    {leaf.Path}  {(leaf.Problem is { } problem ? problem : $"txg {leaf.First?.Txg} -> {leaf.Last?.Txg}{(leaf.WasWritten() ? ", written" : "")}")}"));
    }
}
