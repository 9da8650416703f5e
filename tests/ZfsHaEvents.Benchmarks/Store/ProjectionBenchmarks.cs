using ZfsHaEvents.Server.Projections;
using ZfsHaEvents.Store.Projections;
using ZfsHaEvents.Store.Reading;

namespace ZfsHaEvents.Benchmarks.Store;

/// <summary>How fast the view of every pool's activity catches up with a store that it has seen nothing of, and how fast it is made anew beside the one that is read.</summary>
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

        var projection = new PoolActivityProjection();
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
}
