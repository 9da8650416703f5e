using System.Diagnostics;
using System.Text.Json;
using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Zfs.Commands;
using ZfsHaEvents.Zfs.Locks;
using static ZfsHaEvents.Zfs.Tests.Running;

namespace ZfsHaEvents.Zfs.Tests.Locks;

public sealed class HostLocksTests : IDisposable
{
    static readonly PoolGuid Pool = TestHost.Tank;
    static readonly TimeSpan AtOnce = TimeSpan.Zero;
    static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    readonly TestHost _host = new();
    readonly HostLocks _locks;

    public HostLocksTests() => _locks = new(_host.Environment, TimeProvider.System);

    string LockFile => Path.Join(_host.Environment.RunDirectory, "locks", $"{Pool}.lock");

    [Fact]
    public async Task A_lock_names_its_holder_while_it_is_held_and_nobody_afterwards()
    {
        var held = await TakeAsync(Soon, "importing", "move-1/import/1");

        var record = LockRecord.Read(await ReadLockFileAsync()).ShouldNotBeNull();
        (record.Host, record.Boot, record.Pid).ShouldBe((_host.Environment.Name, _host.Environment.ReadBootId(), Environment.ProcessId));
        (record.User, record.Purpose, record.Correlation).ShouldBe((Environment.UserName, "importing", "move-1/import/1"));
        new ProcessIdentity(record.Pid, record.StartTicks).IsAlive().ShouldBeTrue();
        (held.IsNested, held.Broken).ShouldBe((false, null));

        await held.DisposeAsync();
        (await ReadLockFileAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_run_directory_that_cannot_be_made_is_told_with_what_to_do()
    {
        File.WriteAllText(_host.Environment.RunDirectory, "a file in the place of the directory");
        var message = (await Should.ThrowAsync<HostException>(() => TakeAsync(Soon))).Message;
        message.ShouldStartWith($"The lock {LockFile} cannot be opened (");
        message.ShouldEndWith("move it out of the way.");

        var below = new HostEnvironment(_host.Environment.Name) { Root = _host.Environment.Root, RunDirectory = Path.Join(_host.Environment.RunDirectory, "zfsha") };
        message = (await Should.ThrowAsync<HostException>(() => new HostLocks(below, TimeProvider.System).AcquireAsync(Pool, "a test", Soon, null, Token))).Message;
        message.ShouldStartWith($"{below.RunDirectory} cannot be made (");
        message.ShouldEndWith("move it out of the way.");
    }

    [Fact]
    public async Task Pools_do_not_wait_for_each_other()
    {
        using var one = await TakeAsync(Soon);
        var other = await _locks.AcquireAsync(new(1), "another pool", Soon, null, Token);
        other.ShouldBeOfType<LockAttempt.Acquired>().Lock.Dispose();
    }

    [Fact]
    public async Task Threads_exclude_each_other()
    {
        var inside = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(
            async () =>
            {
                for (var i = 0; i < 5; i++)
                {
                    using var held = await TakeAsync(TimeSpan.FromSeconds(30));
                    Interlocked.Increment(ref inside).ShouldBe(1);
                    await Task.Delay(1, Token);
                    Interlocked.Decrement(ref inside);
                }
            },
            Token)));
    }

    [Fact]
    public async Task Another_process_waits_until_the_lock_is_released()
    {
        var held = await TakeAsync(Soon);
        using var other = OtherProcess.Start(_host, "hold", Pool.ToString(), "20");
        var line = other.ReadLineAsync();
        await Task.Delay(500, Token);
        line.IsCompleted.ShouldBeFalse();

        held.Dispose();
        (await line).ShouldBe("held");
    }

    [Fact]
    public async Task The_wait_is_bounded_and_names_the_holder()
    {
        using var other = OtherProcess.Start(_host, "hold", Pool.ToString(), "5");
        (await other.ReadLineAsync()).ShouldBe("held");

        var timedOut = (await _locks.AcquireAsync(Pool, "importing", TimeSpan.FromSeconds(0.3), null, Token)).ShouldBeOfType<LockAttempt.TimedOut>();

        timedOut.Waited.TotalSeconds.ShouldBeInRange(0.29, 20);
        (timedOut.Record!.Pid, timedOut.HolderLives).ShouldBe((other.Id, true));
        timedOut.Holder.ShouldStartWith($"pid {other.Id} (user {Environment.UserName}, holding in another process) since ");
    }

