using System.Diagnostics;
using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Zfs.Locks;
using static ZfsHaEvents.Zfs.Tests.Running;

namespace ZfsHaEvents.Zfs.Tests.Locks;

/// <summary>Who waits for the lock gets it in the order of asking; who is dead or stopped holds up nobody.</summary>
public sealed class LockFairnessTests : IDisposable
{
    static readonly PoolGuid Pool = TestHost.Tank;
    static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    readonly TestHost _host = new();
    readonly HostLocks _locks;
    readonly List<OtherProcess> _others = [];

    public LockFairnessTests() => _locks = new(_host.Environment, TimeProvider.System);

    string Log => Path.Join(_host.Folder, "turns");

    [Fact]
    public async Task Each_of_ten_waiters_enters_before_any_enters_a_third_time()
    {
        const int waiters = 10, times = 5;
        using (await TakeAsync())
        {
            for (var i = 0; i < waiters; i++) Start("take-turns", Pool.ToString(), $"{times}", Log);
            await Eventually.TrueAsync(() => Waiting() == waiters);
        }
        foreach (var other in _others) (await other.ExitCodeAsync()).ShouldBe(0);

        var turns = await File.ReadAllLinesAsync(Log, Token);
        turns.Length.ShouldBe(waiters * times);
        var thirdTime = turns.Index().First(turn => turns.Take(turn.Index).Count(earlier => earlier == turn.Item) == 2).Index;
        turns.Take(thirdTime).Distinct().Count().ShouldBe(waiters);
    }

    [Fact]
    public async Task Who_lets_it_go_and_asks_again_is_behind_who_waited()
    {
        var held = await TakeAsync();
        var other = await StartWaitingAsync();
        held.Dispose();

        using var again = await TakeAsync(); // At once, while the other one sleeps between two looks.
        (await other.ReadLineAsync()).ShouldBe("held");
        (await other.ReadLineAsync()).ShouldBe("released");
    }

    [Fact]
    public async Task Who_does_not_wait_does_not_overtake_and_is_told_why()
    {
        var held = await TakeAsync();
        var other = await StartWaitingAsync();
        other.Stop(true);
        held.Dispose();

        var attempt = await _locks.AcquireAsync(Pool, "a test", TimeSpan.Zero, null, Token);
        other.Stop(false);

        attempt.ShouldBeOfType<LockAttempt.TimedOut>().Holder.ShouldBe("nobody at this moment; it is the turn of others, who asked earlier");
        (await other.ReadLineAsync()).ShouldBe("held");
    }

    [Fact]
    public async Task A_waiter_that_is_stopped_is_passed_over_and_has_its_turn_when_it_goes_on()
    {
        var held = await TakeAsync();
        var stopped = await StartWaitingAsync();
        stopped.Stop(true);
        held.Dispose();

        using (await TakeAsync())
        {
            stopped.Stop(false);
            await Task.Delay(100, Token);
        }
        (await stopped.ReadLineAsync()).ShouldBe("held");
    }

    [Fact]
    public async Task A_waiter_that_was_killed_is_not_waited_for_and_leaves_nothing()
    {
        var held = await TakeAsync();
        await (await StartWaitingAsync()).KillAsync();
        Places().ShouldHaveSingleItem();
        held.Dispose();

        var asked = Stopwatch.GetTimestamp();
        using (await TakeAsync()) Stopwatch.GetElapsedTime(asked).TotalSeconds.ShouldBeLessThan(1.5); // A stopped one is waited for for two.
        Places().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    public async Task A_place_that_was_never_written_to_is_in_nobody_s_way(string content)
    {
        (await TakeAsync()).Dispose();
        // Of a process that lives, but has long ceased to wait.
        await File.WriteAllTextAsync(Path.Join(_host.Environment.RunDirectory, "locks", $"{Pool}.{1:D19}.{Environment.ProcessId}.1.waiting"), content, Token);
        (await _locks.AcquireAsync(Pool, "a test", TimeSpan.Zero, null, Token)).ShouldBeOfType<LockAttempt.Acquired>().Lock.Dispose();
    }

    [Fact]
    public async Task Who_gives_up_waiting_leaves_no_place()
    {
        using var other = OtherProcess.Start(_host, "hold", Pool.ToString(), "5");
        (await other.ReadLineAsync()).ShouldBe("held");
        (await _locks.AcquireAsync(Pool, "a test", TimeSpan.FromSeconds(0.1), null, Token)).ShouldBeOfType<LockAttempt.TimedOut>();
        using var impatience = new CancellationTokenSource(TimeSpan.FromSeconds(0.1));
        await Should.ThrowAsync<OperationCanceledException>(() => _locks.AcquireAsync(Pool, "a test", Soon, null, impatience.Token));

        Places().ShouldBeEmpty();
    }

    public void Dispose()
    {
        foreach (var other in _others) other.Dispose();
        _host.Dispose();
    }

    int Waiting() => _locks.Survey().Locks.Single().Waiting.Count;

    string[] Places() => Directory.GetFiles(Path.Join(_host.Environment.RunDirectory, "locks"), "*.waiting");

    OtherProcess Start(params string[] job)
    {
        var other = OtherProcess.Start(_host, job);
        _others.Add(other);
        return other;
    }

    /// <summary>One that waits, and lets it go at once when it has had it.</summary>
    async Task<OtherProcess> StartWaitingAsync()
    {
        var other = Start("hold", Pool.ToString(), "30");
        other.GoOn();
        await Eventually.TrueAsync(() => Places().Length == 1 && new FileInfo(Places()[0]).Length > 0);
        return other;
    }

    /// <summary>Not an async method, so that the lock is taken in the flow of the caller.</summary>
    Task<HeldLock> TakeAsync() => HeldAsync(_locks.AcquireAsync(Pool, "a test", Soon, null, Token));

    static async Task<HeldLock> HeldAsync(Task<LockAttempt> attempt) => (await attempt).ShouldBeOfType<LockAttempt.Acquired>().Lock;
}
