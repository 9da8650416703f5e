using System.Diagnostics;
using Npgsql;
using ZfsHaEvents.Server.Running;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Benchmarks.Store;

/// <summary>How long it takes to read one stream of a thousand events and fold it, against reading the same rows with nothing but Npgsql.</summary>
static class ReadBenchmarks
{
    const int Seed = 7, Pool = 1, Events = 1000, Batch = 100, Warm = 300, Counted = 500;

    public static async Task<IReadOnlyList<Measured>> RunAsync(CancellationToken cancellation)
    {
        await using var database = await StoreDatabase.StartAsync(cancellation);
        var source = database.Open();
        await using var wakeUps = new WakeUps(source);
        var store = new PostgresEventStore(source, wakeUps);
        var stream = await WriteAsync(store, cancellation);
        await database.ExecuteAsync("vacuum analyze", cancellation);
        await using var connection = await source.OpenConnectionAsync(cancellation);

        List<double> raw = [], load = [], fold = [];
        for (var i = -Warm; i < Counted; i++)
        {
            var begin = Stopwatch.GetTimestamp();
            await ReadRawAsync(connection, stream, cancellation);
            var rawEnd = Stopwatch.GetTimestamp();
            var read = await store.LoadAsync(stream, cancellation);
            var loadEnd = Stopwatch.GetTimestamp();
            var folding = new PoolFolding(Generator.PoolOf(Pool));
            read = await store.LoadAsync(stream, folding.Take, cancellation);
            var foldEnd = Stopwatch.GetTimestamp();
            var pool = folding.Pool;
            if (read.Version != Events || pool.Version != Events || pool.UnknownHistory) throw new InvalidOperationException($"the stream was read to version {pool.Version} of {Events}");
            if (i < 0) continue;

            raw.Add(Stopwatch.GetElapsedTime(begin, rawEnd).TotalMilliseconds);
            load.Add(Stopwatch.GetElapsedTime(rawEnd, loadEnd).TotalMilliseconds);
            fold.Add(Stopwatch.GetElapsedTime(loadEnd, foldEnd).TotalMilliseconds);
        }

        return
        [
            new("a stream of 1000 events, its rows read with nothing but Npgsql", "ms", raw),
            new("a stream of 1000 events, loaded", "ms", load, Floor: ("the raw read", raw)),
            new("a stream of 1000 events, loaded and folded", "ms", fold, Target: 1.3, Floor: ("the raw read", raw)),
        ];
    }

    static async Task<string> WriteAsync(PostgresEventStore store, CancellationToken cancellation)
    {
        var history = new Generator(Seed, Events).PoolHistory(Pool, Events).ToList();
        foreach (var batch in history.Chunk(Batch))
        {
            var commit = new Commit(batch[0].Stream, "pool", batch[0].Version - 1, batch[^1].RecordedAt, batch[0].Causation) { Events = [.. batch.Select(g => g.Event)] };
            if (await store.CommitAsync(commit, cancellation) is not CommitResult.Committed) throw new InvalidOperationException("the stream could not be written");
        }

        return history[0].Stream;
    }

    /// <summary>The columns that a stored event consists of, each row's values read and dropped.</summary>
    static async Task ReadRawAsync(NpgsqlConnection connection, string stream, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            """
            select stream_id, version, id, type, data::text, headers::text, timestamp, observed_at, user_name, correlation_id, causation_id
              from zfsha.mt_events where stream_id = $1 order by version
            """, connection);
        command.Parameters.Add(new() { Value = stream });
        await command.PrepareAsync(cancellation); // Nothing is sent when this connection has it.
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var rows = 0;
        while (await reader.ReadAsync(cancellation))
        {
            rows++;
            foreach (var column in (ReadOnlySpan<int>)[0, 3, 4, 5, 8, 9, 10])
                if (!reader.IsDBNull(column)) reader.GetString(column);
            reader.GetInt64(1);
            reader.GetGuid(2);
            reader.GetDateTime(6);
            reader.GetDateTime(7);
        }

        if (rows != Events) throw new InvalidOperationException($"{rows} rows were read of {Events}");
    }
}
