using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Zfs.Locks;
using static ZfsHaEvents.Zfs.Tests.Running;

namespace ZfsHaEvents.Zfs.Tests.Locks;

public sealed class LockSurveyTests : IDisposable
{
    static readonly PoolGuid Pool = TestHost.Tank;
    static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    readonly TestHost _host = new();
    readonly HostLocks _locks;

    public LockSurveyTests() => _locks = new(_host.Environment, TimeProvider.System);

    string Folder => Path.Join(_host.Environment.RunDirectory, "locks");

    [Fact]
    public void Where_no_lock_was_ever_taken_there_is_none_and_nothing_is_made()
    {
        _locks.Survey().Locks.ShouldBeEmpty();
        Directory.Exists(_host.Environment.RunDirectory).ShouldBeFalse();
    }

    [Fact]
    public async Task A_lock_that_was_given_back_is_free_and_one_that_is_had_names_holder_and_waiters()
    {
        (await TakeAsync()).Dispose();
        var free = Only();
        (free.Pool, free.Condition, free.Record, free.Processes.Count).ShouldBe((Pool, LockCondition.Free, null, 0));

        using var holder = OtherProcess.Start(_host, "hold", Pool.ToString(), "5");
        (await holder.ReadLineAsync()).ShouldBe("held");
        using var waiter = OtherProcess.Start(_host, "hold", Pool.ToString(), "20");
        await Eventually.TrueAsync(() => Only().Waiting.Count == 1);

        var held = Only();
        (held.Condition, held.Record!.Pid, held.Evidence).ShouldBe((LockCondition.Held, holder.Id, null));
        held.Processes.Select(process => process.Pid).ShouldBe([holder.Id]);
        held.Waiting.Select(process => process.Pid).ShouldBe([waiter.Id]);
    }

    [Fact]
    public async Task A_lock_whose_holder_died_is_stale_and_its_record_stays_for_who_takes_it_next()
    {
        using var holder = OtherProcess.Start(_host, "hold", Pool.ToString(), "5");
        (await holder.ReadLineAsync()).ShouldBe("held");
        await holder.KillAsync();

        var stale = Only();
        (stale.Condition, stale.Record!.Pid, stale.Processes.Count).ShouldBe((LockCondition.Stale, holder.Id, 0));
        stale.Evidence.ShouldBe($"pid {holder.Id} (started at tick {stale.Record.StartTicks}) is gone");
        Only().Condition.ShouldBe(LockCondition.Stale);

        using var next = await TakeAsync();
        next.Broken!.Previous.ShouldBe(stale.Record);
    }

    [Fact]
    public async Task A_record_that_names_a_living_process_does_not_make_a_lock_held()
    {
        using (var held = await TakeAsync()) held.LeaveToChild(); // Nobody inherited it; we live.
        var stale = Only();
        (stale.Condition, stale.Record!.Pid).ShouldBe((LockCondition.Stale, Environment.ProcessId));
    }

    [Fact]
    public async Task A_lock_that_a_child_of_a_dead_holder_has_is_held_by_that_child()
    {
        using var holder = OtherProcess.Start(_host, "leave-child", Pool.ToString(), "3");
        await holder.ReadLineAsync();
        await Task.Delay(200, Token);
        await holder.KillAsync();

        var left = Only();
        (left.Condition, left.Record!.Pid).ShouldBe((LockCondition.LeftToChild, holder.Id));
        left.Processes.ShouldHaveSingleItem().CommandLine.ShouldBe("/bin/sleep 3");
        await Eventually.TrueAsync(() => Only().Condition is LockCondition.Stale);
    }

    [Fact]
    public async Task A_lock_that_is_had_without_a_record_is_held_all_the_same()
    {
        (await TakeAsync()).Dispose();
        using var file = LockFile.Open(Folder, $"{Pool}.lock", 0x1c0);
        file.TryLock().ShouldBeTrue();
        var held = Only();
        (held.Condition, held.Record).ShouldBe((LockCondition.HeldByUnknown, null));
        held.Processes.ShouldHaveSingleItem().Pid.ShouldBe(Environment.ProcessId);
    }

    [Fact]
    public async Task Looking_never_keeps_the_lock_from_anybody()
    {
        (await TakeAsync()).Dispose();
        var looking = Task.Run(
            () =>
            {
                for (var look = 0; look < 5; look++) _locks.Survey().Locks.ShouldHaveSingleItem().Condition.ShouldNotBe(LockCondition.Stale);
            },
            Token);

        var taken = 0;
        for (; !looking.IsCompleted; taken++)
            (await _locks.AcquireAsync(Pool, "a test", TimeSpan.Zero, null, Token)).ShouldBeOfType<LockAttempt.Acquired>().Lock.Dispose();
        await looking;
        taken.ShouldBeGreaterThan(100);
    }

    [Fact]
    public async Task What_is_no_lock_is_told_and_the_others_are_looked_at()
    {
        (await TakeAsync()).Dispose();
        await File.WriteAllTextAsync(Path.Join(Folder, "tank1.lock"), "", Token);
        File.CreateSymbolicLink(Path.Join(Folder, "7.lock"), "/etc/passwd");

        var survey = _locks.Survey();

        survey.Locks.ShouldHaveSingleItem().Pool.ShouldBe(Pool);
        survey.Problems.Order().ShouldSatisfyAllConditions(
            problems => problems.Count().ShouldBe(2),
            problems => problems.ShouldContain($"{Path.Join(Folder, "tank1.lock")} is not named after a pool's GUID."),
            problems => problems.ShouldContain(problem => problem.StartsWith($"The lock {Path.Join(Folder, "7.lock")} cannot be read (")));
    }

    [Fact]
    public async Task A_folder_that_others_can_write_is_refused()
    {
        (await TakeAsync()).Dispose();
        File.SetUnixFileMode(Folder, (UnixFileMode)0x1ff);
        var survey = _locks.Survey();
        survey.Locks.ShouldBeEmpty();
        survey.Problems.ShouldHaveSingleItem().ShouldContain("can be written by others");
    }

    public void Dispose() => _host.Dispose();

    LockFound Only() => _locks.Survey().Locks.ShouldHaveSingleItem();

    /// <summary>Not an async method, so that the lock is taken in the flow of the caller.</summary>
    Task<HeldLock> TakeAsync() => HeldAsync(_locks.AcquireAsync(Pool, "a test", Soon, null, Token));

    static async Task<HeldLock> HeldAsync(Task<LockAttempt> attempt) => (await attempt).ShouldBeOfType<LockAttempt.Acquired>().Lock;
}
