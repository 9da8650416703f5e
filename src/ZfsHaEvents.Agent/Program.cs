using System.CommandLine;
using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using ZfsHaEvents.Agent;
using ZfsHaEvents.Store;
using ZfsHaEvents.Zfs;
using ZfsHaEvents.Zfs.Operations;
using ZfsHaEvents.Zfs.Spooling;

var connection = new Option<string?>("--connection") { Description = "PostgreSQL connection string of the control plane (ZFSHA_DATABASE)" };
var root = new RootCommand("""
    The daemon on a storage host: carries out orders, watches the pools, reports what happens.
    The host is described by ZFSHA_HOST (its name), ZFSHA_SBIN (folder of zpool, zfs and zdb), ZFSHA_HOST_ROOT (prefix of /proc, /sys and /dev),
    ZFSHA_STATE_DIR (/var/lib/zfsha), ZFSHA_RUN_DIR (/run/zfsha) and ZFSHA_SPOOL_LIMIT_MB (128).
    """)
{
    connection,
};
root.SetAction(async (parsed, cancellation) =>
{
    try
    {
        var database = parsed.GetValue(connection) ?? Environment.GetEnvironmentVariable("ZFSHA_DATABASE")
            ?? throw new ArgumentException("where is the control plane's PostgreSQL? Give --connection or set ZFSHA_DATABASE");
        await RunAsync(HostEnvironment.FromVariables(), database, cancellation);
        return 0;
    }
    catch (Exception e) when (e is HostException or ArgumentException)
    {
        await Console.Error.WriteLineAsync($"zfsha-agent: {e.Message}");
        return 1;
    }
});
return await root.Parse(args).InvokeAsync();

static async Task RunAsync(HostEnvironment host, string connectionString, CancellationToken cancellation)
{
    using var logging = LoggerFactory.Create(l => l.AddJsonConsole(o => (o.UseUtcTimestamp, o.TimestampFormat) = (true, "O")));
    var log = logging.CreateLogger("ZfsHaEvents.Agent");
    using var alone = AgentLock.Take(host);
    await using var database = PostgresConnection.Open(connectionString, $"zfsha-agent {host.Name}");
    await using var wakeUps = new WakeUps(database);
    var queue = new PostgresMessageQueue(database, wakeUps);
    await using var leaseDatabase = PostgresConnection.OpenForLeases(connectionString, $"zfsha-agent {host.Name} lease");
    var leases = new PostgresMessageQueue(leaseDatabase, wakeUps);

    var spool = new Spool(host);
    var reports = new SpooledReports(host, spool, TimeProvider.System);
    var observer = new PoolObserver(host, TimeProvider.System);
    var epochs = new EpochRecord(host);
    var troubles = new Troubles(log);
    using var outbox = new Outbox(host, spool, queue, troubles, log);
    var watcher = new Watcher(host, observer, reports, troubles, TimeProvider.System, log);
    var session = new Session(host, observer, epochs, queue, leases, watcher, troubles, TimeProvider.System, log);
    var orders = new OrderPump(host, new PoolOperations(host, reports, TimeProvider.System), epochs, session, watcher, queue, troubles, TimeProvider.System, log);

    log.Started(Assembly.GetExecutingAssembly().GetName().Version!.ToString(3), host.Name.Value, host.ReadBootId().ToString(), host.ReadHostId().ToString());
    using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, s =>
    {
        s.Cancel = true;
        stopping.Cancel();
    });

    // The spool is told before the session opens, so that what happened earlier arrives earlier; after that it is told as it grows.
    Task[] parts = [session.RunAsync(outbox.DrainAsync, stopping.Token), orders.RunAsync(stopping.Token), watcher.RunAsync(stopping.Token), outbox.RunAsync(stopping.Token)];
    try
    {
        await await Task.WhenAny(parts);
    }
    catch (OperationCanceledException) when (stopping.IsCancellationRequested)
    {
        // A clean stop.
    }
    finally
    {
        await stopping.CancelAsync();
        await Task.WhenAll(parts).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }
}
