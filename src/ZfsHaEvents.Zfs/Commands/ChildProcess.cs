using System.Buffers;
using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Locks;

namespace ZfsHaEvents.Zfs.Commands;

/// <summary>
/// Runs external commands. All that a command can do to us is a value: it fails, hangs, cannot be killed, prints without end, is
/// not installed.
/// </summary>
public static class ChildProcess
{
    /// <summary>More than any stderr of zpool; the rest is read and dropped, so that the command does not block on a full pipe.</summary>
    const int StderrBytesMax = 64 * 1024;
    const int StdoutBytesMax = 4 * 1024 * 1024;

    /// <summary>A death by signal N is given as 128 + N, as by a shell; there is no telling it from an exit with that code.</summary>
    const int SignalledCode = 128;
    const int SignalMax = 64;
    const int NoSuchFile = 2;

    /// <summary>Between SIGTERM and SIGKILL, and between SIGKILL and giving up.</summary>
    static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <summary>After the exit, for what is still in the pipes; a grandchild may hold them open for ever.</summary>
    static readonly TimeSpan DrainTime = TimeSpan.FromMilliseconds(500);

    /// <summary>These change what zpool and zfs print, and somebody may have set them for a shell (zpool(8), ENVIRONMENT VARIABLES).</summary>
    static readonly string[] VariablesRemoved =
        ["ZFS_COLOR", "ZPOOL_VDEV_NAME_FOLLOW_LINKS", "ZPOOL_VDEV_NAME_GUID", "ZPOOL_VDEV_NAME_PATH", "LANGUAGE"];

    /// <summary>
    /// Every start in this process passes here one at a time: while a lock's descriptor is inheritable for one child, no
    /// other child may be started, or it would keep the lock by accident. Locks are released here as well: a child between
    /// its fork and its exec has every descriptor, and would keep a released lock for that moment.
    /// </summary>
    internal static readonly Lock StartGate = new();

    /// <summary>Runs the command to its end, or until its time limit is past and it did not let itself be ended.</summary>
    /// <param name="cancellation">
    /// Stops the waiting, not the command: an import that is left alone ends by itself, under the lock it inherited.
    /// </param>
    /// <exception cref="OperationCanceledException">The waiting was cancelled; the command runs on.</exception>
    public static async Task<ChildResult> RunAsync(ChildCommand command, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        var started = Stopwatch.GetTimestamp();
        var commandLine = command.CommandLine();
        ChildResult Result(int? exitCode, ZpoolFailure failure, string stderr, bool ended, Capture? stdout = null) => new(
            new(commandLine, exitCode, failure, stderr, Stopwatch.GetElapsedTime(started).TotalSeconds, ended), stdout?.Text() ?? "", stdout?.Cut ?? false);

        var process = new Process { StartInfo = StartInfo(command, redirect: true) };
        if (command.HasEffect) HostDiagnostics.Announce(HostDiagnostics.ChildStart, commandLine);
        if (Start(process, command.Under) is { } failure)
        {
            process.Dispose();
            return Result(null, ZpoolFailure.NotStarted, failure.Text, ended: true);
        }

        process.StandardInput.Close();
        using var reading = new CancellationTokenSource();
        Capture stdout = new(StdoutBytesMax), stderr = new(StderrBytesMax);
        var draining = Task.WhenAll(
            stdout.ReadAsync(process.StandardOutput.BaseStream, reading.Token), stderr.ReadAsync(process.StandardError.BaseStream, reading.Token));
        var exit = process.WaitForExitAsync(CancellationToken.None);
        bool inTime, ended;
        try
        {
            inTime = await EndsWithinAsync(exit, command.Limit, cancellation);
            ended = inTime || await EndAsync(process, exit, cancellation);
        }
        catch (OperationCanceledException) // Left alone, not ended; its pipes are read on, or it would die of SIGPIPE.
        {
            DisposeAtExit(process, exit);
            throw;
        }
        if (!ended)
        {
            DisposeAtExit(process, exit);
            return Result(null, ZpoolFailure.TimedOut, stderr.Text(), ended: false, stdout);
        }

        if (command.HasEffect) HostDiagnostics.Announce(HostDiagnostics.ChildExit, commandLine);
        await EndsWithinAsync(draining, DrainTime, CancellationToken.None);
        await reading.CancelAsync();
        int? exitCode = process.ExitCode is > SignalledCode and <= SignalledCode + SignalMax ? null : process.ExitCode;
        process.Dispose();
        var text = stderr.Text();
        return Result(exitCode, Failure(inTime, exitCode, text), text, ended: true, stdout);
    }

