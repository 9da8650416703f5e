using System.Diagnostics;
using Npgsql;
using ZfsHaEvents.Server.Pools;
using ZfsHaEvents.Server.Running;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Benchmarks.Store;

/// <summary>Pages of histories, and holders at past instants, from a large store: over pools drawn at random, and for the one pool that has a tenth of all events.</summary>
static class HistoryBenchmarks
{
    const int Seed = 7, Page = 100, CountMax = 400, CountMin = 5, Warm = 5;

    const double TargetMilliseconds = 10;

    /// <summary>What takes seconds is not asked four hundred times.</summary>
    static readonly TimeSpan Longest = TimeSpan.FromSeconds(15);

    public static async Task<IReadOnlyList<Measured>> RunAsync(int events, CancellationToken cancellation)
    {
        // Without a standby to feed, a freshly emptied table is filled without writing every row to the log first. Nothing is written while it is measured.
        await using var database = await StoreDatabase.StartAsync(cancellation, "wal_level=minimal", "max_wal_senders=0", "max_wal_size=8GB");
        var source = database.Open();
        var begin = Stopwatch.GetTimestamp();
        var written = await new Generator(Seed, events).WriteAsync(source, cancellation);
        var measured = new List<Measured> { new($"{written} events generated and written", "s", [Stopwatch.GetElapsedTime(begin).TotalSeconds]) };
        await using var wakeUps = new WakeUps(source);
        measured.AddRange(await AskAsync(source, new PostgresEventStore(source, wakeUps), cancellation));
        return measured;
    }

    /// <summary>On a store that <see cref="Generator"/> has written.</summary>
    public static async Task<IReadOnlyList<Measured>> AskAsync(NpgsqlDataSource source, IEventStore store, CancellationToken cancellation)
    {
        var types = await TypesAsync(source, cancellation);
        var draw = new Random(Seed);
        DateTimeOffset Instant() => Generator.Begin + (Generator.End - Generator.Begin) * draw.NextDouble();
        T One<T>(IReadOnlyList<T> of) => of[draw.Next(of.Count)];
        EventQuery All(int pool, bool newest) => new(StreamRunner.StreamOf(Generator.PoolOf(pool)), [], null, null, null, null, 0, Page, newest);
        EventQuery Span(EventQuery query)
        {
            var from = Instant();
            return query with { From = from, To = from + TimeSpan.FromHours(Math.Exp(draw.NextDouble() * Math.Log(30 * 24))) }; // From an hour to thirty days.
        }

        (string What, Func<int, bool, EventQuery> Query)[] pages =
        [
            ("of a pool", All),
            ("of a pool, from an hour to thirty days", (pool, newest) => Span(All(pool, newest))),
            ("of a pool, since an instant", (pool, newest) => All(pool, newest) with { From = Instant() }),
            ("of a pool, until an instant", (pool, newest) => All(pool, newest) with { To = Instant() }),
            ("of a pool, one type", (pool, newest) => All(pool, newest) with { Types = [One(types)] }),
            ("of a pool, one host", (pool, newest) => All(pool, newest) with { Host = One(Generator.HostsOf(pool)).Value }),
            ("of a pool, one type and host, from an hour to thirty days", (pool, newest) => Span(All(pool, newest)) with { Types = [One(types)], Host = One(Generator.HostsOf(pool)).Value }),
        ];

        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var bare = new NpgsqlCommand("select count(data), count(headers) from zfsha.mt_events where seq_id = any ($1)", connection) { Parameters = { new NpgsqlParameter<long[]>() } };
        var last = (long)(await ScalarAsync(connection, "select last_value from zfsha.mt_events_sequence", cancellation))!;
        Task BareAsync()
        {
            ((NpgsqlParameter<long[]>)bare.Parameters[0]).TypedValue = [.. Enumerable.Range(0, Page).Select(_ => 1 + draw.NextInt64(last))];
            return bare.ExecuteScalarAsync(cancellation);
        }

        var measured = new List<Measured>();
        foreach (var (whose, pool) in new (string, Func<int>)[] { ("pools at random", () => draw.Next(Generator.Pools)), ("the pool with a tenth of all events", () => Generator.Big) })
        {
            foreach (var (what, query) in pages)
            {
                foreach (var newest in new[] { true, false })
                {
                    var found = 0;
                    measured.Add(await TimeAsync($"a history page {what}, {(newest ? "newest" : "oldest")} first; {whose}", async () => found += (await store.QueryAsync(query(pool(), newest), cancellation)).Count));
                    if (found == 0) throw new InvalidOperationException($"not one event was found on all the pages {what}");
                }
            }

            measured.Add(await TimeAsync("for comparison: the server looks up 100 events by number", BareAsync) with { Target = null });
            measured.Add(await TimeAsync($"holder at an instant; {whose}", () => PoolEndpoints.OwnerOfAsync(Generator.PoolOf(pool()), Instant(), store, cancellation)));
        }

        return measured;
    }

    static async Task<Measured> TimeAsync(string what, Func<Task> ask)
    {
        var milliseconds = new List<double>();
        var begin = Stopwatch.GetTimestamp();
        for (var i = -Warm; i < CountMax && (i < CountMin || Stopwatch.GetElapsedTime(begin) < Longest); i++)
        {
            var asked = Stopwatch.GetTimestamp();
            await ask();
            if (i >= 0) milliseconds.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
        }

        return new(what, "ms", milliseconds, Judged: 99, Target: TargetMilliseconds);
    }

    static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(cancellation);
    }

    /// <summary>Every type that the large pool has, often or hardly ever.</summary>
    static async Task<IReadOnlyList<string>> TypesAsync(NpgsqlDataSource source, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand("select distinct type from zfsha.mt_events where stream_id = $1 order by type");
        command.CommandTimeout = 0;
        command.Parameters.Add(new() { Value = StreamRunner.StreamOf(Generator.PoolOf(Generator.Big)) });
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var types = new List<string>();
        while (await reader.ReadAsync(cancellation)) types.Add(reader.GetString(0));
        return types;
    }
}
