using System.Text.Json;
using ZfsHaEvents.Store;
using ZfsHaEvents.Store.Projections;
using ZfsHaEvents.Store.Reading;

namespace ZfsHaEvents.Benchmarks.Store;

/// <summary>How fast a view made of every event catches up with a store that it has seen nothing of, and how fast it is made anew beside the one that is read.</summary>
static class ProjectionBenchmarks
{
    const int Seed = 7, Events = 200_000;

    static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    public static async Task<IReadOnlyList<Measured>> RunAsync(CancellationToken cancellation)
    {
        await using var database = await StoreDatabase.StartAsync(cancellation);
        var floor = await Floor.OnAsync(database, cancellation);
        var source = database.Open();
        await new Generator(Seed, Events).WriteAsync(source, cancellation);

        var projection = new TypesOfPool();
        var control = new ProjectionControl(source, [projection]);
        var catchUp = new Contender("asynchronous projection, catching up", _ => Load.MeasureAsync(database, async () =>
        {
            await database.ExecuteAsync($"delete from zfsha.mt_event_progression; delete from zfsha.mt_doc_{projection.Kind}", cancellation);
            return await RunToEndAsync(new(source, new ProjectionSubscriber(source, projection, rebuild: false), Lease), cancellation);
        }))
        { Target = 10, Unit = "events/s", IsOneStatement = false };
        var rebuild = new Contender("asynchronous projection, rebuilt beside the one that is read", _ => Load.MeasureAsync(database, async () =>
        {
            if (!await control.RebuildAsync(projection, cancellation)) throw new InvalidOperationException("a rebuild had begun already");
            var events = await RunToEndAsync(new(source, new ProjectionSubscriber(source, projection, rebuild: true), Lease), cancellation);
            if (await control.IsRebuildingAsync(projection, cancellation)) throw new InvalidOperationException("the rebuild has not ended");
            return events;
        }))
        { Target = 10, Unit = "events/s", IsOneStatement = false };
        return await Contender.CompareAsync(database, floor, [catchUp, rebuild], cancellation);
    }

    static async Task<long> RunToEndAsync(SubscriptionRunner runner, CancellationToken cancellation)
    {
        long events = 0;
        while (true)
        {
            switch (await runner.StepAsync(cancellation))
            {
                case null:
                    throw new InvalidOperationException($"somebody else runs {runner.Name}");
                case 0:
                    await runner.LeaveAsync(cancellation);
                    return events == Events ? events : throw new InvalidOperationException($"{runner.Name} took in {events} events of {Events}");
                case { } page:
                    events += page;
                    break;
            }
        }
    }

    /// <summary>How often each type occurs in a pool's history; it looks into every event's body, as projections do.</summary>
    sealed class TypesOfPool : IProjection
    {
        public string Name => "TypesOfPool";

        public int Version => 1;

        public string Kind => "poolactivity";

        public string DotnetType => typeof(Dictionary<string, long>).FullName!;

        public string? DocumentOf(string stream) => stream.StartsWith("pool-", StringComparison.Ordinal) ? stream["pool-".Length..] : null;

        public object Read(string? json) => json is null ? new Dictionary<string, long>() : JsonSerializer.Deserialize<Dictionary<string, long>>(json)!;

        public object Apply(object document, StoredEvent e)
        {
            var counts = (Dictionary<string, long>)document;
            var type = Server.Codec.ReadPoolEvent(e).Event.GetType().Name;
            counts[type] = counts.GetValueOrDefault(type) + 1;
            return counts;
        }

        public string Write(object document) => JsonSerializer.Serialize((Dictionary<string, long>)document);
    }
}
