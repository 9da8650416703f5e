using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests.Requests;

/// <summary>What people say besides "move it": confirmations, acknowledgements, calling off, policy.</summary>
public sealed class PeopleTests : Spec
{
    // ---- ConfirmFencing ----------------------------------------------------------------------------------------------

    [Fact]
    public void A_fenced_host_is_no_holder_any_more_and_nobody_waits_for_its_word()
    {
        Given(HeldBy(A)).When(Lost(A));

        When(Confirm(A)).Then("FencingConfirmed OwnershipVerified");

        Pool.Holders().ShouldBeEmpty();
        Pool.Awaited.ShouldBeEmpty();
        Pool.Fenced[A].ShouldBe(Recorded<FencingConfirmed>().Id);
        Recorded<FencingConfirmed>().Stamp.Actor.ShouldBe("anna");
    }

    [Fact]
    public void A_fenced_host_cannot_carry_out_the_import_it_was_told_to()
    {
        ImportingOnB();
        When(Lost(B)).When(Acknowledge());
        Pool.OutstandingImport!.Host.ShouldBe(B);

        When(Confirm(B));

        Pool.OutstandingImport.ShouldBeNull();
    }

    [Fact]
    public void Fencing_one_of_two_holders_clears_the_conflict()
    {
        Given(HeldBy(A)).When(Report(B, Sights.Held)).When(Lost(A));

        When(Confirm(A));

        Event<ConflictCleared>().Holder.ShouldBe(B);
    }

    [Fact]
    public void A_fenced_host_that_speaks_again_is_not_fenced_any_more()
    {
        Given(HeldBy(A)).When(Lost(A)).When(Confirm(A));
        Cluster.Reboot(A);

        When(Reconnected(A, Sights.Absent)).Then("PoolObserved");

        Pool.Fenced.ShouldBeEmpty();
    }

    [Fact]
    public void Fencing_another_host_than_the_lost_holder_does_not_move_the_failover_on()
    {
        WaitingForFencingOfA();
        Cluster.Lose(C);

        When(Confirm(C)).Then("FencingConfirmed").ThenNoOrders();

        Pool.RunningMove()!.Step()!.Step.ShouldBe(MoveStep.Fence);
        Pool.Move!.FencedBy.ShouldBeNull();
    }

    [Fact]
    public void Confirming_twice_is_confirming_once_also_after_the_host_came_back()
    {
        var confirmation = Confirm(A);
        Given(HeldBy(A)).When(Lost(A)).When(confirmation).WhenAgain().ThenNothing();
        Cluster.Reboot(A);
        When(Reconnected(A, Sights.Absent)).When(Lost(A));

        When(confirmation).ThenNothing();
        Pool.Fenced.ShouldBeEmpty();
    }

    // ---- CallOffMove -------------------------------------------------------------------------------------------------

    [Fact]
    public void A_failover_that_waits_for_a_person_can_be_called_off()
    {
        var move = WaitingForFencingOfA();

        When(CallOff(move)).Then("CallOffRequested FailoverAborted").ThenNoOrders();

        Event<FailoverAborted>().Reason.ShouldBe(MoveEnd.CalledOff);
        Event<FailoverAborted>().Detail.ShouldContain("anna");
        Pool.Claimant.ShouldBe(A);
    }

    [Fact]
    public void Calling_off_twice_is_calling_off_once()
    {
        var move = WaitingForFencingOfA();

        When(CallOff(move)).WhenAgain().ThenNothing();
    }

    [Fact]
    public void Calling_off_an_earlier_move_leaves_the_present_one_alone()
    {
        var first = WaitingForFencingOfA();
        When(CallOff(first)).When(Failover(C));

        When(CallOff(first)).Then("RequestRefused");

        Pool.RunningMove().ShouldNotBeNull();
    }

    // ---- AcknowledgeHalt ---------------------------------------------------------------------------------------------

    [Fact]
    public void An_acknowledged_halt_lets_the_pool_take_orders_again_and_leaves_the_outstanding_import_as_it_is()
    {
        var import = ImportingOnB();
        When(new StepOverdue(Tank, import.Header.Id, MoveStep.Import, Again: true));

        When(Acknowledge()).Then("HaltAcknowledged").ThenNoOrders();

        Pool.Halt.ShouldBeNull();
        Pool.OutstandingImport!.Host.ShouldBe(B);
        Event<HaltAcknowledged>().By.ShouldBe("anna");
    }

    [Fact]
    public void Acknowledging_twice_is_acknowledging_once_even_when_it_halted_again_meanwhile()
    {
        var export = ExportingOnA();
        var acknowledgement = Acknowledge();
        When(new StepOverdue(Tank, export.Header.Id, MoveStep.Export, Again: true)).When(acknowledgement).WhenAgain().ThenNothing();
        When(Switchover(B));
        When(new StepOverdue(Tank, OrderTo<ExportPool>(A).Header.Id, MoveStep.Export, Again: true));
        Pool.Halt.ShouldNotBeNull();

        When(acknowledgement).ThenNothing();
        Pool.Halt.ShouldNotBeNull();
    }

    // ---- AcknowledgeAlert, SetPoolPolicy -----------------------------------------------------------------------------

    [Fact]
    public void Acknowledging_an_alert_twice_is_recorded_once()
    {
        Given(HeldBy(A)).When(Report(B, Sights.Held));

        When(new AcknowledgeAlert(NewId(), TheTank, Alerts.Alerts.Keys.First(), "anna", "on it")).Then("AlertAcknowledged").WhenAgain().ThenNothing();
    }

    [Fact]
    public void A_policy_is_recorded_once_for_each_time_it_was_set()
    {
        Given(HeldBy(A)).When(Policy(targets: [B])).Then("PolicySet").WhenAgain().ThenNothing();
        When(Policy(targets: [B])).Then("PolicySet");
        When(Policy(targets: [C])).Then("PolicySet");
    }

    [Fact]
    public void A_policy_that_comes_again_after_another_one_does_not_undo_that()
    {
        var early = Policy();
        Given(HeldBy(A)).When(early).Then("PolicySet");
        When(Policy(automatic: true, targets: [B]));

        When(early).ThenNothing();
        Pool.Policy.Automatic.ShouldBeTrue();
    }
}
