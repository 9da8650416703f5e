using System.Globalization;
using Npgsql;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Benchmarks.Store;

/// <summary>How fast events get in: one in a commit, one with a document, a hundred in a commit; 8 connections, each on streams of its own.</summary>
static class AppendBenchmarks
{
    const int BatchSize = 100;

    public static async Task<IReadOnlyList<Measured>> RunAsync(CancellationToken cancellation)
    {
        await using var database = await StoreDatabase.StartAsync(cancellation);
        var floor = await Floor.OnAsync(database, cancellation);
        var source = database.Open();
        await using var wakeUps = new WakeUps(source);
        var store = new PostgresEventStore(source, wakeUps);
        var connections = new List<NpgsqlConnection>();
        for (var i = 0; i < Floor.Clients; i++) connections.Add(await floor.ConnectAsync(cancellation));

        Contender Of(string what, Func<int, int, Task<int>> step, double? target, string unit = "commits/s") =>
            new(what, time => Load.RunAsync(database, Floor.Clients, time, step, cancellation)) { Target = target, Unit = unit };
        Contender[] singles =
        [
            Of("1 event in a commit, raw Npgsql calling the floor's function", (client, round) => floor.AppendRawAsync(connections[client], client, round, cancellation), target: null),
            Of("1 event in a commit, expected version", new Writer(store, "single", 1, withDocument: false, cancellation).StepAsync, 0.65),
            Of("1 event in a commit, with its inline document", new Writer(store, "view", 1, withDocument: true, cancellation).StepAsync, 0.50),
        ];
        Contender[] batches = [Of("events in batches of 100 in a commit", new Writer(store, "batch", BatchSize, withDocument: false, cancellation).StepAsync, 8, "events/s")];

        IReadOnlyList<Measured> measured = [.. await Contender.CompareAsync(database, floor, singles, cancellation), .. await Contender.CompareAsync(database, floor, batches, cancellation)];
        foreach (var connection in connections) await connection.DisposeAsync();
        return measured;
    }

    /// <summary>Appends through the store, each client to its own streams in turn, at the version that it knows them to have.</summary>
    sealed class Writer(IEventStore store, string name, int size, bool withDocument, CancellationToken cancellation)
    {
        readonly long[] _versions = new long[Floor.Clients * Floor.StreamsPerClient];

        public async Task<int> StepAsync(int client, int round)
        {
            var number = client * Floor.StreamsPerClient + round % Floor.StreamsPerClient;
            var stream = string.Create(CultureInfo.InvariantCulture, $"pool-{name}{number}");
            var commit = new Commit(stream, "pool", _versions[number], DateTimeOffset.UtcNow, null)
            {
                Events = [.. Enumerable.Range(0, size).Select(_ => Samples.Event())],
                Documents = withDocument ? [Samples.Ownership(stream, _versions[number] + size)] : [],
            };
            var result = await store.CommitAsync(commit, cancellation);
            if (result is not CommitResult.Committed) throw new InvalidOperationException($"an append that nobody stood in the way of was answered with {result}");
            _versions[number] += size;
            return size;
        }
    }
}
