using System.CommandLine;
using System.Globalization;
using System.Reflection;
using Npgsql;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Server;
using ZfsHaEvents.Server.Alerts;
using ZfsHaEvents.Server.DeadLetters;
using ZfsHaEvents.Server.Failovers;
using ZfsHaEvents.Server.Hosts;
using ZfsHaEvents.Server.Pools;
using ZfsHaEvents.Server.Projections;
using ZfsHaEvents.Server.Running;
using ZfsHaEvents.Store;
using ZfsHaEvents.Store.Projections;

var connection = new Option<string?>("--connection") { Description = "PostgreSQL connection string (ZFSHA_DATABASE); without one, a private PostgreSQL is started in --data" };
var data = new Option<string>("--data") { Description = "Directory of the private PostgreSQL (ZFSHA_DATA)", DefaultValueFactory = _ => Environment.GetEnvironmentVariable("ZFSHA_DATA") ?? "/var/lib/zfsha-server" };
var urls = new Option<string>("--urls") { Description = "Where to listen (ZFSHA_URLS). There is no authentication yet: keep it on loopback", DefaultValueFactory = _ => Environment.GetEnvironmentVariable("ZFSHA_URLS") ?? "http://127.0.0.1:7450" };
var lease = Seconds("--lease-seconds", 2.5, "How long a host may be silent before its lease is lost, 2 s at least; agents renew every 0.5 s", LeaseWatch.LeaseMin,
    $"agents renew every 0.5 s, and an outage of the database of just under {LeaseWatch.Gap.TotalSeconds:0} s must not cost a lease");
var start = Seconds("--start-seconds", OrderTimes.Default.Start.TotalSeconds, "How long an order may wait before a host begins it");
var export = Seconds("--export-seconds", OrderTimes.Default.Export.TotalSeconds, "Time limit of zpool export");
var import = Seconds("--import-seconds", OrderTimes.Default.Import.TotalSeconds, "Time limit of zpool import; an activity check takes 35 to 40 s with OpenZFS's defaults");
var labels = Seconds("--labels-seconds", OrderTimes.Default.ReadLabels.TotalSeconds, "Time limit of zdb -lu");
var grace = Seconds("--grace-seconds", OrderTimes.Default.Grace.TotalSeconds, "Past these, how much longer a report may take before it is missed; as much again, and the step counts as overdue");
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

var root = new RootCommand("The control plane of ZfsHaEvents: records what happens to ZFS pools on shared disks, decides who holds them, moves them between hosts.")
{
    connection, data, urls, lease, start, export, import, labels, grace, handled,
};
root.SetAction(async (parsed, cancellation) =>
{
    var times = new OrderTimes(parsed.GetValue(start), parsed.GetValue(export), parsed.GetValue(import), parsed.GetValue(labels), parsed.GetValue(grace));
    try
    {
        await RunAsync(
            parsed.GetValue(connection) ?? Environment.GetEnvironmentVariable("ZFSHA_DATABASE"), parsed.GetValue(data)!, parsed.GetValue(urls)!, parsed.GetValue(lease), times,
            parsed.GetValue(handled), cancellation);
        return 0;
    }
    catch (Exception e) when (e is PrivateClusterException or NpgsqlException or IOException or ArgumentException)
    {
        await Console.Error.WriteLineAsync($"zfsha-server: {e.Message}");
        return 1;
    }
});
// Stopping includes stopping the private PostgreSQL, which takes as long as its last checkpoint; the default is to be cut short after two seconds.
return await root.Parse(args).InvokeAsync(new() { ProcessTerminationTimeout = TimeSpan.FromMinutes(2) });

static Option<TimeSpan> Seconds(string name, double standard, string description, TimeSpan least = default, string why = "") => new(name)
{
    Description = description,
    DefaultValueFactory = _ => TimeSpan.FromSeconds(standard),
    CustomParser = result =>
    {
        var given = result.Tokens[0].Value;
        if (!double.TryParse(given, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) || seconds is not (> 0 and < 86_400))
            result.AddError($"{name} takes a number of seconds greater than 0 and less than a day, not '{given}'");
        else if (seconds < least.TotalSeconds)
            result.AddError($"{name} must be {least.TotalSeconds:0} or more, not '{given}': {why}");
        else
            return TimeSpan.FromSeconds(seconds);

        return default;
    },
};

