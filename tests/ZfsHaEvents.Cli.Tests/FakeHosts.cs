using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Shouldly;

namespace ZfsHaEvents.Cli.Tests;

/// <summary>Two fake hosts, alpha and beta, on shared fake disks: tank1 with multihost on and tank2 without, both imported on alpha.</summary>
/// <param name="timeScale">0.01 makes a 35 s activity check last a third of a second.</param>
public sealed class FakeHosts(double timeScale = 0.01) : IAsyncDisposable
{
    readonly string _directory = Directory.CreateTempSubdirectory("zfsha-cli-").FullName;
    readonly ConcurrentDictionary<string, Process> _kernels = new();

    public async Task StartAsync()
    {
        Run(ZfshaProcess.Simulator, "world", World, "--hosts", "alpha,beta", "--disks", "4", "--time-scale", timeScale.ToString(CultureInfo.InvariantCulture), "--export-seconds", "0.02", "--import-seconds", "0.02");
        await Task.WhenAll(BootAsync("alpha"), BootAsync("beta"));
        Zpool("alpha", "create", "-o", "cachefile=none", "-o", "multihost=on", "-O", "canmount=off", "tank1", "mirror", "/dev/disk/by-id/virtio-d0", "/dev/disk/by-id/virtio-d1");
        Zpool("alpha", "create", "-o", "cachefile=none", "-o", "multihost=off", "-O", "canmount=off", "tank2", "mirror", "/dev/disk/by-id/virtio-d2", "/dev/disk/by-id/virtio-d3");
    }

    async Task BootAsync(string host)
    {
        var kernel = ZfshaProcess.Start(ZfshaProcess.Simulator, ["kernel", Path.Join(World, "hosts", host)], new Dictionary<string, string>());
        _kernels[host] = kernel;
        while (await kernel.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)) is { } line && !line.Contains("ready", StringComparison.Ordinal))
        {
        }
    }

    /// <summary>The host's power fails.</summary>
    public void Crash(string host)
    {
        _kernels[host].Kill();
        _kernels[host].WaitForExit(30_000).ShouldBeTrue();
    }

    string World => Path.Join(_directory, "world");

    /// <summary>Runs <c>zfsha</c> on a host, without a server.</summary>
    internal Task<(int ExitCode, string Output, string Error)> OnAsync(string host, params string[] words) => ZfshaProcess.RunAsync(Variables(host), words);

    internal Process Start(string host, params string[] words) => ZfshaProcess.Start(ZfshaProcess.Program, words, Variables(host));

    /// <summary>Runs <c>zfsha</c> on a host and on a terminal of its own (script(1)), without a server.</summary>
    /// <returns>All that came to the terminal.</returns>
    internal async Task<(int ExitCode, string Shown)> OnTerminalAsync(string host, params string[] words)
    {
        var variables = new Dictionary<string, string>(Variables(host)) { ["TERM"] = "xterm", ["NO_COLOR"] = "" };
        using var script = ZfshaProcess.Start("script", ["--quiet", "--return", "--command", $"stty columns 200; {ZfshaProcess.Program} {string.Join(' ', words)}", "/dev/null"], variables);
        var shown = script.StandardOutput.ReadToEndAsync();
        await script.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        return (script.ExitCode, await shown);
    }

    public string Zpool(string host, params string[] words) => Run(Path.Join(World, "hosts", host, "sbin", "zpool"), words);

    public string Zfs(string host, params string[] words) => Run(Path.Join(World, "hosts", host, "sbin", "zfs"), words);

    /// <summary>Makes a disk (d0) invisible to the host.</summary>
    public void Hide(string host, string disk) => Run(ZfshaProcess.Simulator, "hide", Path.Join(World, "hosts", host), disk, "on");

    /// <summary>Where a path of the host is in reality.</summary>
    public string PathOf(string host, string path) => Path.Join(World, "hosts", host, path);

    /// <summary>What waits on the host's disk for its agent, oldest first, as text.</summary>
    public string Spooled(string host)
    {
        var spool = Path.Join(_directory, host, "state", "spool");
        return Directory.Exists(spool) ? string.Join('\n', Directory.GetFiles(spool, "*.json").Order(StringComparer.Ordinal).Select(File.ReadAllText)) : "";
    }

    /// <summary>A file of the host's spool, by its name.</summary>
    public string SpoolFile(string host, string name) => Path.Join(_directory, host, "state", "spool", name);

    public async ValueTask DisposeAsync()
    {
        foreach (var kernel in _kernels.Values)
        {
            kernel.Kill();
            await kernel.WaitForExitAsync();
            kernel.Dispose();
        }

        Directory.Delete(_directory, recursive: true);
    }

    internal Dictionary<string, string> Variables(string host) => new()
    {
        ["ZFSHA_HOST"] = host,
        ["ZFSHA_HOST_ROOT"] = Path.Join(World, "hosts", host),
        ["ZFSHA_SBIN"] = Path.Join(World, "hosts", host, "sbin"),
        ["ZFSHA_STATE_DIR"] = Path.Join(_directory, host, "state"),
        ["ZFSHA_RUN_DIR"] = Path.Join(_directory, host, "run"),
    };

    static string Run(string program, params string[] words)
    {
        using var process = ZfshaProcess.Start(program, words, new Dictionary<string, string>());
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit(60_000).ShouldBeTrue();
        process.ExitCode.ShouldBe(0, $"{string.Join(' ', words)}: {output}{error.Result}");
        return output;
    }
}
