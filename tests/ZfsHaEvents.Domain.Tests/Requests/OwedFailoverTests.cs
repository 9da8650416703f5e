using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests.Requests;

/// <summary>A failover that the policy asks for and that something stands in the way of is begun when that is gone: once, and only if it is still wanted.</summary>
public sealed class OwedFailoverTests : Spec
{
    [Fact]
    public void A_target_that_was_lost_as_well_takes_over_when_it_is_back()
    {
        LostWithoutATarget();

        Back(B);
        Then("PoolObserved").ThenNoOrders();
        WhenDue();

        BegunFromAToB();
        OrderTo<ReadLabels>(B);
    }

    [Fact]
    public void It_waits_a_moment_for_the_holder_that_comes_back_with_the_others()
    {
        LostWithoutATarget();
        Back(B);
        var due = Due();

        Cluster.Restart(A); // It has a session; that it has the pool is still on its way.
        When(due).ThenNothing();
        When(Reconnected(A, Sights.Held));
        When(due).ThenNothing();
    }

    [Fact]
    public void A_host_that_is_no_target_changes_nothing_when_it_is_back()
    {
        LostWithoutATarget();

        Back(C);

        ThenNothingIsDue();
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
        Back(B);

        ThenNothingIsDue();
    }

    [Fact]
    public void A_failover_that_was_called_off_is_not_begun_again_by_itself()
    {
        When(Policy(automatic: true, targets: [B]));
        Given(HeldBy(A)).When(Lost(A));
        When(CallOff(Pool.RunningMove()!.Id));

        Back(C);

        ThenNothingIsDue();
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
        Back(B);

        ThenNothingIsDue();
    }

    [Fact]
    public void Nothing_is_owed_once_somebody_has_imported_and_exported_the_pool_elsewhere()
    {
        LostWithoutATarget();
        When(Report(C, Sights.Held)).When(Report(C, Sights.Absent));
        Back(B);

        ThenNothingIsDue();
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

        Back(C);

        Event<ImportRuledOut>().Host.ShouldBe(C);
        WhenDue();
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
        Back(B);

        ThenNothingIsDue();
        Count<FailoverRequested>().ShouldBe(0);
    }

    [Fact]
    public void However_many_messages_find_it_possible_one_failover_begins()
    {
        LostWithoutATarget();
        Back(B);
        var first = Due();
        When(Report(B, Sights.HeldReadOnly));
        var second = Due();

        When(first);
        BegunFromAToB();
        When(second).ThenNothing();
        When(first).ThenNothing();
    }

    [Fact]
    public void An_acknowledgement_that_does_not_help_yet_says_why()
    {
        When(Automatic());
        ExportingOnA();
        When(Lost(A));
        Cluster.Lose(B);

        When(Acknowledge()).Then("HaltAcknowledged FailoverRequested FailoverRefused");

        Event<FailoverRefused>().Reason.ShouldBe(Refusal.NoTarget);
    }

    [Fact]
    public void A_confirmed_fencing_begins_what_waits_for_nothing_else()
    {
        When(Policy(automatic: true, FencingMethod.MmpAlone, B));
        Given(HeldBy(A, Sights.HeldWithoutMultihost)).When(Lost(A));
        Event<FailoverRefused>().Reason.ShouldBe(Refusal.MultihostOff);

        When(Confirm(A));

        BegunFromAToB();
        OrderTo<ReadLabels>(B);
    }

    [Fact]
    public void A_word_given_while_it_could_not_begin_is_for_its_giver_to_use()
    {
        LostWithoutATarget();
        When(Confirm(A));
        Event<FailoverRefused>().Reason.ShouldBe(Refusal.NoTarget);
        Back(B);

        ThenNothingIsDue();
        When(Failover(B)).Event<FailoverStarted>().From.ShouldBe(A);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_host_lost_with_a_copy_while_another_holds_the_pool_is_owed_nothing(bool suspended)
    {
        When(Automatic());
        Given(HeldBy(B)).Given(new PoolObserved(A, suspended ? Sights.Suspended : Sights.Held));
        When(Lost(A));

        When(Report(B, Sights.Absent));

        ThenNothingIsDue();
        Count<FailoverStarted>().ShouldBe(0);
    }

    [Fact]
    public void An_export_before_the_loss_that_is_told_late_ends_it()
    {
        LostWithoutATarget();
        When(Report(A, null, ExportEnded(Sights.Absent)));
        Recorded<ExportSucceeded>().Stamp.Late.ShouldBeTrue();
        Back(B);

        ThenNothingIsDue();
    }

    [Fact]
    public void A_look_from_before_the_last_one_that_is_told_late_ends_nothing()
    {
        var before = Now;
        LostWithoutATarget();
        When(Report(A, null, new HostFact.Observed(NextSequence(), before, Sights.Absent)));
        Back(B);
        WhenDue();

        BegunFromAToB();
    }

    [Fact]
    public void That_the_holder_still_had_the_pool_before_it_was_lost_is_no_news()
    {
        LostWithoutATarget();
        When(Report(A, Sights.Degraded));
        Recorded<PoolObserved>().Stamp.Late.ShouldBeTrue();
        Back(B);
        WhenDue();

        BegunFromAToB();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_holder_that_was_back_and_could_not_look_is_taken_over_once_it_is_lost_again(bool targetFirst)
    {
        LostWithoutATarget();
        Cluster.Restart(A);
        When(Reconnected(A, Sights.Unknown));
        if (targetFirst) Back(B);
        When(Lost(A));
        if (targetFirst)
        {
            BegunFromAToB();
            return;
        }

        Back(B);
        WhenDue();
        BegunFromAToB();

    }

    [Fact]
    public void The_loss_of_a_host_that_had_the_pool_read_only_rests_on_nobodys_old_word()
    {
        LostWithoutATarget();
        When(Confirm(A)).When(Report(C, Sights.HeldReadOnly));
        Back(B);

        When(Lost(C)).Then("OwnershipUnverified").ThenNoOrders();

        ThenNothingIsDue();
    }

    [Fact]
    public void The_loss_of_a_suspended_copy_leaves_the_holder_lost()
    {
        When(Automatic());
        Given(HeldBy(A)).Given(new PoolObserved(C, Sights.Suspended));
        Cluster.Lose(B);
        When(Lost(A)).When(Lost(C));
        Pool.LostHolder.ShouldBe(A);
    }

    [Fact]
    public void The_outcome_of_an_order_that_a_lost_host_tells_leaves_it_lost()
    {
        When(Automatic());
        var export = ExportingOnA();
        When(Lost(A));
        When(Report(A, export.Header.Id, ExportEnded(Sights.Held, ZpoolFailure.Busy)));
        Pool.Sightings[A].Stale.ShouldBeTrue();
        Pool.Holder().ShouldBeNull();

        When(Acknowledge());

        BegunFromAToB();
    }

    /// <summary>The host has booted and does not have the pool.</summary>
    void Back(HostName host)
    {
        Cluster.Reboot(host);
        When(Reconnected(host, Sights.Absent));
    }

    /// <summary>What the last decision put off for a moment.</summary>
    TakeoverDue Due()
    {
        var message = Decided.Messages.ShouldHaveSingleItem();
        message.Delay.ShouldBe(OrderTimes.Default.Grace);
        return message.Message.ShouldBeOfType<TakeoverDue>();
    }

    void WhenDue() => When(Due());

    void ThenNothingIsDue() => Decided.Messages.ShouldBeEmpty();

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
