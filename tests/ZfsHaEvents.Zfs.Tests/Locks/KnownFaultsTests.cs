using System.Globalization;
using System.Text.Json;
using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Zfs.Commands;
using ZfsHaEvents.Zfs.Locks;
using static ZfsHaEvents.Zfs.Tests.Running;

namespace ZfsHaEvents.Zfs.Tests.Locks;

/// <summary>The faults of the lock of the Integrated Manager for Lustre, each shown in a model of it, and absent in ours.</summary>
public sealed class KnownFaultsTests : IDisposable
{
    const int NoSuchProcess = 4_999_999; // Above what the kernel gives out (PID_MAX_LIMIT is 4194304).

    static readonly PoolGuid Pool = TestHost.Tank;

    readonly TestHost _host = new();
    readonly HostLocks _locks;

    public KnownFaultsTests() => _locks = new(_host.Environment, TimeProvider.System);

    string Theirs => Path.Join(_host.Folder, "tank1");

    string Ours => Path.Join(_host.Environment.RunDirectory, "locks", $"{Pool}.lock");

    [Fact]
    public void Empty_file_window_in_the_model_a_holder_without_a_pid_ends_every_waiter()
    {
        new FileExistsLock(Theirs, pid: 1).TryMake().ShouldBeTrue(); // And is killed before it writes its pid, or has not got round to it.
        Should.Throw<FormatException>(() => new FileExistsLock(Theirs, pid: 2).Acquire(timeoutsMax: 1));
    }

    [Fact]
    public async Task Empty_file_window_in_ours_a_holder_without_a_record_is_waited_for_and_its_death_frees_the_lock()
    {
        Directory.CreateDirectory(_host.Environment.RunDirectory);
        var silent = LockFile.Open(Path.GetDirectoryName(Ours)!, Path.GetFileName(Ours), 0x1c0);
        silent.TryLock().ShouldBeTrue();
        (await TryAsync()).ShouldBeOfType<LockAttempt.TimedOut>().Record.ShouldBeNull();

        silent.Dispose(); // As the kernel does at a death.
        (await TryAsync()).ShouldBeOfType<LockAttempt.Acquired>().Lock.Dispose();
    }

    [Fact]
    public void Pid_reuse_in_the_model_a_dead_holder_s_number_in_use_again_holds_the_lock_for_ever()
    {
        File.WriteAllText(Theirs, Environment.ProcessId.ToString(CultureInfo.InvariantCulture)); // Its holder is dead; the number is ours now.
        new FileExistsLock(Theirs, pid: 2).Acquire(timeoutsMax: 10_000).ShouldBeFalse();
    }

    [Fact]
    public async Task Pid_reuse_in_ours_the_record_frees_and_holds_nothing()
    {
        using (var left = ((LockAttempt.Acquired)await TryAsync()).Lock) left.LeaveToChild();
        var record = LockRecord.Read(await ReadAsync())!;
        await WriteAsync(JsonSerializer.Serialize(record with { StartTicks = record.StartTicks - 1 })); // An earlier process with our number.

        using var held = (await TryAsync()).ShouldBeOfType<LockAttempt.Acquired>().Lock;
        held.Broken!.Evidence.ShouldContain("is now another process");
    }

    [Fact]
    public void Two_breakers_in_the_model_the_second_breaks_the_first_one_s_lock_and_both_are_in()
    {
        File.WriteAllText(Theirs, $"{NoSuchProcess}");
        FileExistsLock one = new(Theirs, Environment.ProcessId), other = new(Theirs, Environment.ProcessId);
        (one.HolderIsDead(), other.HolderIsDead()).ShouldBe((true, true)); // Both look before either acts.

        one.Break();
        one.TryMake().ShouldBeTrue();
        other.Break();
        other.TryMake().ShouldBeTrue();
    }

    [Fact]
    public async Task Two_breakers_in_ours_of_many_that_find_a_dead_holder_one_has_the_lock()
    {
        for (var round = 0; round < 20; round++)
        {
            using (var left = ((LockAttempt.Acquired)await InAnotherFlowAsync()).Lock) left.LeaveToChild(); // A record, and nobody who holds.
            using var together = new Barrier(8);
            var attempts = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    together.SignalAndWait(Token);
                    return TryAsync();
                },
                Token, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()));

            var acquired = attempts.OfType<LockAttempt.Acquired>().ToList();
            acquired.ShouldHaveSingleItem().Lock.Broken.ShouldNotBeNull();
            acquired[0].Lock.Dispose();
        }
    }

    [Fact]
    public void Unbounded_wait_in_the_model_nothing_ends_the_waiting_for_a_holder_that_lives()
    {
        File.WriteAllText(Theirs, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        new FileExistsLock(Theirs, pid: 2).Acquire(timeoutsMax: 10_000).ShouldBeFalse(); // 27 hours, and it would go on.
    }

    [Fact]
    public async Task Unbounded_wait_in_ours_it_ends_in_time_and_says_who_has_it()
    {
        using var other = OtherProcess.Start(_host, "hold", Pool.ToString(), "5");
        (await other.ReadLineAsync()).ShouldBe("held");
        var attempt = await _locks.AcquireAsync(Pool, "a test", TimeSpan.FromSeconds(0.2), null, Token);
        attempt.ShouldBeOfType<LockAttempt.TimedOut>().Holder.ShouldContain($"pid {other.Id} ");
    }

    public void Dispose() => _host.Dispose();

    /// <summary>Waits a little: a child that another test is just starting has this process's files open until it is a program of its own, and with them its locks.</summary>
    Task<LockAttempt> TryAsync() => _locks.AcquireAsync(Pool, "a test", TimeSpan.FromMilliseconds(250), null, Token);

    Task<LockAttempt> InAnotherFlowAsync()
    {
        using (ExecutionContext.SuppressFlow()) return Task.Run(TryAsync, Token);
    }

    /// <summary>Not with .NET's own file reading and writing, which lock.</summary>
    async Task<string> ReadAsync() => (await ChildProcess.RunAsync(new("/bin/cat", [Ours], TimeSpan.FromSeconds(10)), Token)).Stdout;

    async Task WriteAsync(string text) =>
        (await ChildProcess.RunAsync(new("/bin/sh", ["-c", "printf %s \"$1\" > \"$2\"", "sh", text, Ours], TimeSpan.FromSeconds(10)), Token)).Succeeded().ShouldBeTrue();

    /// <summary>
    /// The lock of the original (iml_common/blockdevices/blockdevice_zfs.py, with the LockFile of pylockfile): it is had by making a file, the pid is
    /// written into it afterwards, and who has waited in vain for 10 s looks whether that pid exists, warns or breaks the lock, and waits again.
    /// </summary>
    sealed class FileExistsLock(string path, int pid)
    {
        /// <returns>False when it was not had after so many time-outs; the original goes on.</returns>
        public bool Acquire(int timeoutsMax)
        {
            for (var timeouts = 0; !TryMake(); timeouts++)
            {
                if (timeouts == timeoutsMax) return false;
                if (HolderIsDead()) Break();
            }
            File.WriteAllText(path, pid.ToString(CultureInfo.InvariantCulture));
            return true;
        }

        public bool TryMake()
        {
            try
            {
                using (new FileStream(path, FileMode.CreateNew)) return true;
            }
            catch (IOException e) when (e.HResult == Libc.Exists) // Somebody has it.
            {
                return false;
            }
        }

        public bool HolderIsDead() => !Directory.Exists($"/proc/{int.Parse(File.ReadAllText(path), CultureInfo.InvariantCulture)}");

        public void Break() => File.Delete(path);
    }
}