static async Task RunAsync(string? connectionString, string dataDirectory, string urls, TimeSpan leaseDuration, OrderTimes times, TimeSpan handledRetention, CancellationToken cancellation)
{
    var builder = WebApplication.CreateSlimBuilder();
    builder.WebHost.UseUrls(urls).ConfigureKestrel(k => k.Limits.MaxRequestBodySize = BusMessage.LengthMax);
    builder.Logging.ClearProviders().AddJsonConsole(o => (o.UseUtcTimestamp, o.TimestampFormat) = (true, "O")).SetMinimumLevel(LogLevel.Information)
        .AddFilter("Microsoft", LogLevel.Warning).AddFilter("Npgsql", LogLevel.None);
    using var logging = LoggerFactory.Create(l => l.AddJsonConsole(o => (o.UseUtcTimestamp, o.TimestampFormat) = (true, "O")));
    var log = logging.CreateLogger("ZfsHaEvents.Server");

    await using var cluster = connectionString is null ? await PrivateCluster.StartAsync(dataDirectory, log, cancellation) : null;
    await using var database = PostgresConnection.Open(connectionString ?? cluster!.ConnectionString, "zfsha-server");
    if (await PostgresSchema.ApplyAsync(database, cancellation) is { Count: > 0 } applied) log.SchemaApplied(string.Join(", ", applied));
    await using var wakeUps = new WakeUps(database);
    var store = new PostgresEventStore(database, wakeUps);
    var queue = new PostgresMessageQueue(database, wakeUps, Dispatch.Overtaking);
    log.Incarnation(await queue.SettleIncarnationAsync(cancellation));

    builder.Services.AddSingleton<IEventStore>(store).AddSingleton<IMessageQueue>(queue).AddSingleton<ILeases>(queue);
    builder.Services.AddSingleton(services => new StreamRunner(store, times, leaseDuration, services.GetRequiredService<ILogger<StreamRunner>>()));
    builder.Services.AddSingleton<Dispatch>().AddSingleton<Requests>();
    IReadOnlyList<IProjection> projections = [new PoolActivityProjection()];
    builder.Services.AddSingleton(database).AddSingleton(projections).AddSingleton<ProjectionControl>().AddSingleton<InlineViews>().AddHostedService<Readers>();
    builder.Services.AddHostedService(services => new Housekeeping(queue, handledRetention, services.GetRequiredService<ILogger<Housekeeping>>()));
    builder.Services.AddSingleton(new Backoff(Random.Shared.NextDouble)).AddHostedService<QueueWorker>().AddHostedService<LeaseWatch>();
    builder.Services.AddProblemDetails();
    builder.Services.Configure<RouteHandlerOptions>(o => o.ThrowOnBadRequest = true); // So that the answer can say what is wrong.
    builder.Services.ConfigureHttpJsonOptions(o => (o.SerializerOptions.RespectRequiredConstructorParameters, o.SerializerOptions.RespectNullableAnnotations) = (true, true));

    await using var app = builder.Build();
    app.UseExceptionHandler();
    app.UseStatusCodePages();
    app.UseProblems();
    app.MapPools();
    app.MapFailovers();
    app.MapHosts();
    app.MapAlerts();
    app.MapProjections();
    app.MapDeadLetters();
    app.MapGet("/health", async (CancellationToken c) =>
    {
        var read = await store.LoadAsync("none", c);
        return new { Status = "ok", read.Now, read.Incarnation, PrivateDatabase = cluster?.ConnectionString };
    });

    log.Started(Assembly.GetExecutingAssembly().GetName().Version!.ToString(3), cluster is null ? "the given PostgreSQL" : dataDirectory, urls);
    await app.RunAsync(cancellation);
}
