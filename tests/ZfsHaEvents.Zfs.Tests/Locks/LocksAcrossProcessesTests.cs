using System.Diagnostics;
using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Zfs.Commands;
using ZfsHaEvents.Zfs.Locks;
using static ZfsHaEvents.Zfs.Tests.Running;

namespace ZfsHaEvents.Zfs.Tests.Locks;

/// <summary>What a process started under the lock inherits, and what every other does not.</summary>
public sealed class LocksAcrossProcessesTests : IDisposable
{
    static readonly PoolGuid Pool = TestHost.Tank;
    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(30);

    readonly TestHost _host = new();
    readonly HostLocks _locks;

    public LocksAcrossProcessesTests() => _locks = new(_host.Environment, TimeProvider.System);

    [Fact]
    public async Task A_command_under_the_lock_has_its_descriptor_and_its_variable_and_others_have_neither()
    {
        using var held = ((LockAttempt.Acquired)await _locks.AcquireAsync(Pool, "a test", Plenty, null, Token)).Lock;
        const string show = "echo \"$ZFSHA_LOCKS\"; ls -l /proc/$$/fd | grep -c '\\.lock$'";

        var under = await ChildProcess.RunAsync(new("/bin/sh", ["-c", show], Plenty) { Under = held }, Token);
        var beside = await ChildProcess.RunAsync(new("/bin/sh", ["-c", show], Plenty), Token);

        under.Stdout.ShouldMatch($"^{Pool}=[0-9]+\n1\n$");
        beside.Stdout.ShouldBe("\n0\n");
    }

    [Fact]
    public async Task Commands_started_at_the_same_time_get_only_what_is_theirs()
    {
        using var held = ((LockAttempt.Acquired)await _locks.AcquireAsync(Pool, "a test", Plenty, null, Token)).Lock;
        ChildCommand command = new("/bin/sh", ["-c", "ls -l /proc/$$/fd | grep -c '\\.lock$'"], Plenty);

        var results = await Task.WhenAll(Enumerable.Range(0, 40).Select(i =>
            Task.Run(() => ChildProcess.RunAsync(i % 2 == 0 ? command with { Under = held } : command, Token), Token)));

        results.Select(result => result.Stdout.Trim()).ShouldBe(Enumerable.Range(0, 40).Select(i => i % 2 == 0 ? "1" : "0"));
    }

    [Fact]
    public async Task A_process_under_the_lock_nests_and_does_not_release_it()
    {
        // A command in a shell under the lock, as in `zfsha lock POOL -- sh -c '...'`; while it waits, the lock must still be held.
        using var outer = OtherProcess.Start(_host, "run-under-lock", Pool.ToString(), "self", OtherProcess.Verb, "hold", Pool.ToString(), "0");
        (await outer.ReadLineAsync()).ShouldBe("nested");
        outer.GoOn();
        (await outer.ReadLineAsync()).ShouldBe("released");
        await outer.ExitAsync();

        (await _locks.AcquireAsync(Pool, "a test", Plenty, null, Token)).ShouldBeOfType<LockAttempt.Acquired>().Lock.Dispose();
    }

    [Fact]
    public async Task The_inner_release_leaves_the_outer_lock_held()
    {
        var script = $"'{Environment.ProcessPath}' {OtherProcess.Verb} hold {Pool} 0 < /dev/null; read go";
        using var outer = OtherProcess.Start(_host, "run-under-lock", Pool.ToString(), "/bin/sh", "-c", script);
        (await outer.ReadLineAsync()).ShouldBe("nested");
        (await outer.ReadLineAsync()).ShouldBe("released");

        (await _locks.AcquireAsync(Pool, "a test", TimeSpan.Zero, null, Token)).ShouldBeOfType<LockAttempt.TimedOut>().Record!.Purpose.ShouldBe("a typed command");
        outer.GoOn();
        (await _locks.AcquireAsync(Pool, "a test", Plenty, null, Token)).ShouldBeOfType<LockAttempt.Acquired>().Lock.Dispose();
    }