    [Fact]
    public async Task The_wait_can_be_interrupted()
    {
        using var other = OtherProcess.Start(_host, "hold", Pool.ToString(), "5");
        await other.ReadLineAsync();
        using var impatience = new CancellationTokenSource(TimeSpan.FromSeconds(0.2));

        await Should.ThrowAsync<OperationCanceledException>(() => _locks.AcquireAsync(Pool, "importing", Soon, null, impatience.Token));

        other.GoOn();
        using var held = await TakeAsync(Soon); // The interrupted wait left nothing behind.
        held.IsNested.ShouldBeFalse();
    }

    [Fact]
    public async Task In_one_flow_it_nests_and_only_the_last_release_frees_it()
    {
        var outer = await TakeAsync(Soon);
        var inner = await DeeperAsync();
        (outer.IsNested, inner.IsNested).ShouldBe((false, true));

        inner.Dispose();
        inner.Dispose(); // Twice is once.
        (await InAnotherFlowAsync(AtOnce)).ShouldBeOfType<LockAttempt.TimedOut>();

        outer.Dispose();
        (await InAnotherFlowAsync(Soon)).ShouldBeOfType<LockAttempt.Acquired>().Lock.Dispose();

        async Task<HeldLock> DeeperAsync()
        {
            await Task.Yield();
            return await TakeAsync(Soon);
        }
    }

    [Fact]
    public async Task A_flow_that_branched_off_before_is_not_in_it()
    {
        var go = new TaskCompletionSource();
        var branch = Task.Run(
            async () =>
            {
                await go.Task;
                return await _locks.AcquireAsync(Pool, "beside", AtOnce, null, Token);
            },
            Token);

        using var held = await TakeAsync(Soon);
        go.SetResult();

        (await branch).ShouldBeOfType<LockAttempt.TimedOut>();
    }

    [Fact]
    public async Task A_flow_that_branched_off_within_takes_it_anew_after_the_release()
    {
        var held = await TakeAsync(Soon);
        var go = new TaskCompletionSource();
        var branch = Task.Run(
            async () =>
            {
                await go.Task;
                return await _locks.AcquireAsync(Pool, "later", Soon, null, Token);
            },
            Token);
        held.Dispose();
        go.SetResult();

        using var later = (await branch).ShouldBeOfType<LockAttempt.Acquired>().Lock;
        later.IsNested.ShouldBeFalse();
    }

    [Fact]
    public async Task A_holder_that_died_is_told_as_a_broken_lock()
    {
        using var other = OtherProcess.Start(_host, "hold", Pool.ToString(), "5");
        await other.ReadLineAsync();
        await other.KillAsync();

        using var held = await TakeAsync(Soon);

        var broken = held.Broken.ShouldNotBeNull();
        broken.Previous!.Pid.ShouldBe(other.Id);
        broken.PreviousHolder.ShouldContain("holding in another process");
        broken.Evidence.ShouldBe($"pid {other.Id} (started at tick {broken.Previous.StartTicks}) is gone");
    }

    [Fact]
    public async Task A_process_id_that_was_used_again_is_not_taken_for_the_holder()
    {
        await LeaveRecordAsync(record => record with { StartTicks = record.StartTicks - 1 });
        using var held = await TakeAsync(Soon);
        held.Broken!.Evidence.ShouldMatch($@"^pid {Environment.ProcessId} \(started at tick \d+\) is now another process \(started at tick \d+\)$");
    }

    [Fact]
    public async Task A_holder_of_an_earlier_boot_is_gone_whatever_its_process_id()
    {
        await LeaveRecordAsync(record => record);
        _host.Boot();
        using var held = await TakeAsync(Soon);
        held.Broken!.Evidence.ShouldStartWith("the host has booted since");
    }

    [Theory]
    [InlineData("{\"Host\":\"hos")]
    [InlineData("{}")]
    [InlineData("nonsense")]
    public async Task A_torn_record_is_no_obstacle(string torn)
    {
        (await TakeAsync(Soon)).Dispose();
        (await ChildProcess.RunAsync(new("/bin/sh", ["-c", "printf %s \"$1\" > \"$2\"", "sh", torn, LockFile], Soon), Token)).Succeeded().ShouldBeTrue();

        using var held = await TakeAsync(Soon);
        (held.Broken!.Previous, held.Broken.PreviousHolder).ShouldBe((null, "unknown"));
    }

