using System.Diagnostics;
using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Locks;
using ZfsHaEvents.Zfs.Operations;

namespace ZfsHaEvents.Zfs.Tests.Operations;

public sealed class ImportTests : OperationsOnAHost
{
    [Fact]
    public async Task An_import_reports_its_intent_then_its_outcome()
    {
        var outcome = await ImportAsync();

        (outcome.Failure, outcome.Sight.Presence, outcome.Refused).ShouldBe((ZpoolFailure.None, PoolPresence.ReadWrite, null));
        Sink.Kinds().ShouldBe(["LockAcquired ImportStarted", "ImportEnded LockReleased"]);
        Sink.Single<HostFact.ImportStarted>().ShouldSatisfyAllConditions(
            started => started.Arguments.ShouldBe(["zpool", "import", "-o", "cachefile=none", $"{Tank}"]),
            started => started.Reason.ShouldBe("a test"));
        Sink.Single<HostFact.ImportEnded>().ShouldSatisfyAllConditions(
            ended => ended.Sight.Multihost.ShouldBe(true),
            ended => ended.Sight.Leaves.ShouldBe(["/dev/disk/by-id/virtio-d0-part1"]),
            ended => ended.Run!.ExitCode.ShouldBe(0),
            ended => ended.ZpoolSeconds.ShouldBeGreaterThan(0));
        var last = Sink.Reports[^1];
        (last.Name, last.Host, last.Boot, last.Order, last.Actor).ShouldBe(
            (new PoolName("tank1"), Host.Environment.Name, Host.Environment.ReadBootId(), Order, "zfsha-agent"));
        var numbers = Sink.Reports.SelectMany(report => report.Facts).Select(fact => fact.Sequence).ToList();
        numbers.ShouldBe(numbers.Distinct().Order());
        Host.LockedCalls().ShouldHaveSingleItem().ShouldMatch($"^import {Tank}=[0-9]+$");
    }

