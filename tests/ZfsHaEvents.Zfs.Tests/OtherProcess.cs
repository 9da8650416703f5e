using System.Diagnostics;
using System.Globalization;
using System.Text;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Zfs.Commands;
using ZfsHaEvents.Zfs.Locks;
using ZfsHaEvents.Zfs.Operations;
using ZfsHaEvents.Zfs.Spooling;
using ZfsHaEvents.Zfs.Tests.Locks;
using ZfsHaEvents.Zfs.Tests.Operations;

namespace ZfsHaEvents.Zfs.Tests;

/// <summary>
/// Another process of the same host: this executable, started again with one of a few jobs. It takes the host's folders from the
/// product's own variables, says on stdout how far it is, and goes on or ends when told so on stdin.
/// </summary>
sealed class OtherProcess : IDisposable
{
    public const string Verb = "other-process";

    readonly Process _process;

    OtherProcess(Process process) => _process = process;

    public int Id => _process.Id;

    public static OtherProcess Start(TestHost host, params string[] job)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, [Verb, .. job])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        foreach (var (name, value) in host.Variables()) start.Environment[name] = value;
        if (host.SpoolMebibytes is { } limit) start.Environment["ZFSHA_SPOOL_LIMIT_MB"] = limit.ToString(CultureInfo.InvariantCulture);
        return new(Process.Start(start)!);
    }

    public async Task<string> ReadLineAsync() =>
        await _process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)) ?? throw new EndOfStreamException("The other process ended.");

    public async Task<IReadOnlyList<string>> ReadToEndAsync() =>
        (await _process.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60))).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public void GoOn() => _process.StandardInput.WriteLine();

    public async Task<int> ExitCodeAsync()
    {
        await ExitAsync();
        return _process.ExitCode;
    }

    public async Task ExitAsync() => await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));

    /// <summary>SIGSTOP, or SIGCONT.</summary>
    public void Stop(bool stopped) => Libc.Signal(Id, stopped ? 19 : 18);

    /// <summary>SIGKILL, to this process alone, and wait until it is gone.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await ExitAsync();
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    public static async Task<int> MainAsync(string[] job)
    {
        var host = HostEnvironment.FromVariables();
        switch (job)
        {
            case ["hold", var pool, var seconds]: // Take the lock, keep it until told.
                await HoldAsync(host, PoolGuid.Parse(pool), Seconds(seconds));
                return 0;
            case ["run-under-lock", var pool, var program, .. var arguments]: // What `zfsha lock POOL -- COMMAND` does.
                return await RunUnderLockAsync(host, PoolGuid.Parse(pool), program, arguments);
            case ["signal-before-child", var signal, .. var arguments]: // As one that comes while the command is being started.
                return await SignalBeforeChildAsync(signal, arguments);
            case ["leave-child", var pool, var seconds]: // Take the lock and start a command under it that runs for long.
                await LeaveChildAsync(host, PoolGuid.Parse(pool), Seconds(seconds));
                return 0;
            case ["take-turns", var pool, var times, var log]: // Take the lock again and again, and write down that we have it.
                await TakeTurnsAsync(host, PoolGuid.Parse(pool), int.Parse(times, CultureInfo.InvariantCulture), log);
                return 0;
            case ["contend", var pool, var folder, var exclusion]:
                await new Contender(host, PoolGuid.Parse(pool), folder, exclusion == "locked").RunAsync(Say);
                return 0;
            case ["draw", var count]:
                var sequence = new HostSequence(host);
                for (var i = 0; i < int.Parse(count, CultureInfo.InvariantCulture); i++) Say(sequence.Draw(Numbered));
                return 0;
            case ["append-for-ever"]:
                var spool = new Spool(host);
                for (var i = 0; ; i++) Say(spool.Append($$"""{"Writer":{{Environment.ProcessId}},"Serial":{{i}}}""").Number + " " + i);
            case ["report-for-ever"]: // Until the spool refuses, and then refused for ever; what came of each is said.
                var reports = new SpooledReports(host, new(host), TimeProvider.System);
                for (var i = 0; ; i++) Say(TryReport(host, reports, i));
            case ["import-and-die-at", var pool, var point]:
                using (DiagnosticListener.AllListeners.Subscribe(new DeathAt(point)))
                {
                    OperationTerms terms = new("importing", "zfsha-agent", TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(20));
                    await new PoolOperations(host, new SpoolOfKinds(host), TimeProvider.System).ImportAsync(new(PoolGuid.Parse(pool), null, [], terms));
                }
                return 0;
            default:
                return 64;
        }
    }

    static string Numbered(long number) => $"{number} {Stopwatch.GetTimestamp()}";

    static async Task HoldAsync(HostEnvironment host, PoolGuid pool, TimeSpan timeout)
    {
        var attempt = await new HostLocks(host, TimeProvider.System).AcquireAsync(pool, "holding in another process", timeout);
        if (attempt is not LockAttempt.Acquired { Lock: var held })
        {
            Say("timed out");
            return;
        }
        Say(held.IsNested ? "nested" : "held");
        Console.ReadLine();
        held.Dispose();
        Say("released");
    }

    static async Task TakeTurnsAsync(HostEnvironment host, PoolGuid pool, int times, string log)
    {
        var locks = new HostLocks(host, TimeProvider.System);
        for (var i = 0; i < times; i++)
        {
            using var held = ((LockAttempt.Acquired)await locks.AcquireAsync(pool, "taking turns", TimeSpan.FromSeconds(60))).Lock;
            using (var file = new FileStream(log, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) file.Write(Encoding.ASCII.GetBytes($"{Environment.ProcessId}\n"));
            await Task.Delay(5);
        }
    }

    static string TryReport(HostEnvironment host, SpooledReports reports, int serial)
    {
        try
        {
            reports.Append(new(TestHost.Tank, null, host.Name, host.ReadBootId(), null, "zfsha-agent", [new HostFact.OrderRefused(serial, default, OrderRefusal.Expired, $"{Environment.ProcessId} {serial}")]), endsOrder: false);
            return $"written {serial}";
        }
        catch (HostException e) when (e.Message.Contains("is full", StringComparison.Ordinal))
        {
            return $"refused {serial}";
        }
    }

    static async Task<int> RunUnderLockAsync(HostEnvironment host, PoolGuid pool, string program, string[] arguments)
    {
        var attempt = await new HostLocks(host, TimeProvider.System).AcquireAsync(pool, "a typed command", TimeSpan.FromSeconds(5));
        using var held = ((LockAttempt.Acquired)attempt).Lock;
        var (exitCode, error) = await ChildProcess.RunInForegroundAsync(program == "self" ? Environment.ProcessPath! : program, arguments, held);
        if (error is not null) Say(error);
        return exitCode;
    }

    static async Task<int> SignalBeforeChildAsync(string signal, string[] arguments)
    {
        using var signals = new SignalForwarding();
        using (var kill = Process.Start("/bin/sh", ["-c", $"kill -s {signal} {Environment.ProcessId}"])) await kill.WaitForExitAsync();
        await Task.Delay(TimeSpan.FromMilliseconds(300)); // It has come by now.
        using var child = Process.Start(new ProcessStartInfo("/bin/sh", arguments) { RedirectStandardOutput = true })!;
        Say((await child.StandardOutput.ReadLineAsync())!);
        signals.To(child);
        Say((await child.StandardOutput.ReadLineAsync())!);
        await child.WaitForExitAsync();
        return child.ExitCode;
    }

    static async Task LeaveChildAsync(HostEnvironment host, PoolGuid pool, TimeSpan childTime)
    {
        var attempt = await new HostLocks(host, TimeProvider.System).AcquireAsync(pool, "importing", TimeSpan.FromSeconds(5));
        var held = ((LockAttempt.Acquired)attempt).Lock;
        var seconds = childTime.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        var running = ChildProcess.RunAsync(new("/bin/sleep", [seconds], TimeSpan.FromMinutes(1)) { Under = held });
        Say("started");
        await running;
        held.Dispose();
        Say("released");
    }

    /// <summary>Ends this process by SIGKILL when the point is reached.</summary>
    sealed class DeathAt(string point) : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
    {
        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == HostDiagnostics.ListenerName) value.Subscribe(this);
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (value.Key == point) Process.GetCurrentProcess().Kill();
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }
    }

    static TimeSpan Seconds(string text) => TimeSpan.FromSeconds(double.Parse(text, CultureInfo.InvariantCulture));

    static void Say(object line)
    {
        Console.WriteLine(line);
        Console.Out.Flush();
    }
}
