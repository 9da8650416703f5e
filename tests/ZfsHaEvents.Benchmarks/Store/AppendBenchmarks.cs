using System.Globalization;
using Npgsql;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Benchmarks.Store;

/// <summary>How fast events get in: one in a commit, one with a document, a hundred in a commit; 8 connections, each on streams of its own.</summary>
static class AppendBenchmarks
{
    const int Rounds = 5, BatchSize = 100;

    static readonly TimeSpan Round = TimeSpan.FromSeconds(3), Warm = TimeSpan.FromSeconds(1);

    public static async Task<IReadOnlyList<Measured>> RunAsync(CancellationToken cancellation)
    {
        await using var database = await StoreDatabase.StartAsync(cancellation);
        var floor = await Floor.OnAsync(database, cancellation);
        await using var source = database.Open();
        await using var wakeUps = new WakeUps(source);
        var store = new PostgresEventStore(source, wakeUps);
        var connections = new List<NpgsqlConnection>();
        for (var i = 0; i < Floor.Clients; i++) connections.Add(await floor.ConnectAsync(cancellation));

        var raw = new Contender("1 event in a commit, raw Npgsql calling the floor's function", (client, round) => floor.AppendRawAsync(connections[client], client, round, cancellation));
        var single = new Contender("1 event in a commit, expected version", new Writer(store, "single", 1, withDocument: false, cancellation).StepAsync) { Target = 0.65 };
        var view = new Contender("1 event in a commit, with its inline document", new Writer(store, "view", 1, withDocument: true, cancellation).StepAsync) { Target = 0.50 };
        var batch = new Contender("events in batches of 100 in a commit", new Writer(store, "batch", BatchSize, withDocument: false, cancellation).StepAsync) { Target = 8, Unit = "events/s" };

        var measured = new List<Measured>();
        measured.AddRange(await CompareAsync(database, floor, [raw, single, view], cancellation));
        measured.AddRange(await CompareAsync(database, floor, [batch], cancellation)); // Apart, because its checkpoints would be the others'.
        foreach (var connection in connections) await connection.DisposeAsync();
        return measured;
    }

    /// <summary>Floor and contenders in turn, so that what else the machine does meets all of them; each contender against the floors before and after it.</summary>
    static async Task<IReadOnlyList<Measured>> CompareAsync(StoreDatabase database, Floor floor, IReadOnlyList<Contender> contenders, CancellationToken cancellation)
    {
        foreach (var contender in contenders) await Load.RunAsync(database, Floor.Clients, Warm, contender.Step, cancellation);
        await floor.CommitsPerSecondAsync(Warm, cancellation);

        double floorStatement = 0;
        var floors = new List<double>();
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var contender in contenders)
            {
                var before = await FloorAsync();
                await database.SettleAsync(cancellation);
                var load = await Load.RunAsync(database, Floor.Clients, Round, contender.Step, cancellation);
                contender.Add(load, await database.StatementMicrosecondsAsync(cancellation));
                contender.Floors.Add((before + await FloorAsync()) / 2);
            }
        }

        return
        [
            new("the floor: one event in a commit, pgbench, 8 clients", "commits/s", floors),
            new("the floor, inside its statement", "µs", [floorStatement]),
            .. contenders.SelectMany(c => c.Measured(floorStatement)),
        ];

        async Task<double> FloorAsync()
        {
            await database.SettleAsync(cancellation);
            floors.Add(await floor.CommitsPerSecondAsync(Round, cancellation));
            floorStatement = await database.StatementMicrosecondsAsync(cancellation);
            return floors[^1];
        }
    }

    /// <summary>One that is measured against the floor, and where its time goes.</summary>
    sealed class Contender(string what, Func<int, int, Task<int>> step)
    {
        readonly List<Load> _loads = [];
        readonly List<double> _statements = [];

        public Func<int, int, Task<int>> Step => step;

        public double? Target { get; init; }

        public string Unit { get; init; } = "commits/s";

        public List<double> Floors { get; } = [];

        public void Add(Load load, double statementMicroseconds)
        {
            _loads.Add(load);
            _statements.Add(statementMicroseconds);
        }

        public IEnumerable<Measured> Measured(double floorStatement) =>
        [
            new(what, Unit, [.. _loads.Select(l => l.PerSecond)], Target: Target, AtLeast: true, Floor: Floor.Of(Floors)),
            new($"{what}: inside the statement", "µs", _statements, Baseline: ("the floor's statement", floorStatement)),
            new($"{what}: the server's processor time for each", "µs", [.. _loads.Select(l => l.ServerMicroseconds)]),
            new($"{what}: the client's processor time for each", "µs", [.. _loads.Select(l => l.ClientMicroseconds)]),
        ];
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
            if (result is not CommitResult.Committed) throw new InvalidOperationException($"an append nobody stood in the way of was answered with {result}");
            _versions[number] += size;
            return size;
        }
    }
}
