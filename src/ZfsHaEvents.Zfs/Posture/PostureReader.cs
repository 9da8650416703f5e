using System.Globalization;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Commands;

namespace ZfsHaEvents.Zfs.Posture;

/// <summary>Gathers what a host's posture is judged by. Only reads; what does not answer in time, or not as it should, is not known.</summary>
/// <param name="commandLimit">For each command: it blocks while any activity check runs on the host.</param>
public sealed class PostureReader(HostEnvironment host, TimeSpan commandLimit)
{
    /// <summary>How many pools are asked about side by side.</summary>
    const int PoolReadersMax = 4;

    /// <summary>What mkfs.lustre writes onto a target's file system (lustre/utils/mount_utils_zfs.c).</summary>
    const string LustreProperties = "lustre:svname,lustre:fsname,lustre:version";

    readonly HostFiles _files = new(host);

    /// <exception cref="OperationCanceledException"/>
    public async Task<PostureFacts> ReadAsync(CancellationToken cancellation = default) => new(
        _files.ReadHostIdParameter(), _files.ReadHostIdFile(), _files.ReadHostIdOnCommandLine(), _files.ReadVersion(), _files.ReadMmpParameters(),
        _files.ReadBootImports(), _files.ReadCachedPools(), await ReadPoolsAsync(cancellation));

    async Task<Fact<IReadOnlyList<PoolFacts>>> ReadPoolsAsync(CancellationToken cancellation)
    {
        IReadOnlyList<KstatPool> imported;
        try
        {
            imported = new Kstats(host).Read();
        }
        catch (HostException e) // Its message names the file and says what to do.
        {
            return Fact.Unknown<IReadOnlyList<PoolFacts>>(e.Message.TrimEnd('.'));
        }

        using var readers = new SemaphoreSlim(PoolReadersMax);
        async Task<PoolFacts> ReadAsync(KstatPool pool)
        {
            await readers.WaitAsync(cancellation);
            try
            {
                return new(
                    pool.Name, pool.PoolGuid, await ReadSettingsAsync(pool, cancellation), await ReadDatasetsAsync(pool.Name, cancellation),
                    await ReadLeavesAsync(pool.Name, cancellation));
            }
            finally
            {
                readers.Release();
            }
        }
        return Fact.Known<IReadOnlyList<PoolFacts>>(await Task.WhenAll(imported.Select(ReadAsync)));
    }

    async Task<Fact<PoolSettings>> ReadSettingsAsync(KstatPool pool, CancellationToken cancellation)
    {
        var (output, problem) = await RunAsync("zpool", ["get", "-H", "-p", "-o", "property,value", "guid,multihost,cachefile", pool.Name.Value], cancellation);
        return problem is null ? PostureOutput.Settings(output, pool.PoolGuid) : Fact.Unknown<PoolSettings>(problem);
    }

    /// <summary>The file systems that are Lustre targets, and the pool's root when there is one; none in a pool without targets.</summary>
    async Task<Fact<IReadOnlyList<DatasetSettings>>> ReadDatasetsAsync(PoolName pool, CancellationToken cancellation)
    {
        // Their values can hold anything, so they are not asked for; and what is inherited makes no target.
        var (output, problem) = await RunAsync(
            "zfs", ["get", "-H", "-r", "-t", "filesystem", "-s", "local,received", "-o", "name,property", LustreProperties, pool.Value], cancellation);
        if (problem is not null) return Fact.Unknown<IReadOnlyList<DatasetSettings>>(problem);

        if (PostureOutput.LustreDatasets(output, pool) is not { } targets) return Fact.Unknown<IReadOnlyList<DatasetSettings>>("zfs get printed something else than was asked for");
        if (targets.Count == 0) return Fact.Known<IReadOnlyList<DatasetSettings>>([]);

        string[] names = [.. targets.Prepend(pool.Value).Distinct()];
        (output, problem) = await RunAsync("zfs", ["get", "-H", "-p", "-o", "name,property,value", "canmount,xattr", .. names], cancellation);
        return problem is null ? PostureOutput.Datasets(output, names, targets) : Fact.Unknown<IReadOnlyList<DatasetSettings>>(problem);
    }

    async Task<Fact<IReadOnlyList<LeafState>>> ReadLeavesAsync(PoolName pool, CancellationToken cancellation)
    {
        var (output, problem) = await RunAsync("zpool", ["status", "-P", pool.Value], cancellation);
        if (problem is not null) return Fact.Unknown<IReadOnlyList<LeafState>>(problem);
        return ZpoolOutput.LeafStates(output) is { Count: > 0 } leaves
            ? Fact.Known(leaves)
            : Fact.Unknown<IReadOnlyList<LeafState>>("zpool status names no device of it");
    }

    /// <returns>What it printed, or why that is of no use.</returns>
    async Task<(string Output, string? Problem)> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        var result = await ChildProcess.RunAsync(new(host.ProgramFile(program), arguments, commandLimit), cancellation);
        if (result.Succeeded()) return (result.Stdout, null);

        var command = $"{program} {arguments[0]}";
        return result switch
        {
            { Run.Failure: ZpoolFailure.TimedOut } =>
                ("", string.Create(CultureInfo.InvariantCulture, $"{command} did not end within {commandLimit.TotalSeconds:0.#} s, as while an import is checked for activity or a pool hangs")),
            { StdoutCut: true } => ("", $"{command} printed more than is read"),
            { Run.Failure: ZpoolFailure.NotStarted } => ("", result.Run.Stderr),
            _ => ("", $"{command} failed: {result.Run.Stderr.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault() ?? "it said nothing"}"),
        };
    }
}
