using System.CommandLine;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Text;

namespace ZfsHaEvents.Cli.Hosts;

/// <summary><c>hosts</c>: every host that ever registered, and whether it is alive.</summary>
static class HostsVerb
{
    public static Command Define() => Verb.Of("hosts", "Every host, and whether it renews its lease", [], async invocation =>
    {
        var hosts = await invocation.Server.HostsAsync(invocation.Cancellation);
        if (invocation.Screen.Json)
        {
            invocation.Screen.Document(hosts, ApiJson.Relaxed.IReadOnlyListHostState);
            return ExitCodes.Done;
        }

        // Leases are the database's to judge, so their age is told by its clock.
        var health = hosts.Count > 0 ? await invocation.Server.HealthAsync(invocation.Cancellation) : null;
        Write(invocation.Screen, hosts, health?.Now ?? DateTimeOffset.UtcNow);
        return ExitCodes.Done;
    });

    public static void Write(Screen screen, IReadOnlyList<HostState> hosts, DateTimeOffset now)
    {
        if (hosts.Count == 0)
        {
            screen.Line("No host has registered yet.");
            return;
        }

        var table = new Table("HOST", "STATUS", "LEASE", "HOSTID", "AGENT", $"IN SESSION SINCE ({screen.ZoneName(now)})");
        foreach (var (host, alive, renewedAt) in hosts.OrderBy(h => h.Host.Name))
        {
            var renewed = renewedAt is { } at ? Human.Ago(at, now) : "never";
            table.Add(
                Piece.Strong(host.Name.Value), alive ? Piece.Good(host.Status.ToString().ToLowerInvariant()) : Piece.Bad(host.Status.ToString().ToLowerInvariant()),
                alive ? $"renewed {renewed}" : Piece.Warning($"last renewed {renewed}"), host.HostId.ToString(), host.AgentVersion,
                host.SessionSince is { } since ? screen.Instant(since) : "-");
        }

        table.WriteTo(screen);
    }
}
