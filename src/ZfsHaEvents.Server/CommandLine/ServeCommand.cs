using System.CommandLine;
using System.Globalization;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Server.Running;

namespace ZfsHaEvents.Server.CommandLine;

/// <summary><c>zfsha-server</c> itself: without a command it is the control plane.</summary>
static class ServeCommand
{
    public static RootCommand Root()
    {
        var urls = new Option<string>("--urls") { Description = "Where to listen (ZFSHA_URLS). There is no authentication yet: keep it on loopback", DefaultValueFactory = _ => Environment.GetEnvironmentVariable("ZFSHA_URLS") ?? "http://127.0.0.1:7450" };
        var lease = Shared.Seconds("--lease-seconds", 2.5, "How long a host may be silent before its lease is lost, 2 s at least; agents renew every 0.5 s", LeaseWatch.LeaseMin,
            $"agents renew every 0.5 s, and an outage of the database of just under {LeaseWatch.Gap.TotalSeconds:0} s must not cost a lease");
        var start = Shared.Seconds("--start-seconds", OrderTimes.Default.Start.TotalSeconds, "How long an order may wait before a host begins it");
        var export = Shared.Seconds("--export-seconds", OrderTimes.Default.Export.TotalSeconds, "Time limit of zpool export");
        var import = Shared.Seconds("--import-seconds", OrderTimes.Default.Import.TotalSeconds, "Time limit of zpool import; an activity check takes 35 to 40 s with OpenZFS's defaults");
        var labels = Shared.Seconds("--labels-seconds", OrderTimes.Default.ReadLabels.TotalSeconds, "Time limit of zdb -lu");
        var grace = Shared.Seconds("--grace-seconds", OrderTimes.Default.Grace.TotalSeconds, "Past these, how much longer a report may take before it is missed; as much again, and the step counts as overdue");
        var handled = new Option<TimeSpan>("--handled-retention-days")
        {
            Description = "How long the ids of handled messages are kept, so that a repeat is noticed on the queue (1 to 3650)",
            DefaultValueFactory = _ => Housekeeping.RetentionDefault,
            CustomParser = result =>
            {
                var given = result.Tokens[0].Value;
                if (double.TryParse(given, NumberStyles.Float, CultureInfo.InvariantCulture, out var days) && days is >= 1 and <= 3650) return TimeSpan.FromDays(days);
                result.AddError($"--handled-retention-days takes a number of days from 1 to 3650, not '{given}': what a host could not send while it was down comes again when it is back");
                return default;
            },
        };

        var root = new RootCommand("""
            The control plane of ZfsHaEvents: records what happens to ZFS pools on shared disks, decides who holds them, moves them between hosts.
            Exit codes: 0 done, or all as it should be; 1 failed, or something is missing or differs; 2 bad usage, nothing was done.
            """)
        {
            Shared.Connection, Shared.Data, urls, lease, start, export, import, labels, grace, handled, SchemaCommands.All(), DatabaseCommands.All(),
        };
        Shared.RefuseBoth(root);
        root.SetAction((parsed, cancellation) => Shared.ToldAsync(parsed, async () =>
        {
            var times = new OrderTimes(parsed.GetValue(start), parsed.GetValue(export), parsed.GetValue(import), parsed.GetValue(labels), parsed.GetValue(grace));
            await ControlPlane.RunAsync(Shared.ConnectionString(parsed), parsed.GetValue(Shared.Data)!, parsed.GetValue(urls)!, parsed.GetValue(lease), times, parsed.GetValue(handled), cancellation);
            return ExitCodes.Done;
        }));
        return root;
    }
}
