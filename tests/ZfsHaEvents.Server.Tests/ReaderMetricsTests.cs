using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Server.Projections;
using ZfsHaEvents.Server.Running;
using ZfsHaEvents.Store;
using ZfsHaEvents.Store.Projections;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Server.Tests;

/// <summary>The lag of readers as a meter tells it, with the hosted service that runs them and a real PostgreSQL.</summary>
public sealed class ReaderMetricsTests : IAsyncLifetime
{
    readonly ConcurrentDictionary<string, double> _measured = new();
    PostgresServer? _postgres;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _postgres = await PostgresServer.StartAsync();
        await _postgres.CreateDatabaseAsync("zfsha");
    }

    public async ValueTask DisposeAsync() => await _postgres!.DisposeAsync();

    [Fact]
    public async Task The_lag_rises_while_a_transaction_is_open_and_falls_when_it_is_over()
    {
        await using var database = PostgresConnection.Open(_postgres!.ConnectionString("zfsha"), "metrics tests");
        await PostgresSchema.ApplyAsync(database, Cancellation);
        await using var wakeUps = new WakeUps(database);
        var store = new PostgresEventStore(database, wakeUps);
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var meters = services.GetRequiredService<IMeterFactory>();
        IReadOnlyList<IProjection> projections = [new PoolActivityProjection()];
        var runner = new StreamRunner(store, OrderTimes.Default, TimeSpan.FromMinutes(10), NullLogger<StreamRunner>.Instance);
        using var listener = Listen(meters);
        using var readers = new Readers(
            database, projections, new InlineViews(runner, NullLogger<InlineViews>.Instance), new ProjectionControl(database, projections), meters, NullLogger<Readers>.Instance);
        await AppendAsync(store);
        await readers.StartAsync(Cancellation);
        await MeasuredAsync(listener, "both readers are up to date", () => Is("zfsha.reader.lag.events PoolActivity:All", v => v == 0) && Is("zfsha.reader.lag.events InlineViews:All", v => v == 0) && Is("zfsha.reader.held_back", v => v == 0));

        await using (var connection = await database.OpenConnectionAsync(Cancellation))
        {
            await using var transaction = await connection.BeginTransactionAsync(Cancellation);
            await using var write = new NpgsqlCommand("select pg_current_xact_id()", connection, transaction);
            await write.ExecuteNonQueryAsync(Cancellation);
            await AppendAsync(store);
            await MeasuredAsync(listener, "the lag has risen", () =>
                Is("zfsha.reader.lag.events PoolActivity:All", v => v == 1) && Is("zfsha.reader.lag.events InlineViews:All", v => v == 1)
                && Is("zfsha.reader.lag.time PoolActivity:All", v => v > 0) && Is("zfsha.reader.held_back", v => v > 0));
        }

        await MeasuredAsync(listener, "the lag has fallen", () =>
            Is("zfsha.reader.lag.events PoolActivity:All", v => v == 0) && Is("zfsha.reader.lag.time PoolActivity:All", v => v == 0) && Is("zfsha.reader.held_back", v => v == 0));
        _measured["zfsha.reader.parked PoolActivity:All"].ShouldBe(0);
        await readers.StopAsync(Cancellation);
    }

    bool Is(string measurement, Func<double, bool> condition) => _measured.TryGetValue(measurement, out var value) && condition(value);

    static Task MeasuredAsync(MeterListener listener, string what, Func<bool> condition) => Eventually.TrueAsync(what, () =>
    {
        listener.RecordObservableInstruments();
        return condition();
    });

    /// <summary>To the meter of this factory alone: the name is the product's, and other tests may run its readers too.</summary>
    MeterListener Listen(IMeterFactory meters)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter.Name == Readers.MeterName && ReferenceEquals(instrument.Meter.Scope, meters)) l.EnableMeasurementEvents(instrument);
            },
        };
        void Keep<T>(Instrument instrument, T value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state) where T : struct, IConvertible =>
            _measured[tags.Length == 0 ? instrument.Name : $"{instrument.Name} {tags[0].Value}"] = value.ToDouble(null);
        listener.SetMeasurementEventCallback<long>(Keep);
        listener.SetMeasurementEventCallback<int>(Keep);
        listener.SetMeasurementEventCallback<double>(Keep);
        listener.Start();
        return listener;
    }

    static async Task AppendAsync(PostgresEventStore store)
    {
        const string stream = "pool-17";
        var read = await store.LoadAsync(stream, Cancellation);
        var e = new NewEvent(Guid.NewGuid(), "pool_observed", "T, A", Golden.Read("events/pool_observed.json"), """{"host":"a"}""", read.Now, "tester", Correlation: null);
        (await store.CommitAsync(new(stream, "pool", read.Version, read.Now, null) { Events = [e] }, Cancellation)).ShouldBe(CommitResult.Committed);
    }
}