    [Fact]
    public async Task The_intent_is_durable_before_the_command_starts()
    {
        var sink = new RecordingSink(report =>
        {
            if (report.Facts.Any(fact => fact is HostFact.ImportStarted)) Host.ZpoolCalls().ShouldNotContain(call => call.StartsWith("import"));
        });
        await new PoolOperations(Host.Environment, sink, TimeProvider.System).ImportAsync(Import(), Token);
        sink.Reports.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_spool_that_cannot_be_written_prevents_the_effect()
    {
        var sink = new RecordingSink(_ => throw new HostException("the disk is full"));
        await Should.ThrowAsync<HostException>(() => new PoolOperations(Host.Environment, sink, TimeProvider.System).ImportAsync(Import(), Token));

        Host.ZpoolCalls().ShouldBeEmpty();
        await ShouldBeFreeAsync();
    }

    [Fact]
    public async Task What_the_command_printed_is_kept_until_it_could_be_reported()
    {
        Host.SetZpool("[ $1 = import ] && { echo \"cannot import 'tank1': I/O error\" >&2; exit 1; }");
        var full = 2;
        var sink = new RecordingSink(report =>
        {
            if (report.Facts.Any(fact => fact is HostFact.ImportEnded) && full-- > 0) throw new HostException("the disk is full");
        });
        await new PoolOperations(Host.Environment, sink, TimeProvider.System).ImportAsync(Import(), Token);

        sink.Kinds().ShouldBe(["LockAcquired ImportStarted", "ImportEnded LockReleased"]);
        sink.Single<HostFact.ImportEnded>().Run!.ShouldSatisfyAllConditions(run => run.ExitCode.ShouldBe(1), run => run.Stderr.ShouldContain("I/O error"));
        Host.ZpoolCalls().Count(call => call.StartsWith("import")).ShouldBe(1);
    }

    [Fact]
    public async Task An_order_is_over_with_its_outcome_and_not_with_what_an_exception_left()
    {
        await ImportAsync();
        Sink.Ends.ShouldBe([false, true]);

        var failing = new RecordingSink(report =>
        {
            if (report.Facts.Any(fact => fact is HostFact.ImportStarted)) throw new HostException("the disk is full");
        });
        Host.Export("tank1");
        Host.SetZdb(Zdb(state: 1, "0xa002", mmp: true));
        var forced = Import() with { Force = new(new(Guid.NewGuid()), new(Guid.NewGuid()), new ZfsHostId(0xa002)), Leaves = Leaves };
        await Should.ThrowAsync<HostException>(() => new PoolOperations(Host.Environment, failing, TimeProvider.System).ImportAsync(forced, Token));
        failing.Kinds().ShouldBe(["LockAcquired LabelsRead LockReleased"]);
        failing.Ends.ShouldBe([false]);
    }

    [Fact]
    public async Task What_does_not_stand_is_refused_without_waiting_for_the_lock()
    {
        using var other = OtherProcess.Start(Host, "hold", Tank.ToString(), "5");
        await other.ReadLineAsync();
        var outcome = await ImportAsync(Import(Terms with { LockWait = TimeSpan.Zero, BeforeLock = () => new(OrderRefusal.StaleSession, "an earlier session") }));

        outcome.Refused!.Reason.ShouldBe(OrderRefusal.StaleSession);
        Sink.Kinds().ShouldBe(["OrderRefused"]);
        Sink.Ends.ShouldBe([true]);
    }

    [Fact]
    public async Task An_import_done_twice_runs_one_command()
    {
        await ImportAsync();
        var again = await ImportAsync();

        (again.Failure, again.Run, again.Sight.Presence).ShouldBe((ZpoolFailure.None, null, PoolPresence.ReadWrite));
        Host.ZpoolCalls().Count(call => call.StartsWith("import")).ShouldBe(1);
        Sink.Kinds()[^1].ShouldBe("LockAcquired ImportEnded LockReleased");
    }

    [Fact]
    public async Task The_gate_is_asked_under_the_lock_before_everything_and_its_refusal_is_reported()
    {
        Host.Import("tank1", Tank); // Not even what is so already is told on a stale order.
        var outcome = await ImportAsync(Import(Terms with
        {
            Gate = () =>
            {
                IsLocked().ShouldBeTrue();
                return Task.FromResult<Refusal?>(new(OrderRefusal.StaleEpoch, "epoch 6 was ordered, epoch 7 has been obeyed"));
            },
        }));

        outcome.Refused!.Reason.ShouldBe(OrderRefusal.StaleEpoch);
        Sink.Kinds().ShouldBe(["LockAcquired OrderRefused LockReleased"]);
        Sink.Single<HostFact.OrderRefused>().Detail.ShouldContain("epoch 7");
        Host.ZpoolCalls().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("exit 0", ZpoolFailure.DidNothing, false)] // Says it did, and did not.
    [InlineData("mkdir $kstat/tank1; echo $last > $kstat/tank1/guid; echo ONLINE > $kstat/tank1/state; echo cannot mount >&2; exit 1", ZpoolFailure.None, true)]
    [InlineData("echo \"cannot import 'tank1': pool is imported on hosta (hostid: 0xa001)\" >&2; exit 1", ZpoolFailure.ActiveElsewhere, false)]
    [InlineData("kill -KILL $$", ZpoolFailure.Interrupted, false)]
    [InlineData("(sleep 0.15; mkdir $kstat/tank1; echo $last > $kstat/tank1/guid; echo > $kstat/tank1/state) & exit 0", ZpoolFailure.None, true)]
    public async Task An_import_is_judged_by_what_is_seen(string import, ZpoolFailure failure, bool held)
    {
        Host.SetZpool($"[ $1 = import ] && {{ {import}; }}");
        var outcome = await ImportAsync();

        (outcome.Failure, outcome.Sight.IsHeld()).ShouldBe((failure, held));
        Sink.Single<HostFact.ImportEnded>().Failure.ShouldBe(failure);
    }

    [Fact]
    public async Task A_zpool_that_is_not_installed_is_an_outcome()
    {
        File.Delete(Path.Join(Host.Environment.Sbin, "zpool"));
        (await ImportAsync()).Failure.ShouldBe(ZpoolFailure.NotStarted);
        Sink.Kinds().ShouldBe(["LockAcquired ImportStarted", "ImportEnded LockReleased"]);
    }

    [Fact]
    public async Task An_import_past_its_limit_is_ended_and_its_lock_released()
    {
        Host.SetZpool("[ $1 = import ] && exec sleep 30");
        var outcome = await ImportAsync(Import(Terms with { Limit = TimeSpan.FromSeconds(0.3) }));

        (outcome.Failure, outcome.Run!.Ended).ShouldBe((ZpoolFailure.TimedOut, true));
        Sink.Kinds()[^1].ShouldBe("ImportEnded LockReleased");
        await ShouldBeFreeAsync();
    }

    [Fact]
    public async Task An_import_that_left_the_kernel_at_it_is_no_outcome()
    {
        Host.SetZpool($"[ $1 = import ] && {{ cp '{Host.Kstat}/later' '{Host.Kstat}/import_progress'; exit 1; }}");
        Host.SetImporting(Tank);
        File.Move(Path.Join(Host.Kstat, "import_progress"), Path.Join(Host.Kstat, "later"));

        await Should.ThrowAsync<HostException>(() => ImportAsync());
        Sink.Kinds().ShouldBe(["LockAcquired ImportStarted", "LockReleased"]);
    }

    [Fact]
    public async Task An_import_that_cannot_be_ended_keeps_the_lock_where_a_cgroup_freezer_can_make_one()
    {
        using var frozen = FrozenProcesses.TryCreate();
        Assert.SkipWhen(frozen is null, "No writable cgroup v1 freezer here.");
        Host.SetZpool($"[ $1 = import ] && {{ echo $$ > {frozen.ProcessesFile}; echo FROZEN > {frozen.StateFile}; sleep 60; }}");

        var outcome = await ImportAsync(Import(Terms with { Limit = TimeSpan.FromSeconds(0.3) }));

        (outcome.Failure, outcome.Run!.Ended).ShouldBe((ZpoolFailure.TimedOut, false));
        Sink.Kinds().ShouldBe(["LockAcquired ImportStarted", "ImportEnded"]);
        var next = await ExportAsync(Terms with { LockWait = TimeSpan.FromSeconds(0.1) });
        next.Failure.ShouldBe(ZpoolFailure.LockTimedOut);

        frozen.Thaw(); // The SIGKILL it was sent meanwhile takes effect.
        (await ExportAsync()).Failure.ShouldBe(ZpoolFailure.None);
        Sink.Single<HostFact.LockBroken>().Evidence.ShouldContain("lives: it had left the lock to a command, which has ended since");
    }

    [Fact]
    public async Task A_lock_held_by_another_process_is_told_and_nothing_else_is_claimed()
    {
        using var other = OtherProcess.Start(Host, "hold", Tank.ToString(), "5");
        await other.ReadLineAsync();
        var outcome = await ImportAsync(Import(Terms with { LockWait = TimeSpan.FromSeconds(0.2) }));

        (outcome.Failure, outcome.Sight).ShouldBe((ZpoolFailure.LockTimedOut, PoolSight.Unknown));
        Sink.Kinds().ShouldBe(["LockTimedOut"]);
        Sink.Single<HostFact.LockTimedOut>().Holder.ShouldContain($"pid {other.Id}");
        Host.ZpoolCalls().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_lock_whose_holder_died_is_reported_as_broken()
    {
        using var other = OtherProcess.Start(Host, "hold", Tank.ToString(), "5");
        await other.ReadLineAsync();
        await other.KillAsync();
        await ImportAsync();

        Sink.Kinds()[0].ShouldBe("LockBroken LockAcquired ImportStarted");
        Sink.Single<HostFact.LockBroken>().PreviousHolder.ShouldContain("holding in another process");
    }

    [Fact]
    public async Task Under_a_lock_that_is_held_already_no_lock_is_reported()
    {
        var attempt = await new HostLocks(Host.Environment, TimeProvider.System).AcquireAsync(Tank, "a sequence", TimeSpan.FromSeconds(5), null, Token);
        using var held = ((LockAttempt.Acquired)attempt).Lock;
        await ImportAsync();
        Sink.Kinds().ShouldBe(["ImportStarted", "ImportEnded"]);
    }

    [Fact]
    public async Task Shutting_down_leaves_an_import_to_itself_under_its_lock()
    {
        Host.SetZpool("[ $1 = import ] && sleep 1.5");
        using var shutdown = new CancellationTokenSource(TimeSpan.FromSeconds(0.5));
        await Should.ThrowAsync<OperationCanceledException>(() => ImportAsync(cancellation: shutdown.Token));

        Sink.Kinds().ShouldBe(["LockAcquired ImportStarted"]);
        (await ExportAsync(Terms with { LockWait = TimeSpan.Zero })).Failure.ShouldBe(ZpoolFailure.LockTimedOut);
        await ImportAsync(); // Waits for the first to end, and finds its pool.
        Host.ZpoolCalls().Count(call => call.StartsWith("import")).ShouldBe(1);
    }

    [Fact]
    public async Task An_import_typed_behind_our_back_is_waited_for()
    {
        Host.Import("tank1", Tank);
        Host.Write("/proc/spl/kstat/zfs/import_progress", $"pool_guid ...\n{Tank}  2              8              0            tank1            Establishing MMP claim\n");
        var importing = ImportAsync();
        await Task.Delay(300, Token);
        importing.IsCompleted.ShouldBeFalse();

        Host.Write("/proc/spl/kstat/zfs/import_progress", "pool_guid ...\n");
        (await importing).ShouldSatisfyAllConditions(outcome => outcome.Run.ShouldBeNull(), outcome => outcome.Failure.ShouldBe(ZpoolFailure.None));
    }

    [Fact]
    public async Task An_import_behind_our_back_that_does_not_end_is_in_doubt_and_no_outcome()
    {
        Host.Write("/proc/spl/kstat/zfs/import_progress", $"pool_guid ...\n{Tank}  2              8              0            tank1            Establishing MMP claim\n");
        await Should.ThrowAsync<HostException>(() => ImportAsync(Import(Terms with { Limit = TimeSpan.FromSeconds(0.2) })));

        Sink.Kinds().ShouldBe(["LockAcquired LockReleased"]);
        await ShouldBeFreeAsync();
    }

    [Theory]
    [InlineData("child-start", "LockAcquired ImportStarted", false)]
    [InlineData("child-exit", "LockAcquired ImportStarted", true)]
    [InlineData("report-before", "LockAcquired ImportStarted", true)]
    [InlineData("report", "LockAcquired ImportStarted|ImportEnded LockReleased", true)]
    public async Task A_death_at_any_point_is_made_good_by_doing_it_again(string point, string reported, bool imported)
    {
        using var other = OtherProcess.Start(Host, "import-and-die-at", Tank.ToString(), point);
        (await other.ExitCodeAsync()).ShouldBe(128 + 9);
        string.Join('|', Host.Spool.ReadPending().Entries.Select(entry => entry.Text)).ShouldBe(reported);
        Host.HasImported("tank1").ShouldBe(imported);

        var outcome = await ImportAsync();

        (outcome.Failure, outcome.Sight.Presence, outcome.Run is null).ShouldBe((ZpoolFailure.None, PoolPresence.ReadWrite, imported));
        Host.ZpoolCalls().Count(call => call.StartsWith("import")).ShouldBe(1);
        Sink.Kinds()[0].StartsWith("LockBroken").ShouldBe(reported == "LockAcquired ImportStarted" && point != "report-before");
    }

    [Fact]
    public async Task The_points_of_an_operation_are_announced_in_their_order()
    {
        using var points = new AnnouncedPoints(point => point);
        await ImportAsync();
        points.OfThisFlow().ShouldBe(["child-start", "child-exit", "report-before", "report"]);
    }

    bool IsLocked()
    {
        using var flock = Process.Start("/usr/bin/flock", ["--nonblock", Path.Join(Host.Environment.RunDirectory, "locks", $"{Tank}.lock"), "true"]);
        flock.WaitForExit();
        return flock.ExitCode != 0;
    }
}
