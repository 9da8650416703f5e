using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests.Reports;

/// <summary>The one import that may still take effect: how it ends, and how it does not.</summary>
public sealed class OutstandingImportTests : Spec
{
    [Fact]
    public void The_labels_that_an_import_reads_on_its_own_account_do_not_order_another_one()
    {
        var import = TakingOverOnB();

        When(Report(B, import.Header.Id, LabelsRead(Sights.Label(LabelState.Active, A)))).Then("PoolScanned").ThenNoOrders();

        Pool.OutstandingImport!.Order.ShouldBe(import.Header.Id);
    }

    [Fact]
    public void An_import_is_not_over_while_its_host_cannot_tell()
    {
        var import = ImportingOnB();

        When(Report(B, import.Header.Id, ImportEnded(Sights.Unknown, ZpoolFailure.TimedOut))).ThenNoOrders();

        Pool.OutstandingImport.ShouldNotBeNull();
        Event<SwitchoverHalted>().Reason.ShouldBe(MoveEnd.ImportUnknown);
    }

    [Fact]
    public void An_import_that_no_move_waits_for_is_ruled_out_by_a_reboot()
    {
        var import = HaltedWithImportOnB();
        Cluster.Reboot(B);

        When(Reconnected(B, Sights.Absent, Obeyed(import)));

        Event<ImportRuledOut>().Order.ShouldBe(import.Header.Id);
        Pool.OutstandingImport.ShouldBeNull();
    }

    [Fact]
    public void An_import_whose_epoch_was_never_obeyed_is_ruled_out_by_the_next_session()
    {
        var import = HaltedWithImportOnB();
        Cluster.Restart(B);

        When(Reconnected(B, Sights.Absent, new(Cluster.ThisHistory, new(import.Header.Epoch.Value - 1))));

        Event<ImportRuledOut>().Evidence.ShouldContain("never began");
        Pool.OutstandingImport.ShouldBeNull();
    }

    [Fact]
    public void An_import_of_which_the_host_has_no_record_is_not_ruled_out_for_the_record_may_be_lost()
    {
        var import = HaltedWithImportOnB();
        Cluster.Restart(B);

        When(Reconnected(B, Sights.Absent));

        Pool.OutstandingImport!.Order.ShouldBe(import.Header.Id);
    }

    [Fact]
    public void An_import_that_is_issued_again_after_it_expired_is_outstanding()
    {
        var import = ImportingOnB();

        When(Report(B, import.Header.Id, Refused(OrderRefusal.Expired)));

        var again = OrderTo<ImportPool>(B);
        Pool.OutstandingImport!.Order.ShouldBe(again.Header.Id);
        When(new StepOverdue(Tank, again.Header.Id, MoveStep.Import, Again: true)).When(Acknowledge()).When(Switchover(C)).ThenNoOrders();
    }

    [Fact]
    public void An_import_that_was_begun_is_not_over_because_the_order_is_refused_when_it_comes_again()
    {
        var import = ImportingOnB();
        When(Report(B, import.Header.Id, ImportStarted()));

        When(Report(B, import.Header.Id, Refused(OrderRefusal.StaleEpoch)));

        Pool.OutstandingImport!.Order.ShouldBe(import.Header.Id);
    }

    [Fact]
    public void An_import_that_was_begun_is_not_ruled_out_by_the_next_session_of_the_same_boot()
    {
        var import = HaltedWithImportOnB();
        Cluster.Restart(B);

        When(Reconnected(B, Sights.Absent, Obeyed(import)));

        Pool.OutstandingImport!.Order.ShouldBe(import.Header.Id);
        When(Acknowledge()).When(Switchover(C)).ThenNoOrders();
        Event<SwitchoverRefused>().Reason.ShouldBe(Refusal.ImportOutstanding);
    }

    [Fact]
    public void An_import_that_took_effect_after_all_is_no_longer_outstanding()
    {
        HaltedWithImportOnB();
        Cluster.Restart(B);

        When(Report(B, Sights.Held));

        Pool.OutstandingImport.ShouldBeNull();
        Pool.Holder().ShouldBe(B);
    }

    [Fact]
    public void An_import_is_not_issued_again_while_another_host_is_seen_to_hold_the_pool()
    {
        ImportingOnB();
        When(Report(C, Sights.Held));
        Cluster.Restart(B);

        When(Reconnected(B, Sights.Absent)).ThenNoOrders();

        Event<SwitchoverHalted>().Reason.ShouldBe(MoveEnd.HeldElsewhere);
    }

    [Fact]
    public void A_forced_import_is_not_issued_again_once_the_fenced_host_has_spoken()
    {
        TakingOverOnB();
        Cluster.Reboot(A);
        When(Reconnected(A, Sights.Absent));
        Cluster.Restart(B);

        When(Reconnected(B, Sights.Absent)).ThenNoOrders();

        Event<FailoverHalted>().Reason.ShouldBe(MoveEnd.ForceNotPermitted);
    }

    [Fact]
    public void A_failover_asked_for_before_the_loss_was_recorded_does_not_pass_over_a_holder_that_is_back()
    {
        Given(HeldBy(A)).When(Policy(fencing: FencingMethod.MmpAlone));
        var lost = Lost(A);
        When(Failover(B));
        var read = OrderTo<ReadLabels>(B);
        Cluster.Restart(A);
        When(lost).When(Reconnected(A, Sights.Held));

        When(Report(B, read.Header.Id, LabelsRead(Sights.Label(LabelState.Active, A)))).ThenNoOrders();

        Pool.Move!.State.ShouldBe(MoveState.Aborted);
        Pool.Holder().ShouldBe(A);
    }

