using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests.Requests;

public sealed class SwitchoverTests : Spec
{
    [Fact]
    public void The_holder_is_told_to_export_first()
    {
        Given(HeldBy(A)).When(Switchover(B, "move-1"))
            .Then("SwitchoverRequested SwitchoverStarted SwitchoverStepStarted");

        var order = OrderTo<ExportPool>(A).Header;
        order.Id.Value.ShouldBe($"move-1/{Tank}/Export/1");
        order.Id.Request().ShouldBe(new RequestId("move-1"));
        order.Epoch.ShouldBe(new Epoch(1));
        order.Session.ShouldBe(Cluster[A].Session);
        order.NotAfter.ShouldBe(Now + OrderTimes.Default.Start);
        Decided.VoidsOrders.ShouldBeFalse();
        Pool.Claimant.ShouldBe(A);
    }

    [Fact]
    public void Every_order_comes_with_a_reminder_that_falls_due_when_its_report_is_overdue()
    {
        var order = ExportingOnA();

        var reminder = Decided.Messages.Single(m => m.Message is StepOverdue);
        reminder.Queue.ShouldBe(Queues.Server);
        reminder.Delay.ShouldBe(OrderTimes.Default.OverdueAfter(OrderTimes.Default.Export));
        reminder.Message.ShouldBe(new StepOverdue(Tank, order.Header.Id, MoveStep.Export));
    }

    [Fact]
    public void Once_exported_the_claim_changes_older_orders_are_void_and_the_target_is_told_to_import_without_force()
    {
        var export = ExportingOnA();

        When(Report(A, export.Header.Id, ExportEnded(Sights.Absent)))
            .Then("ExportSucceeded SwitchoverStepDone OwnershipReleased OwnershipClaimed SwitchoverStepStarted");

        Decided.VoidsOrders.ShouldBeTrue();
        var import = OrderTo<ImportPool>(B);
        import.Force.ShouldBeNull();
        import.Leaves.ShouldBe(Sights.Leaves);
        import.Header.Epoch.ShouldBe(new Epoch(2));
        Event<OwnershipClaimed>().ShouldBe(new OwnershipClaimed(B, new(2), ClaimBasis.Switchover));
        Pool.OutstandingImport!.Host.ShouldBe(B);
    }

    [Fact]
    public void It_is_completed_by_what_is_seen_on_the_target()
    {
        var import = ImportingOnB();

        When(Report(B, import.Header.Id, ImportEnded(Sights.Held))).Then("ImportSucceeded SwitchoverStepDone SwitchoverCompleted");

        Pool.Holder().ShouldBe(B);
        Pool.Claimant.ShouldBe(B);
        Pool.OutstandingImport.ShouldBeNull();
        Pool.RunningMove().ShouldBeNull();
    }

    [Fact]
    public void A_pool_that_nobody_holds_goes_to_the_target_at_once()
    {
        Given(new PoolDiscovered(Tank, TankName, A), new PoolObserved(A, Sights.Absent));

        When(Switchover(B)).Then("SwitchoverRequested SwitchoverStarted OwnershipClaimed SwitchoverStepStarted");

        OrderTo<ImportPool>(B).Force.ShouldBeNull();
        Event<SwitchoverStarted>().From.ShouldBeNull();
    }

    [Fact]
    public void A_target_that_fails_a_pool_nobody_held_leaves_it_with_nobody()
    {
        Given(new PoolDiscovered(Tank, TankName, A), new PoolObserved(A, Sights.Absent)).When(Switchover(B));

        When(Report(B, OrderTo<ImportPool>(B).Header.Id, ImportEnded(Sights.Absent, ZpoolFailure.DevicesMissing)))
            .Then("ImportRefused SwitchoverStepFailed OwnershipReleased SwitchoverAborted");

        Pool.Claimant.ShouldBeNull();
        Pool.OutstandingImport.ShouldBeNull();
        ThenNoOrders();
    }

    [Fact]
    public void A_pool_that_nobody_holds_and_that_asks_for_force_is_said_to_need_none_on_the_host_it_was_in_use_on()
    {
        Given(new PoolDiscovered(Tank, TankName, A), new PoolObserved(A, Sights.Absent)).When(Switchover(B));

        When(Report(B, OrderTo<ImportPool>(B).Header.Id, ImportEnded(Sights.Absent, ZpoolFailure.ForceRequired))).ThenNoOrders();

        Event<SwitchoverAborted>().Detail.ShouldEndWith("ask for a switchover to that host first.");
    }

