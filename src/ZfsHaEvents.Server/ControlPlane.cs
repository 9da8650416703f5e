using System.Reflection;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Server.Alerts;
using ZfsHaEvents.Server.Databases;
using ZfsHaEvents.Server.DeadLetters;
using ZfsHaEvents.Server.Failovers;
using ZfsHaEvents.Server.Hosts;
using ZfsHaEvents.Server.Pools;
using ZfsHaEvents.Server.Projections;
using ZfsHaEvents.Server.Running;
using ZfsHaEvents.Store;
using ZfsHaEvents.Store.Projections;

namespace ZfsHaEvents.Server;

/// <summary>The server: its database, what it does by itself, and what it answers over HTTP.</summary>
static class ControlPlane
{
    /// <summary>Runs until it is told to stop.</summary>
    /// <param name="connectionString">Of its PostgreSQL; null for a private one.</param>
    /// <param name="dataDirectory">Of the private one.</param>
    /// <param name="handledRetention">How long the ids of handled messages are kept.</param>
    /// <exception cref="PrivateClusterException">There is no private PostgreSQL to be had.</exception>
    /// <exception cref="DatabaseCommandException">The schema is behind, and this database user may not change it.</exception>
    /// <exception cref="SchemaException">The schema is another version's.</exception>
    public static async Task RunAsync(string? connectionString, string dataDirectory, string urls, TimeSpan leaseDuration, OrderTimes times, TimeSpan handledRetention, CancellationToken cancellation)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(urls).ConfigureKestrel(k => k.Limits.MaxRequestBodySize = BusMessage.LengthMax);
        builder.Logging.ClearProviders().AddJsonConsole(o => (o.UseUtcTimestamp, o.TimestampFormat) = (true, "O")).SetMinimumLevel(LogLevel.Information)
            .AddFilter("Microsoft", LogLevel.Warning).AddFilter("Npgsql", LogLevel.None);
        using var logging = LoggerFactory.Create(l => l.AddJsonConsole(o => (o.UseUtcTimestamp, o.TimestampFormat) = (true, "O")));
        var log = logging.CreateLogger("ZfsHaEvents.Server");

        await using var cluster = connectionString is null ? await PrivateCluster.StartAsync(dataDirectory, log, cancellation) : null;
        await SchemaAtStart.EnsureAsync(connectionString ?? cluster!.ConnectionString, log, cancellation);
        await using var database = PostgresConnection.Open(connectionString ?? cluster!.ConnectionString, "zfsha-server");
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
}