    [Fact]
    public void An_import_typed_elsewhere_holds_a_switchover_up_until_the_lock_there_was_free_again()
    {
        Given(new PoolDiscovered(Tank, TankName, A), new PoolObserved(A, Sights.Absent), new PoolObserved(B, Sights.Absent)).When(Report(A, null, ImportStarted()));
        When(Switchover(B)).ThenNoOrders();
        Event<SwitchoverRefused>().Reason.ShouldBe(Refusal.ImportOutstanding);

        When(Report(A, null, new HostFact.LockAcquired(NextSequence(), Now, "scan", 0)));

        When(Switchover(B));
        OrderTo<ImportPool>(B);
    }

    [Fact]
    public void An_import_typed_in_a_boot_that_has_not_opened_a_session_yet_holds_a_switchover_up()
    {
        Given(new PoolDiscovered(Tank, TankName, A), new PoolObserved(A, Sights.Absent), new PoolObserved(B, Sights.Absent), new PoolObserved(C, Sights.Absent));
        var boot = Cluster.BootOf(A, 2);

        When(Report(A, null, ImportStarted()) with { Boot = boot });
        Cluster.Reboot(A).Boot.ShouldBe(boot);
        When(Reconnected(A, Sights.Absent));

        When(Switchover(C)).ThenNoOrders();
        Event<SwitchoverRefused>().Reason.ShouldBe(Refusal.ImportOutstanding);
    }

    [Fact]
    public void An_import_typed_in_an_earlier_boot_is_over()
    {
        Given(new PoolDiscovered(Tank, TankName, A), new PoolObserved(A, Sights.Absent), new PoolObserved(B, Sights.Absent)).When(Report(A, null, ImportStarted()));
        Cluster.Reboot(A);

        When(Reconnected(A, Sights.Absent));

        When(Switchover(B));
        OrderTo<ImportPool>(B);
    }

    [Fact]
    public void What_a_fenced_host_spooled_before_it_was_fenced_does_not_make_it_a_holder()
    {
        var import = TakingOverOnB();
        When(Report(B, import.Header.Id, ImportEnded(Sights.Held)));

        When(Report(A, Sights.Held));

        Pool.Holder().ShouldBe(B);
        Pool.Conflict.ShouldBeEmpty();
        Pool.Fenced.ShouldContainKey(A);
    }

    ImportPool HaltedWithImportOnB()
    {
        var import = ImportingOnB();
        When(Lost(B));
        Event<SwitchoverHalted>().Reason.ShouldBe(MoveEnd.TargetLost);
        return import;
    }

    static ObeyedEpoch Obeyed(ImportPool import) => new(Cluster.ThisHistory, import.Header.Epoch);

    [Fact]
    public void A_child_that_has_not_ended_outlasts_the_sight_of_the_pool_and_its_export_by_hand()
    {
        var import = ImportingOnB();
        When(Report(B, import.Header.Id, ImportEnded(Sights.Held, ended: false)));
        When(Report(B, Sights.Degraded)).When(Report(B, Sights.Absent));

        When(Switchover(C)).Event<SwitchoverRefused>().ShouldSatisfyAllConditions(e => e.Reason.ShouldBe(Refusal.ImportOutstanding), e => e.Detail.ShouldContain("zfsha lock POOL"));

        When(Report(B, null, new HostFact.LockAcquired(NextSequence(), Now, "wait", 0)));
        When(Switchover(C));
        OrderTo<ImportPool>(C);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_child_that_has_not_ended_lets_the_pool_go_by_an_export_that_could_take_the_lock(bool seenBefore)
    {
        var import = ImportingOnB();
        if (seenBefore) When(Report(B, Sights.Held));
        When(Report(B, import.Header.Id, ImportEnded(Sights.Held, ended: false)));
        Pool.OutstandingImport.ShouldNotBeNull().Host.ShouldBe(B);

        When(Switchover(C));
        When(Report(B, OrderTo<ExportPool>(B).Header.Id, ExportEnded(Sights.Absent)));

        OrderTo<ImportPool>(C);
        Pool.OutstandingImport.ShouldNotBeNull().Host.ShouldBe(C);
    }

    [Fact]
    public void A_child_that_has_not_ended_on_a_lost_host_is_waited_for_unless_the_host_is_fenced()
    {
        var import = ImportingOnB();
        When(Report(B, import.Header.Id, ImportEnded(Sights.Held, ended: false)));
        Cluster.Lose(B);

        When(Failover(C)).Event<FailoverRefused>().Reason.ShouldBe(Refusal.ImportOutstanding);
        When(Failover(C, fencing: "powered off", fenced: B));

        OrderTo<ReadLabels>(C);
    }

    [Fact]
    public void A_lock_that_was_had_before_the_child_was_told_to_run_on_shows_nothing()
    {
        var import = ImportingOnB();
        var before = new HostFact.LockAcquired(NextSequence(), Now, "import", 0);
        When(Report(B, import.Header.Id, ImportEnded(Sights.Held, ended: false)));

        When(Report(B, null, before));

        Pool.OutstandingImport.ShouldNotBeNull();
        Cluster.Reboot(B);
        When(Reconnected(B, Sights.Absent));
        Pool.OutstandingImport.ShouldBeNull();
    }
}