    [Fact]
    public async Task The_lock_outlives_a_killed_holder_as_long_as_its_command_runs()
    {
        using var other = OtherProcess.Start(_host, "leave-child", Pool.ToString(), "3");
        await other.ReadLineAsync();
        await Task.Delay(200, Token);
        await other.KillAsync();

        var timedOut = (await _locks.AcquireAsync(Pool, "importing", AtOnce, null, Token)).ShouldBeOfType<LockAttempt.TimedOut>();
        timedOut.HolderLives.ShouldBeFalse();
        timedOut.Holder.ShouldContain($"pid {other.Id} (");
        timedOut.Holder.ShouldContain("which is gone; its child still holds the lock: pid ");
        timedOut.Holder.ShouldContain("(/bin/sleep 3)");

        var started = Stopwatch.GetTimestamp();
        using var held = await TakeAsync(Soon);
        Stopwatch.GetElapsedTime(started).TotalSeconds.ShouldBeGreaterThan(1);
        held.Broken!.Evidence.ShouldEndWith("is gone");
    }

    [Fact]
    public async Task A_lock_left_to_a_command_keeps_its_record()
    {
        using (var held = await TakeAsync(Soon)) held.LeaveToChild(); // No child has it here: it is free at once.
        using var next = await TakeAsync(Soon);
        next.Broken!.Evidence.ShouldMatch($@"^pid {Environment.ProcessId} \(started at tick \d+\) lives: it had left the lock to a command, which has ended since$");
    }

    [Fact]
    public async Task A_folder_that_others_can_write_is_refused()
    {
        var locks = Directory.CreateDirectory(Path.Join(_host.Environment.RunDirectory, "locks"));
        File.SetUnixFileMode(locks.FullName, (UnixFileMode)0x1ff);
        (await Should.ThrowAsync<HostException>(() => TakeAsync(Soon))).Message.ShouldContain("can be written by others");
    }

    [Fact]
    public async Task A_symbolic_link_in_the_place_of_the_folder_or_the_file_is_refused()
    {
        var elsewhere = Directory.CreateDirectory(Path.Join(_host.Folder, "elsewhere")).FullName;
        Directory.CreateDirectory(_host.Environment.RunDirectory);
        var locks = Path.Join(_host.Environment.RunDirectory, "locks");
        Directory.CreateSymbolicLink(locks, elsewhere);
        await Should.ThrowAsync<HostException>(() => TakeAsync(Soon));

        Directory.Delete(locks);
        (await TakeAsync(Soon)).Dispose();
        File.Delete(LockFile);
        var victim = Path.Join(_host.Folder, "victim");
        await File.WriteAllTextAsync(victim, "precious", Token);
        File.CreateSymbolicLink(LockFile, victim);
        await Should.ThrowAsync<HostException>(() => TakeAsync(Soon));
        (await File.ReadAllTextAsync(victim, Token)).ShouldBe("precious");
    }

    [Fact]
    public async Task Folders_are_made_with_the_modes_they_need()
    {
        (await TakeAsync(Soon)).Dispose();
        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        File.GetUnixFileMode(Path.GetDirectoryName(LockFile)!).ShouldBe(owner);
        File.GetUnixFileMode(LockFile).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        (File.GetUnixFileMode(_host.Environment.RunDirectory) & owner).ShouldBe(owner);
    }

    public void Dispose() => _host.Dispose();

    /// <summary>Not an async method, so that the lock is taken in the flow of the caller.</summary>
    Task<HeldLock> TakeAsync(TimeSpan timeout, string purpose = "a test", string? correlation = null) =>
        HeldAsync(_locks.AcquireAsync(Pool, purpose, timeout, correlation, Token));

    static async Task<HeldLock> HeldAsync(Task<LockAttempt> attempt) => (await attempt).ShouldBeOfType<LockAttempt.Acquired>().Lock;

    /// <summary>Not with .NET's own file reading: it takes a shared flock, which is refused while the lock is held.</summary>
    async Task<string> ReadLockFileAsync() => (await ChildProcess.RunAsync(new("/bin/cat", [LockFile], Soon), Token)).Stdout;

    Task<LockAttempt> InAnotherFlowAsync(TimeSpan timeout)
    {
        using (ExecutionContext.SuppressFlow()) return Task.Run(() => _locks.AcquireAsync(Pool, "beside", timeout, null, Token), Token);
    }

    async Task LeaveRecordAsync(Func<LockRecord, LockRecord> change)
    {
        using (await TakeAsync(Soon))
        {
            var record = LockRecord.Read(await ReadLockFileAsync())!;
            await File.WriteAllTextAsync(Path.Join(_host.Folder, "record"), JsonSerializer.Serialize(change(record)), Token);
        }
        (await ChildProcess.RunAsync(new("/bin/cp", [Path.Join(_host.Folder, "record"), LockFile], Soon), Token)).Succeeded().ShouldBeTrue();
    }
}