    /// <summary>
    /// Runs a command in the caller's terminal: it inherits stdin, stdout and stderr, has no time limit, and is sent the signals
    /// that are sent to us. For <c>zfsha lock POOL -- COMMAND</c>.
    /// </summary>
    /// <param name="program">A path, or a name to be found in <c>PATH</c>.</param>
    /// <returns>Its exit code; 128 + N after a signal, 127 when there is no such program, 126 when it could not be started.</returns>
    public static async Task<(int ExitCode, string? Error)> RunInForegroundAsync(string program, IReadOnlyList<string> arguments, HeldLock under)
    {
        using var process = new Process { StartInfo = StartInfo(new(InPath(program), arguments, Timeout.InfiniteTimeSpan) { Under = under }, redirect: false) };
        using var signals = new SignalForwarding();
        if (Start(process, under) is { } failure) return (failure.Code == NoSuchFile ? 127 : 126, failure.Text);

        signals.To(process);
        await process.WaitForExitAsync(CancellationToken.None);
        return (process.ExitCode, null);
    }

    /// <summary>As a shell finds it; .NET alone would look in the working directory before <c>PATH</c>.</summary>
    static string InPath(string program)
    {
        if (program.Contains('/')) return Path.GetFullPath(program);
        var directories = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        return directories.Select(directory => Path.Join(directory, program)).FirstOrDefault(File.Exists) ?? Path.Join("/usr/bin", program);
    }

    /// <returns>Why it could not be started; null when it runs.</returns>
    static (int Code, string Text)? Start(Process process, HeldLock? under)
    {
        lock (StartGate)
        {
            try
            {
                under?.LetNextChildInherit(true);
                process.Start();
                return null;
            }
            catch (Win32Exception e) // Not installed, not executable, not permitted, no memory: the system's own words.
            {
                return (e.NativeErrorCode, $"cannot start '{process.StartInfo.FileName}': {new Win32Exception(e.NativeErrorCode).Message}");
            }
            finally
            {
                under?.LetNextChildInherit(false);
            }
        }
    }

    static ProcessStartInfo StartInfo(ChildCommand command, bool redirect)
    {
        var start = new ProcessStartInfo(command.Program, command.Arguments)
        {
            RedirectStandardInput = redirect,
            RedirectStandardOutput = redirect,
            RedirectStandardError = redirect,
        };
        if (redirect)
        {
            start.WorkingDirectory = "/"; // A working directory inside the pool would keep it busy.
            start.Environment["LC_ALL"] = "C";
            foreach (var variable in VariablesRemoved) start.Environment.Remove(variable);
        }
        if (command.Under is { } held) start.Environment[InheritedLocks.Variable] = held.InheritanceText();
        else start.Environment.Remove(InheritedLocks.Variable);
        return start;
    }

    static ZpoolFailure Failure(bool inTime, int? exitCode, string stderr) => (inTime, exitCode) switch
    {
        (false, _) => ZpoolFailure.TimedOut,
        (_, 0) => ZpoolFailure.None,
        (_, null) => ZpoolFailure.Interrupted,
        _ => ZpoolErrors.Classify(stderr),
    };

    /// <summary>SIGTERM, which ends an import that is still at its activity check (measured); SIGKILL; then it is left as it is.</summary>
    static async Task<bool> EndAsync(Process process, Task exit, CancellationToken cancellation)
    {
        // A process that has not been waited for keeps its id, and .NET waits only when it has seen the exit.
        if (!process.HasExited) Libc.Signal(process.Id, Libc.SignalTerminate);
        if (await EndsWithinAsync(exit, Grace, cancellation)) return true;
        process.Kill();
        return await EndsWithinAsync(exit, Grace, cancellation);
    }

    static async Task<bool> EndsWithinAsync(Task task, TimeSpan limit, CancellationToken cancellation)
    {
        try
        {
            await task.WaitAsync(limit, cancellation);
            return true;
        }
        catch (TimeoutException) // What was asked.
        {
            return false;
        }
    }

    static void DisposeAtExit(Process process, Task exit) =>
        exit.ContinueWith(_ => process.Dispose(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);

    /// <summary>The beginning of a stream, kept; the rest of it is read and dropped.</summary>
    sealed class Capture(int bytesMax)
    {
        readonly ArrayBufferWriter<byte> _kept = new();

        public bool Cut { get; private set; }

        public async Task ReadAsync(Stream stream, CancellationToken cancellation)
        {
            var buffer = new byte[16 * 1024];
            try
            {
                while (await stream.ReadAsync(buffer, cancellation) is > 0 and var read)
                {
                    lock (_kept)
                    {
                        var room = Math.Min(read, bytesMax - _kept.WrittenCount);
                        _kept.Write(buffer.AsSpan(0, room));
                        Cut |= room < read;
                    }
                }
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
            {
                // The command is gone, or given up; what was read until then is what there is.
            }
        }

        public string Text()
        {
            lock (_kept) return Encoding.UTF8.GetString(_kept.WrittenSpan);
        }
    }
}
