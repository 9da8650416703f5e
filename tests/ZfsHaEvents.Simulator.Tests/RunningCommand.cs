using System.Diagnostics;
using System.Globalization;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Tests;

/// <summary>
/// A process that a test started, its output in files: whoever inherits a descriptor and does not end cannot hold up the test.
/// </summary>
sealed class RunningCommand : IDisposable
{
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(180);

    static int _numbers;

    readonly Process _process;
    readonly string _output;
    readonly string _text;
    readonly Func<string> _world;

    RunningCommand(Process process, string output, string text, Func<string> world) =>
        (_process, _output, _text, _world) = (process, output, text, world);

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>What it has printed until now.</summary>
    public string Stdout => File.ReadAllText(_output + ".out");

    public string Stderr => File.ReadAllText(_output + ".err");

    /// <param name="folder">Where its output goes.</param>
    /// <param name="world">What to say of the world when it does not end.</param>
    /// <param name="variables">Environment variables.</param>
    /// <param name="program">What to start.</param>
    public static RunningCommand Start(
        string folder, Func<string> world, IReadOnlyDictionary<string, string> variables, string program, params IReadOnlyList<string> arguments)
    {
        var output = Path.Combine(folder, Interlocked.Increment(ref _numbers).ToString(CultureInfo.InvariantCulture));
        // The shell opens the files and is replaced by the command, which so keeps its process id.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" > \"$0.out\" 2> \"$0.err\"", output, program, .. arguments]);
        foreach (var (name, value) in variables) start.Environment[name] = value;
        File.WriteAllText(output + ".out", "");
        File.WriteAllText(output + ".err", "");
        var process = Process.Start(start) ?? throw new InvalidOperationException("There is no shell.");
        return new(process, output, $"{program} {string.Join(' ', arguments)}", world);
    }

    public async Task<Ended> EndAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"Not within {Limit.TotalSeconds} s: {_text}\nstdout: {Stdout}\nstderr: {Stderr}\n{_world()}");
        }
        return new(_process.ExitCode, Stdout, Stderr);
    }

    public void Signal(int signal) => Posix.Signal(Pid, signal);

    public void Dispose()
    {
        // Whatever still runs hangs because it was told to; it is this test's own child.
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
