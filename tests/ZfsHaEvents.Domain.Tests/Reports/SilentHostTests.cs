using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests.Reports;

/// <summary>
/// What may still be so on a host of which nothing is heard, or that tells of the time when nothing was heard of it: an import that was
/// begun, a pool that was held, devices that were the pool's.
/// </summary>
public sealed class SilentHostTests : Spec
{
    // ---- an import that was begun goes on, whatever is ordered after it -------------------------------------------------

    [Fact]
    public void An_import_that_was_begun_and_has_not_ended_is_not_forgotten_over_a_second_order_to_the_same_host()
    {
        var first = ImportingOnB();
        When(Report(B, first.Header.Id, ImportStarted()));
        When(Report(B, first.Header.Id, ImportEnded(Sights.Absent, ZpoolFailure.TimedOut, ended: false)));
        When(Acknowledge());

        ASecondOrderToBWaitsForTheLockInVainAndBStartsAnew(first);

        When(Switchover(C)).ThenNoOrders();
        Event<SwitchoverRefused>().Reason.ShouldBe(Refusal.ImportOutstanding);
    }

    [Fact]
    public void One_that_may_have_been_begun_unseen_is_not_ruled_out_by_an_epoch_it_could_have_had()
    {
        var first = ImportingOnB();
        When(new StepOverdue(Tank, first.Header.Id, MoveStep.Import, Again: true));
        When(Acknowledge());

        ASecondOrderToBWaitsForTheLockInVainAndBStartsAnew(first);

        When(Switchover(C)).ThenNoOrders();
        Event<SwitchoverRefused>().Reason.ShouldBe(Refusal.ImportOutstanding);
    }

    /// <summary>The child of the first order has the lock; what B has on disk is the first order's epoch.</summary>
    void ASecondOrderToBWaitsForTheLockInVainAndBStartsAnew(ImportPool first)
    {
        When(Switchover(B));
        When(Report(B, OrderTo<ImportPool>(B).Header.Id, LockTimedOut()));
        Cluster.Restart(B);
        When(Reconnected(B, Sights.Absent, new(Cluster.ThisHistory, first.Header.Epoch)));
        When(Acknowledge());
    }

    [Fact]
    public void A_later_import_on_the_same_host_that_ended_shows_that_the_earlier_is_over()
    {
        var first = ImportingOnB();
        When(Report(B, first.Header.Id, ImportStarted()));
        When(Report(B, first.Header.Id, ImportEnded(Sights.Absent, ZpoolFailure.TimedOut, ended: false)));
        When(Acknowledge());
        When(Switchover(B));

        When(Report(B, OrderTo<ImportPool>(B).Header.Id, ImportEnded(Sights.Absent, ZpoolFailure.DevicesMissing)));

        Pool.OutstandingImport.ShouldBeNull();
    }

    [Fact]
    public void A_target_that_is_lost_with_an_earlier_import_outstanding_there_halts_the_switchover_after_the_export()
    {
        var first = ImportingOnB();
        When(Report(B, first.Header.Id, ImportStarted()));
        When(Lost(B));
        When(Report(A, Sights.Held)); // By hand.
        When(Acknowledge());
        Cluster.Restart(B);
        When(Reconnected(B, Sights.Absent));
        When(Switchover(B));
        var export = OrderTo<ExportPool>(A);
        When(Lost(B));

        When(Report(A, export.Header.Id, ExportEnded(Sights.Absent))).ThenNoOrders();

        Event<SwitchoverHalted>().Reason.ShouldBe(MoveEnd.TargetLost);
        Event<ExportSucceeded>().Host.ShouldBe(A);
    }

    [Fact]
    public void An_import_typed_on_a_third_host_while_the_holder_exports_halts_the_switchover()
    {
        var export = ExportingOnA();
        When(Report(C, null, ImportStarted()));

        When(Report(A, export.Header.Id, ExportEnded(Sights.Absent))).ThenNoOrders();

        Event<SwitchoverHalted>().Reason.ShouldBe(MoveEnd.HeldElsewhere);
    }

    // ---- who held the pool when last seen may hold it still -------------------------------------------------------------

    [Fact]
    public void A_conflict_is_not_over_because_one_of_its_hosts_is_silent()
    {
        Given(HeldBy(A, Sights.HeldWithoutMultihost)).When(Report(B, Sights.HeldWithoutMultihost));
        Pool.Conflict.ShouldBe([A, B]);

        When(Lost(B)).When(Report(C, Sights.Degraded with { Presence = PoolPresence.ReadOnly })); // Any look makes it compare.
        Count<ConflictCleared>().ShouldBe(0);

        When(Lost(A)).When(Failover(C, "a is off")).ThenNoOrders();
        Event<FailoverRefused>().Reason.ShouldBe(Refusal.ConflictActive);

        When(Confirm(B));
        Count<ConflictCleared>().ShouldBe(1);
    }