    [Fact]
    public async Task A_variable_that_claims_a_descriptor_of_something_else_is_not_believed()
    {
        using var held = ((LockAttempt.Acquired)await _locks.AcquireAsync(Pool, "a test", Plenty, null, Token)).Lock;
        var other = $"'{Environment.ProcessPath}' {OtherProcess.Verb} hold {Pool} 0 < /dev/null";
        var lockFile = Path.Join(_host.Environment.RunDirectory, "locks", $"{Pool}.lock");

        async Task<string> ClaimingAsync(string setUp)
        {
            var variables = string.Join(' ', _host.Variables().Select(variable => $"{variable.Name}='{variable.Value}'"));
            return (await ChildProcess.RunAsync(new("/bin/sh", ["-c", $"export {variables}; {setUp} {other}"], Plenty), Token)).Stdout;
        }

        (await ClaimingAsync($"ZFSHA_LOCKS={Pool}=9")).ShouldBe("timed out\n"); // No such descriptor.
        (await ClaimingAsync($"exec 9< /dev/null; ZFSHA_LOCKS={Pool}=9")).ShouldBe("timed out\n"); // Another file.
        (await ClaimingAsync($"exec 9< '{lockFile}'; ZFSHA_LOCKS={Pool}=9")).ShouldBe("timed out\n"); // The file, opened anew: not locked.
        (await ClaimingAsync("ZFSHA_LOCKS=nonsense,=,1=x,7=-1")).ShouldBe("timed out\n");
    }

    [Theory]
    [InlineData("exit 7", 7)]
    [InlineData("kill -TERM $$", 128 + 15)]
    [InlineData("[ -p /dev/stdin ] && exit 0", 0)] // It has our stdin.
    public async Task A_typed_command_s_exit_code_is_passed_on(string script, int expected)
    {
        using var outer = OtherProcess.Start(_host, "run-under-lock", Pool.ToString(), "/bin/sh", "-c", script);
        (await outer.ExitCodeAsync()).ShouldBe(expected);
    }

    [Theory]
    [InlineData("/nonexistent/command", 127)]
    [InlineData("/etc/passwd", 126)]
    public async Task A_typed_command_that_cannot_be_started_gives_the_shell_s_codes(string program, int expected)
    {
        using var outer = OtherProcess.Start(_host, "run-under-lock", Pool.ToString(), program);
        (await outer.ReadLineAsync()).ShouldStartWith($"cannot start '{program}': ");
        (await outer.ExitCodeAsync()).ShouldBe(expected);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("HUP")]
    [InlineData("INT")]
    [InlineData("QUIT")]
    public async Task Signals_reach_the_typed_command_and_it_decides(string signal)
    {
        using var outer = OtherProcess.Start(
            _host, "run-under-lock", Pool.ToString(), "/bin/sh", "-c", SaysWhatItGot(signal));
        (await outer.ReadLineAsync()).ShouldBe("ready");

        using var kill = Process.Start("/bin/sh", ["-c", $"kill -s {signal} {outer.Id}"]); // The shell's own; /bin/kill is not everywhere.
        (await outer.ReadLineAsync()).ShouldBe($"got {signal}");
        (await outer.ExitCodeAsync()).ShouldBe(9);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("HUP")]
    [InlineData("INT")]
    [InlineData("QUIT")]
    public async Task A_signal_that_comes_while_the_typed_command_is_being_started_reaches_it_too(string signal)
    {
        using var outer = OtherProcess.Start(
            _host, "signal-before-child", signal, "-c", SaysWhatItGot(signal));
        (await outer.ReadLineAsync()).ShouldBe("ready");
        (await outer.ReadLineAsync()).ShouldBe($"got {signal}");
        (await outer.ExitCodeAsync()).ShouldBe(9);
    }

    static string SaysWhatItGot(string signal) => $"trap 'echo got {signal}; exit 9' {signal}; echo ready; while :; do sleep 0.05; done";

    public void Dispose() => _host.Dispose();
}
