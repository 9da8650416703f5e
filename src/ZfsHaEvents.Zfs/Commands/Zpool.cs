using System.Diagnostics;
using System.Globalization;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Locks;

namespace ZfsHaEvents.Zfs.Commands;

/// <summary>How to import a pool.</summary>
/// <param name="Force"><c>-f</c>: import although the label says that another host has it. Only with proof.</param>
/// <param name="NoMount"><c>-N</c>: mount no file system.</param>
/// <param name="Devices"><c>-d</c>: the only devices to look at; none for ZFS's own search.</param>
public sealed record ImportOptions(bool Force, bool NoMount, IReadOnlyList<string> Devices);

/// <summary>What a reading command yielded.</summary>
/// <param name="Value">Null when it failed, was not in time, or printed something else.</param>
public sealed record ZpoolRead<T>(T? Value, ZpoolRun Run) where T : class;

/// <summary>A pool's label as its leaf devices tell it.</summary>
/// <param name="Label">Null when no leaf carried a readable label of the pool.</param>
/// <param name="Detail">A line for each leaf that could not be read; empty when all could.</param>
/// <param name="Seconds">Time inside external commands: the longest chain of them, for they run side by side.</param>
public sealed record LabelReading(PoolLabel? Label, string Detail, double Seconds);

/// <summary>The ZFS commands of one host. Every one has a time limit; none is retried.</summary>
public sealed class Zpool(HostEnvironment host)
{
    /// <summary>How many labels are read side by side: each is a process reading a disk that may be slow to fail.</summary>
    const int LabelReadersMax = 4;

    /// <summary>The arguments, for the record of what is about to be run.</summary>
    public static IReadOnlyList<string> ImportArguments(PoolGuid pool, ImportOptions options) =>
    [
        "import",
        // Without a cache file the host does not import the pool by itself at boot (zpoolprops(7), cachefile).
        "-o", "cachefile=none",
        .. options.NoMount ? (string[])["-N"] : [],
        .. options.Force ? (string[])["-f"] : [],
        .. options.Devices.SelectMany(device => (string[])["-d", device]),
        pool.ToString(),
    ];

    /// <summary>The arguments, for the record. Never <c>-f</c>: it unmounts what is in use, and does not help with a suspended pool.</summary>
    public static IReadOnlyList<string> ExportArguments(PoolName name) => ["export", name.Value];

    /// <exception cref="OperationCanceledException">The waiting was cancelled; the command runs on.</exception>
    public Task<ChildResult> ImportAsync(PoolGuid pool, ImportOptions options, HeldLock under, TimeSpan limit, CancellationToken cancellation = default) =>
        ActAsync(ImportArguments(pool, options), under, limit, cancellation);

    /// <exception cref="OperationCanceledException">The waiting was cancelled; the command runs on.</exception>
    public Task<ChildResult> ExportAsync(PoolName name, HeldLock under, TimeSpan limit, CancellationToken cancellation = default) =>
        ActAsync(ExportArguments(name), under, limit, cancellation);

    /// <summary>The imported pools. Blocks while any import's activity check runs on the host: prefer <see cref="Kstats"/>.</summary>
    public Task<ZpoolRead<IReadOnlyList<ListedPool>>> ListAsync(TimeSpan limit, CancellationToken cancellation = default) =>
        ReadAsync(["list", "-H", "-p", "-o", "name,guid,health"], ZpoolOutput.List, limit, cancellation);

    public Task<ZpoolRead<PoolProperties>> ReadPropertiesAsync(PoolName name, TimeSpan limit, CancellationToken cancellation = default) =>
        ReadAsync(["get", "-H", "-p", "-o", "property,value", "guid,readonly,multihost,health", name.Value], ZpoolOutput.Properties, limit, cancellation);

    /// <summary>The leaf devices that carry the pool's labels.</summary>
    public Task<ZpoolRead<IReadOnlyList<string>>> ReadLeavesAsync(PoolName name, TimeSpan limit, CancellationToken cancellation = default) =>
        ReadAsync(["status", "-P", name.Value], ZpoolOutput.Leaves, limit, cancellation);