    [Fact]
    public void A_silent_host_is_not_forgotten_over_a_third_that_joins_the_conflict_and_leaves_it()
    {
        Given(HeldBy(A, Sights.HeldWithoutMultihost)).When(Report(B, Sights.HeldWithoutMultihost)).When(Lost(B));

        When(Report(C, Sights.HeldWithoutMultihost));
        Event<ConflictDetected>().Hosts.ShouldBe([A, B, C]);
        When(Report(C, Sights.Absent));
        Count<ConflictCleared>().ShouldBe(0);

        When(Confirm(B));
        Count<ConflictCleared>().ShouldBe(1);
    }

    [Fact]
    public void A_word_for_one_host_does_not_fence_another()
    {
        Given(HeldBy(A)).When(Lost(A));

        When(Failover(C, "b is off at the PDU", fenced: B)).ThenNoOrders();

        Event<FailoverRefused>().Reason.ShouldBe(Refusal.NotTheHolder);
        Pool.Fenced.ShouldBeEmpty();
    }

    [Fact]
    public void A_word_for_nobody_in_particular_is_refused()
    {
        Given(HeldBy(A)).When(Lost(A));

        When(Failover(C) with { FencingStatement = "it is off" }).ThenNoOrders();

        Event<FailoverRefused>().Reason.ShouldBe(Refusal.EvidenceMissing);
    }

    // ---- what an absent host remembers of its own time ------------------------------------------------------------------

    static readonly IReadOnlyList<string> Grown = [.. Sights.Leaves, "/dev/disk/by-id/wwn-3", "/dev/disk/by-id/wwn-4"];

    [Fact]
    public void The_labels_are_read_on_the_devices_that_the_last_holder_had()
    {
        Given(HeldBy(B)).When(Policy(fencing: FencingMethod.MmpAlone));
        When(Report(B, Sights.Absent)).When(Report(A, Sights.Held with { Leaves = Grown }));

        When(Lost(A)).When(Failover(B));

        OrderTo<ReadLabels>(B).Leaves.ShouldBe(Grown);
    }

    [Fact]
    public void Multihost_is_as_the_last_holder_had_it_however_late_another_speaks()
    {
        Given(HeldBy(B)).When(Report(B, Sights.Absent)).When(Report(A, Sights.HeldWithoutMultihost));
        Cluster.Reboot(B);

        When(Reconnected(B, Sights.Absent));

        Pool.Multihost().ShouldBe(false);
    }

    // ---- what a lost host noticed is told before its session ------------------------------------------------------------

    [Fact]
    public void A_failover_ends_when_the_holder_is_back_whatever_it_told_before_its_session()
    {
        WaitingForFencingOfA();
        When(Report(A, Sights.Degraded)).ThenNoOrders();
        Pool.Awaited.ShouldBe([A]);

        Cluster.Restart(A);
        When(Reconnected(A, Sights.Degraded));

        Event<FailoverAborted>().Reason.ShouldBe(MoveEnd.HolderReturned);
        Pool.Holder().ShouldBe(A);
    }

    [Fact]
    public void What_the_lost_holder_had_noticed_makes_no_conflict_after_the_takeover()
    {
        var read = ReadingLabelsOnBByMmp();
        When(Report(B, read.Header.Id, LabelsRead(Sights.Label(LabelState.Active, A))));
        When(Report(B, OrderTo<ImportPool>(B).Header.Id, ImportEnded(Sights.Held)));

        When(Report(A, Sights.Held));

        Pool.Conflict.ShouldBeEmpty();
        History[^1].Stamp.Late.ShouldBeTrue();
    }

    [Fact]
    public void An_import_typed_while_no_agent_ran_and_told_late_is_no_surprise()
    {
        Given(HeldBy(A)).When(Report(A, Sights.Absent));
        var boot = Cluster.BootOf(B, 2);
        When(Report(B, null, ImportStarted(), ImportEnded(Sights.Held)) with { Boot = boot });
        Cluster.Reboot(B).Boot.ShouldBe(boot);

        When(Reconnected(B, Sights.Held));

        Count<OwnershipDisputed>().ShouldBe(0);
        Pool.Holder().ShouldBe(B);
    }

    // ---- an epoch ahead of ours -----------------------------------------------------------------------------------------

    [Fact]
    public void An_epoch_ahead_of_ours_is_told_also_of_a_pool_that_is_halted_and_orders_go_on_above_it()
    {
        var first = ImportingOnB();
        When(Report(B, first.Header.Id, ImportEnded(Sights.Absent, ZpoolFailure.TimedOut, ended: false)));
        var ahead = new Epoch(first.Header.Epoch.Value + 5);

        When(Reconnected(C, Sights.Absent, new(Cluster.ThisHistory, ahead)));
        Event<PoolHalted>().Reported.ShouldBe(ahead);
        When(Reconnected(A, Sights.Absent, new(Cluster.ThisHistory, new(ahead.Value - 1))));
        Count<PoolHalted>().ShouldBe(1);

        When(Acknowledge());
        Pool.Epoch.ShouldBe(ahead);
    }
}
