using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Shouldly;

namespace ZfsHaEvents.Clusters;

/// <summary>A process of ours, its output in a file, killed at the end whatever happens.</summary>
sealed partial class Running : IDisposable
{
    public const int SigQuit = 3, SigKill = 9, SigTerm = 15, SigStop = 19, SigCont = 18;

    readonly Process _process;
    readonly Task _copying;

    Running(Process process, string log)
    {
        (_process, Log) = (process, log);
        _copying = Task.WhenAll(CopyAsync(process.StandardOutput, log), CopyAsync(process.StandardError, log + ".err"));
    }

    public string Log { get; }

    public int Pid => _process.Id;

    public bool IsAlive => !_process.HasExited;

    public DateTimeOffset StartedAt { get; } = DateTimeOffset.UtcNow;

    /// <summary>When we ended it; null while it lives, and when it died of itself, which is no excuse for anything.</summary>
    public DateTimeOffset? EndedAt { get; private set; }

    public static Running Start(string program, IReadOnlyList<string> arguments, string log, IReadOnlyDictionary<string, string>? variables = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in variables ?? new Dictionary<string, string>()) start.Environment[name] = value;
        return new(Process.Start(start)!, log);
    }

    /// <summary>Runs a command to its end.</summary>
    public static (int ExitCode, string Output) Run(string program, params IReadOnlyList<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit(60_000).ShouldBeTrue($"{program} {string.Join(' ', arguments)} did not end within a minute");
        return (process.ExitCode, output + error.Result);
    }

    public void Signal(int signal) => Signal(Pid, signal);

    public static void Signal(int pid, int signal) => Kill(pid, signal).ShouldBe(0, $"signal {signal} to process {pid}");

    /// <summary>SIGKILL, and gone when this returns.</summary>
    public void KillHard()
    {
        EndedAt ??= DateTimeOffset.UtcNow;
        if (IsAlive) Signal(SigKill);
        _process.WaitForExit(10_000).ShouldBeTrue();
    }

    /// <summary>SIGTERM, and gone when this returns.</summary>
    public void Stop()
    {
        EndedAt ??= DateTimeOffset.UtcNow;
        if (IsAlive) Signal(SigTerm);
        _process.WaitForExit(20_000).ShouldBeTrue($"process {Pid} did not stop on SIGTERM; see {Log}");
    }

    /// <summary>The process has stopped itself (state T of proc(5)).</summary>
    public bool IsStopped()
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{Pid}/stat"));
            return stat[(stat.LastIndexOf(')') + 2)..].StartsWith('T');
        }
        catch (IOException)
        {
            return false; // Gone.
        }
    }

    static async Task CopyAsync(StreamReader from, string to)
    {
        await using var file = new StreamWriter(to, append: true) { AutoFlush = true };
        while (await from.ReadLineAsync() is { } line) await file.WriteLineAsync(line);
    }

    public void Dispose()
    {
        if (IsAlive) _process.Kill();
        _process.WaitForExit();
        _copying.Wait(TimeSpan.FromSeconds(5));
        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