    /// <summary>Reads the labels and newest uberblocks of the leaf devices with <c>zdb -lu</c>, which needs no lock and writes nothing.</summary>
    /// <param name="leaves">Paths as the host knows them.</param>
    /// <param name="limit">For all of them together.</param>
    public async Task<LabelReading> ReadLabelAsync(PoolGuid pool, IReadOnlyList<string> leaves, TimeSpan limit, CancellationToken cancellation = default)
    {
        var started = Stopwatch.GetTimestamp();
        var read = await ReadLeafLabelsAsync(pool, leaves, limit, cancellation);
        return new(
            ZdbOutput.Combine(pool, read.Select(leaf => leaf.Label).OfType<LeafLabel>(), leaves.Count),
            string.Join('\n', read.Select(leaf => leaf.Problem).OfType<string>()),
            Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>The same, leaf by leaf, in the order in which they were asked for: what it carries of the pool, or why that could not be read.</summary>
    public async Task<IReadOnlyList<(LeafLabel? Label, string? Problem)>> ReadLeafLabelsAsync(
        PoolGuid pool, IReadOnlyList<string> leaves, TimeSpan limit, CancellationToken cancellation = default)
    {
        var started = Stopwatch.GetTimestamp();
        using var readers = new SemaphoreSlim(LabelReadersMax);
        async Task<(LeafLabel? Label, string? Problem)> ReadLeafAsync(string leaf)
        {
            if (!IsDevicePath(leaf)) return (null, $"{leaf}: not an absolute path");
            await readers.WaitAsync(cancellation);
            try
            {
                var left = limit - Stopwatch.GetElapsedTime(started);
                if (left <= TimeSpan.Zero) return (null, $"{leaf}: not read within {Seconds(limit)} s");
                var result = await ChildProcess.RunAsync(new(host.ProgramFile("zdb"), ["-lu", leaf], left), cancellation);
                return Leaf(pool, leaf, result);
            }
            finally
            {
                readers.Release();
            }
        }

        return await Task.WhenAll(leaves.Select(ReadLeafAsync));
    }

    /// <summary>Whether a leaf's path can be handed to a command: it comes from another host, by way of the server.</summary>
    public static bool IsDevicePath(string path) => path.StartsWith('/') && !path.Any(char.IsControl);

    static (LeafLabel? Label, string? Problem) Leaf(PoolGuid pool, string leaf, ChildResult result)
    {
        if (result.Run.Failure == ZpoolFailure.TimedOut) return (null, $"{leaf}: zdb did not end within {Seconds(TimeSpan.FromSeconds(result.Run.Seconds))} s");

        // Only of a whole output: in a part of it the newest uberblock may be missing.
        if (result.Succeeded() && ZdbOutput.Leaf(result.Stdout) is { } label)
            return label.Label.Pool == pool ? (label, null) : (null, $"{leaf}: carries a label of pool {label.Label.Pool?.ToString() ?? "none"}, '{label.Label.Name}'");

        // zdb says on stdout why it could not open or read the device.
        var words = (result.Stdout + result.Run.Stderr).Split('\n', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return (null, $"{leaf}: {words ?? "zdb printed nothing"}");
    }

    Task<ChildResult> ActAsync(IReadOnlyList<string> arguments, HeldLock under, TimeSpan limit, CancellationToken cancellation) =>
        ChildProcess.RunAsync(new(host.ProgramFile("zpool"), arguments, limit) { Under = under, HasEffect = true }, cancellation);

    async Task<ZpoolRead<T>> ReadAsync<T>(IReadOnlyList<string> arguments, Func<string, T?> parse, TimeSpan limit, CancellationToken cancellation) where T : class
    {
        var result = await ChildProcess.RunAsync(new(host.ProgramFile("zpool"), arguments, limit), cancellation);
        return new(result.Succeeded() ? parse(result.Stdout) : null, result.Run);
    }

    static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);
}
