using System.Diagnostics;

namespace ZfsHaEvents.Benchmarks.Store;

/// <summary>So many clients doing the same thing again and again, and what it came to.</summary>
/// <param name="PerSecond">Of what each step returns, in a second.</param>
/// <param name="ClientMicroseconds">Processor time of this process for one of them, user and system.</param>
/// <param name="ServerMicroseconds">Processor time of the database server for one of them.</param>
readonly record struct Load(double PerSecond, double ClientMicroseconds, double ServerMicroseconds)
{
    /// <param name="step">Given which client it is and how many rounds that client has made; returns how many it has done.</param>
    public static Task<Load> RunAsync(StoreDatabase database, int clients, TimeSpan time, Func<int, int, Task<int>> step, CancellationToken cancellation) =>
        MeasureAsync(database, async () =>
        {
            var begin = Stopwatch.GetTimestamp();
            var done = await Task.WhenAll(Enumerable.Range(0, clients).Select(c => Task.Run(async () =>
            {
                long steps = 0;
                for (var round = 0; Stopwatch.GetElapsedTime(begin) < time; round++)
                {
                    cancellation.ThrowIfCancellationRequested();
                    steps += await step(c, round);
                }

                return steps;
            }, cancellation)));
            return done.Sum();
        });

    /// <param name="work">Returns how many it has done.</param>
    public static async Task<Load> MeasureAsync(StoreDatabase database, Func<Task<long>> work)
    {
        var (client, server, begin) = (Environment.CpuUsage.TotalTime, database.CpuSeconds(), Stopwatch.GetTimestamp());
        var done = (double)await work();
        return new(
            done / Stopwatch.GetElapsedTime(begin).TotalSeconds, (Environment.CpuUsage.TotalTime - client).TotalMicroseconds / done, (database.CpuSeconds() - server) * 1e6 / done);
    }
}