    [Fact]
    public void A_holder_that_cannot_export_keeps_the_pool()
    {
        var export = ExportingOnA();

        When(Report(A, export.Header.Id, ExportEnded(Sights.Held, ZpoolFailure.Busy))).Then("ExportRefused SwitchoverStepFailed SwitchoverAborted").ThenNoOrders();

        Event<SwitchoverAborted>().Reason.ShouldBe(MoveEnd.ExportRefused);
        Pool.Holder().ShouldBe(A);
        Pool.Claimant.ShouldBe(A);
        Pool.Halt.ShouldBeNull();
    }

    [Fact]
    public void An_export_that_does_not_end_halts_the_move_because_it_may_still_take_effect()
    {
        var export = ExportingOnA();

        When(Report(A, export.Header.Id, ExportEnded(Sights.Absent, ZpoolFailure.TimedOut, ended: false))).ThenNoOrders();

        Event<SwitchoverHalted>().Reason.ShouldBe(MoveEnd.ExportUnknown);
        Pool.Halt.ShouldNotBeNull();
    }

    [Fact]
    public void A_pool_that_was_exported_already_moves_on()
    {
        var export = ExportingOnA();

        When(Report(A, export.Header.Id, ExportEnded(Sights.Absent, ran: false)));

        OrderTo<ImportPool>(B);
        Event<SwitchoverStepDone>().Detail.ShouldBe("was exported already");
    }

    [Fact]
    public void An_export_after_which_nobody_can_tell_whether_the_pool_is_there_is_not_taken_for_done()
    {
        var export = ExportingOnA();

        When(Report(A, export.Header.Id, ExportEnded(Sights.Unknown, ZpoolFailure.Other))).ThenNoOrders();

        Pool.Claimant.ShouldBe(A);
    }

    [Fact]
    public void A_pool_left_imported_read_only_is_not_taken_for_exported()
    {
        var export = ExportingOnA();

        When(Report(A, export.Header.Id, ExportEnded(Sights.HeldReadOnly, ZpoolFailure.Busy))).ThenNoOrders();

        Event<SwitchoverAborted>().Reason.ShouldBe(MoveEnd.ExportRefused);
    }

    [Fact]
    public void A_target_lost_while_the_holder_exports_gets_no_order_and_the_pool_goes_back()
    {
        var export = ExportingOnA();
        Cluster.Lose(B);

        When(Report(A, export.Header.Id, ExportEnded(Sights.Absent)));

        OrderTo<ImportPool>(A).Force.ShouldBeNull();
        Event<OwnershipClaimed>().ShouldBe(new OwnershipClaimed(A, new(2), ClaimBasis.PutBack));
    }

    [Fact]
    public void Both_hosts_lost_before_the_import_leave_a_halt_for_a_person()
    {
        var export = ExportingOnA();
        Cluster.Lose(B);
        Cluster.Lose(A);

        When(Report(A, export.Header.Id, ExportEnded(Sights.Absent))).ThenNoOrders();

        Event<SwitchoverHalted>().Reason.ShouldBe(MoveEnd.SourceLost);
    }

    [Fact]
    public void A_third_host_seen_with_the_pool_between_the_steps_halts_the_move()
    {
        var export = ExportingOnA();
        When(Report(C, Sights.Held));

        When(Report(A, export.Header.Id, ExportEnded(Sights.Absent))).ThenNoOrders();

        Event<SwitchoverHalted>().Reason.ShouldBe(MoveEnd.HeldElsewhere);
        Pool.Claimant.ShouldBe(A);
    }

    [Fact]
    public void Asking_twice_is_asking_once_while_it_runs()
    {
        Given(HeldBy(A)).When(Switchover(B)).WhenAgain().ThenNothing();
    }

    [Fact]
    public void Asking_twice_is_asking_once_after_it_was_completed()
    {
        var request = Switchover(B);
        Given(HeldBy(A)).When(request);
        When(Report(A, OrderTo<ExportPool>(A).Header.Id, ExportEnded(Sights.Absent)));
        When(Report(B, OrderTo<ImportPool>(B).Header.Id, ImportEnded(Sights.Held)));

        When(request).ThenNothing();
    }

    [Fact]
    public void Asking_twice_is_asking_once_after_a_refusal_even_if_it_would_be_possible_by_now()
    {
        var request = Switchover(B);
        Cluster.Lose(B);
        Given(HeldBy(A)).When(request).Then("SwitchoverRequested SwitchoverRefused");
        Cluster.Restart(B);

        When(request).ThenNothing();
    }

    [Fact]
    public void The_first_of_the_ids_that_are_remembered_is_still_known_after_all_the_others()
    {
        var first = Switchover(B);
        Given(HeldBy(A)).When(first);
        for (var i = 1; i < Pool.RequestsMax; i++) When(Switchover(B)).Then("SwitchoverRequested SwitchoverRefused");

        When(first).ThenNothing();
    }
}
