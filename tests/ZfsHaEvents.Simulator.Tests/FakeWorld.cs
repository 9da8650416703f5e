using System.Globalization;
using Shouldly;
using Xunit;
using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Tests;

/// <summary>A world in a folder of its own, its hosts' kernels as processes. Everything it starts it stops, by pid.</summary>
sealed class FakeWorld : IAsyncDisposable
{
    /// <summary>
    /// A 35 s activity check takes under two seconds, and a kernel may still be kept from its processor for half a second before its
    /// pools suspend themselves.
    /// </summary>
    public const double TimeScale = 0.05;

    static readonly TimeSpan EventuallyLimit = TimeSpan.FromSeconds(60);

    static int _numbers;

    readonly string _folder;
    readonly List<RunningCommand> _started = [];

    FakeWorld(string folder)
    {
        _folder = folder;
        Directory = new(Path.Combine(folder, "world"));
    }

    public WorldDirectory Directory { get; }

    public static string Simulator { get; } = Path.Combine(AppContext.BaseDirectory, "zfs-simulator");

    /// <summary>A world with running hosts a and b (0xa001 and 0xa002).</summary>
    public static Task<FakeWorld> CreateAsync(params IReadOnlyList<string> options) => CreateAsync(["a", "b"], options);

    /// <summary>A world whose named hosts run.</summary>
    public static async Task<FakeWorld> CreateAsync(IReadOnlyList<string> hosts, IReadOnlyList<string> options)
    {
        var number = Interlocked.Increment(ref _numbers);
        var folder = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"zfs-simulator-tests-{Environment.ProcessId}-{number}"));
        System.IO.Directory.CreateDirectory(folder);
        var world = new FakeWorld(folder);
        await world.SimulateAsync([
            "world", world.Directory.Path, "--hosts", string.Join(',', hosts),
            "--time-scale", TimeScale.ToString(CultureInfo.InvariantCulture), .. options]);
        await Task.WhenAll(hosts.Select(world.BootAsync));
        return world;
    }

    public HostDirectory Host(string name) => Directory.Host(name);

    /// <summary>Starts a host's kernel; it serves when this returns.</summary>
    public async Task<RunningCommand> BootAsync(string host)
    {
        var kernel = Start(Simulator, "kernel", Host(host).Path);
        await EventuallyAsync($"the kernel of {host} is ready", () => kernel.Stdout == "ready\n" || (kernel.HasExited
            ? throw new InvalidOperationException($"The kernel of {host} ended: {kernel.Stderr}")
            : false));
        return kernel;
    }

    /// <summary>Runs one of the simulator's own commands, which must succeed.</summary>
    public async Task<string> SimulateAsync(params IReadOnlyList<string> arguments)
    {
        var ended = await Start(Simulator, arguments).EndAsync();
        ended.ExitCode.ShouldBe(0, $"{string.Join(' ', arguments)}: {ended}");
        return ended.Stdout;
    }

    /// <summary>Does something to a host: <c>crash</c>, <c>freeze</c>, <c>fault</c> ...</summary>
    public Task<string> HostAsync(string verb, string host, params IReadOnlyList<string> arguments) =>
        SimulateAsync([verb, Host(host).Path, .. arguments]);

    /// <summary>Runs a command on a host to its end.</summary>
    public Task<Ended> RunAsync(string host, string program, params IReadOnlyList<string> arguments) => StartOn(host, program, arguments).EndAsync();

    /// <summary>Runs <c>zpool</c> on a host, which must succeed.</summary>
    public async Task<string> ZpoolAsync(string host, params IReadOnlyList<string> arguments)
    {
        var ended = await RunAsync(host, "zpool", arguments);
        ended.ExitCode.ShouldBe(0, $"zpool {string.Join(' ', arguments)}: {ended}\n{Log()}");
        return ended.Stdout;
    }

    /// <summary>Starts a command on a host.</summary>
    public RunningCommand StartOn(string host, string program, params IReadOnlyList<string> arguments) =>
        Start(Path.Combine(Host(host).Sbin, program), arguments);

    /// <summary>A mirrored pool of two disks, created on the host.</summary>
    /// <returns>Its GUID.</returns>
    public async Task<string> CreatePoolAsync(string host, string name = "tank1", string multihost = "on", int disk = 0)
    {
        await ZpoolAsync(
            host, "create", "-o", "cachefile=none", "-o", $"multihost={multihost}", "-O", "canmount=off", name, "mirror", ById(disk), ById(disk + 1));
        return (await ZpoolAsync(host, "get", "-H", "-o", "value", "guid", name)).Trim();
    }

    public static string ById(int disk) => string.Create(CultureInfo.InvariantCulture, $"/dev/disk/by-id/virtio-d{disk}");

    public async Task<bool> HoldsAsync(string host, string pool) =>
        (await ZpoolAsync(host, "list", "-H", "-o", "name")).Split('\n').Contains(pool);

    /// <summary>The pool's state in the host's kstats; nothing when the pool is not imported there.</summary>
    public string? State(string host, string pool)
    {
        var file = Path.Combine(Host(host).Kstat, pool, "state");
        try
        {
            return File.ReadAllText(file).TrimEnd();
        }
        catch (IOException)
        {
            return null; // No such folder, or it is going at this moment.
        }
    }

    public Task SuspendedAsync(string host, string pool = "tank1") => EventuallyAsync($"{pool} is suspended on {host}", () => State(host, pool) == "SUSPENDED");

    /// <summary>What stands on a disk's label now.</summary>
    public VdevLabel Label(int disk)
    {
        using var open = Disk(disk);
        return VdevLabel.From(open.ReadLabel() ?? throw new InvalidOperationException($"d{disk} has no label."));
    }

    public Uberblock? Best(int disk)
    {
        using var open = Disk(disk);
        return open.Best();
    }

    /// <summary>A disk's every byte.</summary>
    public byte[] Bytes(int disk) => File.ReadAllBytes(DiskFile(disk));

    public IReadOnlyList<TruthEntry> Truth() => TruthLog.Read(Directory);

    public IReadOnlyList<TruthEntry> Truth(TruthOperation operation) => [.. Truth().Where(entry => entry.Op == operation)];

    /// <summary>The judge's verdict: whether two hosts ever held one pool, and its words.</summary>
    public Task<Ended> JudgeAsync() => Start(Simulator, "truth", Directory.Path).EndAsync();

    /// <summary>No pool was ever held by two hosts.</summary>
    public async Task ShouldBeSoundAsync()
    {
        var verdict = await JudgeAsync();
        verdict.ExitCode.ShouldBe(0, $"{verdict}\n{Log()}");
    }

    /// <summary>The truth log as it stands: what a failed test shows.</summary>
    public string Log() => File.Exists(Directory.TruthLog) ? File.ReadAllText(Directory.TruthLog) : "";

    public RunningCommand Start(string program, params IReadOnlyList<string> arguments) => Start(new Dictionary<string, string>(), program, arguments);

    public RunningCommand Start(IReadOnlyDictionary<string, string> variables, string program, params IReadOnlyList<string> arguments)
    {
        var command = RunningCommand.Start(_folder, Log, variables, program, arguments);
        lock (_started) _started.Add(command);
        return command;
    }

    public async Task EventuallyAsync(string what, Func<bool> condition)
    {
        for (var until = DateTimeOffset.UtcNow + EventuallyLimit; !condition(); await Task.Delay(10))
        {
            if (DateTimeOffset.UtcNow > until) throw new TimeoutException($"Not within {EventuallyLimit.TotalSeconds} s: {what}.\n{Log()}");
        }
    }

    public ValueTask DisposeAsync()
    {
        // The kernels go first; what waits for one of them dies with it. A frozen one dies of SIGKILL too.
        foreach (var command in _started) command.Dispose();
        if (TestContext.Current.TestState?.Result is not TestResult.Failed) System.IO.Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    FakeDisk Disk(int disk) => FakeDisk.Open(DiskFile(disk), FileAccess.Read) ?? throw new InvalidOperationException($"There is no d{disk}.");

    string DiskFile(int disk) => Path.Combine(Directory.Disks, string.Create(CultureInfo.InvariantCulture, $"d{disk}"), DeviceNodes.DataPartition);
}
