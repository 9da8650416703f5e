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

    ImportPool HaltedWithImportOnB()
    {
        var import = ImportingOnB();
        When(Lost(B));
        Event<SwitchoverHalted>().Reason.ShouldBe(MoveEnd.TargetLost);
        return import;
    }

    static ObeyedEpoch Obeyed(ImportPool import) => new(Cluster.ThisHistory, import.Header.Epoch);
}
