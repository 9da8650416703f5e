namespace ZfsHaEvents.Benchmarks.Store;

/// <summary>A way of doing commits that is measured against the floor, and where its time goes.</summary>
/// <param name="what">What it does.</param>
/// <param name="run">Does it for so long.</param>
sealed class Contender(string what, Func<TimeSpan, Task<Load>> run)
{
    const int Rounds = 5;

    static readonly TimeSpan Round = TimeSpan.FromSeconds(3), Warm = TimeSpan.FromSeconds(1);

    readonly List<Load> _loads = [];
    readonly List<double> _statements = [], _floors = [];

    /// <summary>At least this many times the floor.</summary>
    public double? Target { get; init; }

    public string Unit { get; init; } = "commits/s";

    /// <summary>One statement is all of it, so that time inside it can be told from time around it.</summary>
    public bool IsOneStatement { get; init; } = true;

    /// <summary>Floor and contenders in turn, so that what else the machine does meets all of them; each contender against the floors before and after it.</summary>
    public static async Task<IReadOnlyList<Measured>> CompareAsync(StoreDatabase database, Floor floor, IReadOnlyList<Contender> contenders, CancellationToken cancellation)
    {
        foreach (var contender in contenders) await contender.RunAsync(Warm);
        await floor.CommitsPerSecondAsync(Warm, cancellation);

        List<double> floors = [], floorStatements = [];
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var contender in contenders)
            {
                if (floors.Count == 0) await FloorAsync();
                var before = floors[^1];
                await database.SettleAsync(cancellation);
                contender._loads.Add(await contender.RunAsync(Round));
                contender._statements.Add(await database.StatementMicrosecondsAsync(cancellation));
                await FloorAsync();
                contender._floors.Add((before + floors[^1]) / 2);
            }
        }

        return
        [
            new("the floor: one event in a commit, pgbench, 8 clients", "commits/s", floors),
            new("the floor: inside its statement", "µs", floorStatements),
            .. contenders.SelectMany(c => c.Results(new Measured("", "µs", floorStatements).Result)),
        ];

        async Task FloorAsync()
        {
            await database.SettleAsync(cancellation);
            floors.Add(await floor.CommitsPerSecondAsync(Round, cancellation));
            floorStatements.Add(await database.StatementMicrosecondsAsync(cancellation));
        }
    }

    Task<Load> RunAsync(TimeSpan time) => run(time);

    IEnumerable<Measured> Results(double floorStatement)
    {
        yield return new(what, Unit, [.. _loads.Select(l => l.PerSecond)], Target: Target, AtLeast: true, Floor: Floor.Of(_floors));
        if (IsOneStatement) yield return new($"{what}: inside the statement", "µs", _statements, Baseline: ("the floor's", floorStatement));
        yield return new($"{what}: the server's processor time for each", "µs", [.. _loads.Select(l => l.ServerMicroseconds)]);
        yield return new($"{what}: the client's processor time for each", "µs", [.. _loads.Select(l => l.ClientMicroseconds)]);
    }
}
