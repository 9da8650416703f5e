using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests.Requests;

/// <summary>A failover that the policy asks for and that something stands in the way of is begun when that is gone: once, and only if it is still wanted.</summary>
public sealed class OwedFailoverTests : Spec
{
    [Fact]
    public void A_target_that_was_lost_as_well_takes_over_when_it_is_back()
    {
        LostWithoutATarget();

        Cluster.Reboot(B);
        When(Reconnected(B, Sights.Absent));

        BegunFromAToB();
        OrderTo<ReadLabels>(B);
    }

    [Fact]
    public void A_host_that_is_no_target_changes_nothing_when_it_is_back()
    {
        LostWithoutATarget();

        Cluster.Reboot(C);
        When(Reconnected(C, Sights.Absent)).ThenNoOrders();

        Count<FailoverStarted>().ShouldBe(0);
    }

    [Fact]
    public void A_holder_lost_while_it_was_to_export_is_taken_over_when_the_halt_is_acknowledged()
    {
        When(Automatic());
        ExportingOnA();
        When(Lost(A)).ThenNoOrders();

        When(Acknowledge());

        BegunFromAToB();
        Event<FailoverRequested>().RequestedBy.ShouldBe(Actors.Server);
    }

    [Fact]
    public void A_holder_lost_while_its_pool_was_halted_is_taken_over_when_the_halt_is_acknowledged()
    {
        When(Automatic());
        Given(HeldBy(A)).Given(new PoolHalted(HaltCause.EpochAhead, C, Cluster.ThisHistory, new(7), new(1)));
        When(Lost(A)).Then("OwnershipUnverified FailoverRequested FailoverRefused");

        When(Acknowledge());

        BegunFromAToB();
    }

    [Fact]
    public void A_failover_that_halted_is_not_begun_again_by_itself()
    {
        When(Automatic());
        Given(HeldBy(A)).When(Lost(A));
        When(Report(B, OrderTo<ReadLabels>(B).Header.Id, LabelsRead(null)));
        Event<FailoverHalted>().Reason.ShouldBe(MoveEnd.LabelsUnreadable);

        When(Acknowledge()).Then("HaltAcknowledged").ThenNoOrders();
        Cluster.Reboot(B);
        When(Reconnected(B, Sights.Absent)).ThenNoOrders();

        Count<FailoverStarted>().ShouldBe(1);
    }

    [Fact]
    public void A_failover_that_was_called_off_is_not_begun_again_by_itself()
    {
        When(Policy(automatic: true, targets: [B]));
        Given(HeldBy(A)).When(Lost(A));
        When(CallOff(Pool.RunningMove()!.Id));

        Cluster.Reboot(C);
        When(Reconnected(C, Sights.Absent)).ThenNoOrders();

        Count<FailoverStarted>().ShouldBe(1);
    }

    [Fact]
    public void A_host_that_is_lost_again_is_taken_over_again()
    {
        When(Automatic());
        Given(HeldBy(A)).When(Lost(A));
        Cluster.Restart(A);
        When(Reconnected(A, Sights.Held));
        Event<FailoverAborted>().Reason.ShouldBe(MoveEnd.HolderReturned);

        When(Lost(A));

        BegunFromAToB();
        Count<FailoverStarted>().ShouldBe(2);
    }

    [Fact]
    public void Nothing_is_owed_once_the_holder_is_back()
    {
        LostWithoutATarget();
        Cluster.Restart(A);
        When(Reconnected(A, Sights.Held));
        Cluster.Reboot(B);

        When(Reconnected(B, Sights.Absent)).ThenNoOrders();

        Count<FailoverStarted>().ShouldBe(0);
    }

    [Fact]
    public void Nothing_is_owed_once_somebody_has_imported_and_exported_the_pool_elsewhere()
    {
        LostWithoutATarget();
        When(Report(C, Sights.Held)).When(Report(C, Sights.Absent));
        Cluster.Reboot(B);

        When(Reconnected(B, Sights.Absent)).ThenNoOrders();

        Count<FailoverStarted>().ShouldBe(0);
    }

    [Fact]
    public void What_is_owed_waits_for_the_holder_whose_own_word_is_under_way()
    {
        LostWithoutATarget();
        Cluster.Restart(A); // It has a session; that it has the pool is still on its way.
        Cluster.Reboot(B);

        When(Reconnected(B, Sights.Absent)).ThenNoOrders();

        Count<FailoverStarted>().ShouldBe(0);
    }

    [Fact]
    public void An_import_that_may_still_take_effect_elsewhere_is_waited_for()
    {
        When(Automatic());
        Given(HeldBy(A)).When(Switchover(C));
        When(Report(A, OrderTo<ExportPool>(A).Header.Id, ExportEnded(Sights.Absent)));
        When(Lost(C)).When(Acknowledge());
        Pool.OutstandingImport.ShouldNotBeNull().Host.ShouldBe(C);
        When(Report(A, Sights.Held)); // Somebody has imported it again by hand.
        When(Lost(A));
        Event<FailoverRefused>().Reason.ShouldBe(Refusal.ImportOutstanding);

        Cluster.Reboot(C);
        When(Reconnected(C, Sights.Absent));

        Event<ImportRuledOut>().Host.ShouldBe(C);
        BegunFromAToB();
    }

    [Fact]
    public void A_policy_set_while_the_holder_is_lost_begins_with_what_is_owed()
    {
        Given(HeldBy(A)).When(Lost(A)).Then("OwnershipUnverified");

        When(Automatic());

        BegunFromAToB();
        WhenAgain().ThenNothing();
    }

    [Fact]
    public void Without_such_a_policy_nothing_is_owed()
    {
        Given(HeldBy(A)).When(Policy(automatic: false, FencingMethod.MmpAlone, B)).When(Lost(A));
        Cluster.Reboot(B);

        When(Reconnected(B, Sights.Absent)).ThenNoOrders();

        Count<FailoverRequested>().ShouldBe(0);
    }

    [Fact]
    public void The_message_that_removes_the_last_obstacle_begins_one_failover_however_often_it_arrives()
    {
        LostWithoutATarget();
        Cluster.Reboot(B);
        When(Reconnected(B, Sights.Absent));

        WhenAgain().ThenNoOrders();

        Count<FailoverStarted>().ShouldBe(1);
    }

    SetPoolPolicy Automatic() => Policy(automatic: true, FencingMethod.MmpAlone, B);

    /// <summary>A was lost with the pool when B, the only target, was lost already: a recorded no.</summary>
    void LostWithoutATarget()
    {
        When(Automatic());
        Given(HeldBy(A));
        Cluster.Lose(B);
        When(Lost(A)).Then("OwnershipUnverified FailoverRequested FailoverRefused");
        Event<FailoverRefused>().Reason.ShouldBe(Refusal.NoTarget);
    }

    void BegunFromAToB() => Event<FailoverStarted>().ShouldSatisfyAllConditions(e => e.From.ShouldBe(A), e => e.To.ShouldBe(B));
}
