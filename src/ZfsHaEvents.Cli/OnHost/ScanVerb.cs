using System.CommandLine;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Text;
using ZfsHaEvents.Domain;

namespace ZfsHaEvents.Cli.OnHost;

/// <summary><c>scan</c>: which pools this host's devices carry, as their labels say.</summary>
static class ScanVerb
{
    public static Command Define()
    {
        var pool = new Argument<PoolReference?>("POOL")
        {
            Description = "Only this pool, by name or GUID, and record what was read in its history; without it, every pool and no record",
            Arity = ArgumentArity.ZeroOrOne,
            CustomParser = Parsers.OptionalPool,
        };
        return Verb.Of("scan", "On a storage host: read the labels on its devices; imports nothing", [pool], async invocation =>
        {
            var host = new ThisHost();
            invocation.Screen.Status($"  reading the labels on the devices of {host.Name} …");
            var found = await host.Disks.RunAsync(invocation.Cancellation);
            if (invocation.Get(pool) is { } wanted)
            {
                found = found with { Pools = [.. found.Pools.Where(p => wanted.AsGuid() is { } guid ? p.Pool == guid : p.Name == wanted.Text)] };
                foreach (var one in found.Pools)
                    await host.Operations.ReadLabelsAsync(new(one.Pool, one.Devices, ThisHost.Terms("zfsha scan", OperationTimes.ReadLabels, TimeSpan.Zero, null)), invocation.Cancellation);
            }

            if (invocation.Screen.Json) invocation.Screen.Document(found, ApiJson.Relaxed.ScanDocument);
            else Write(invocation.Screen, found);
            return invocation.Get(pool) is not null && found.Pools.Count == 0 ? ExitCodes.Refused : ExitCodes.Done;
        });
    }

    public static void Write(Screen screen, ScanDocument scan)
    {
        foreach (var pool in scan.Pools)
        {
            screen.Line(Piece.Strong(pool.Name), "  ", Piece.Dim(pool.Pool.ToString()), pool.ImportedHere ? Piece.Good($"  imported on {scan.Host}") : "");
            var label = pool.Label;
            screen.Hanging(4, [], [
                $"    {label.State.ToString().ToUpperInvariant()}, last imported by {(label.HostId.Value == 0 ? "nobody that is named" : $"hostid {label.HostId} ({label.HostName})")}, txg {label.Txg}, ",
                label.MmpActive ? "multihost on" : Piece.Warning("multihost off"), $" ({label.LeavesRead} devices)"]);
            foreach (var device in pool.Devices) screen.Line(Piece.Dim($"      {device}"));
        }

        foreach (var problem in scan.Problems) screen.Notice(problem);
        screen.Line($"{scan.DevicesRead} devices of {scan.Host} read, {scan.Pools.Count} {(scan.Pools.Count == 1 ? "pool" : "pools")} found");
    }
}
