using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests.Reports;

/// <summary>Hosts that come, go and come again, as one pool hears of it.</summary>
public sealed class SessionTests : Spec
{
    [Fact]
    public void A_pool_first_seen_as_a_session_opens_is_discovered_and_claimed_by_its_holder()
    {
        When(Reconnected(A, Sights.Held)).Then("PoolDiscovered PoolObserved OwnershipClaimed");

        Event<OwnershipClaimed>().ShouldBe(new OwnershipClaimed(A, new(1), ClaimBasis.Discovered));
        Pool.Name.ShouldBe(TankName);
    }

    [Fact]
    public void A_host_that_has_never_had_a_pool_does_not_discover_it()
    {
        When(Reconnected(A, Sights.Absent)).ThenNothing();
    }

    [Fact]
    public void A_host_that_has_obeyed_orders_about_an_unknown_pool_shows_that_history_is_missing()
    {
        When(Reconnected(A, Sights.Absent, new(Cluster.ThisHistory, new(7)))).Then("PoolDiscovered PoolObserved PoolHalted");
    }

    [Fact]
    public void The_order_that_is_awaited_from_the_host_is_issued_anew()
    {
        var export = ExportingOnA();
        Cluster.Restart(A);

        When(Reconnected(A, Sights.Held));

        OrderTo<ExportPool>(A).Header.Session.ShouldBe(Cluster[A].Session);
        Event<OrderReissued>().Previous.ShouldBe(export.Header.Id);
    }

    [Fact]
    public void An_order_that_is_awaited_from_another_host_is_not()
    {
        ExportingOnA();
        Cluster.Restart(B);

        When(Reconnected(B, Sights.Absent)).ThenNoOrders();
    }

    [Fact]
    public void The_same_session_reported_twice_issues_nothing_twice()
    {
        ExportingOnA();
        Cluster.Restart(A);

        When(Reconnected(A, Sights.Held)).WhenAgain().ThenNoOrders();
    }

    [Fact]
    public void The_session_before_the_present_one_arriving_late_issues_nothing()
    {
        ExportingOnA();
        Cluster.Restart(A);
        var first = Reconnected(A, Sights.Held);
        Cluster.Restart(A);
        When(Reconnected(A, Sights.Held));

        When(first).ThenNoOrders();
    }

    // ---- HostLost ----------------------------------------------------------------------------------------------------

    [Fact]
    public void A_lost_holders_word_is_stale_and_awaited()
    {
        Given(HeldBy(A)).When(Lost(A)).Then("OwnershipUnverified").ThenNoOrders();

        Pool.Holder().ShouldBeNull();
        Pool.Sightings[A].Stale.ShouldBeTrue();
        Pool.Awaited.ShouldBe([A]);
        Pool.Claimant.ShouldBe(A);
        Pool.LastHolder().ShouldBe(A);
    }

    [Fact]
    public void Losing_a_host_twice_is_losing_it_once()
    {
        Given(HeldBy(A)).When(Lost(A)).WhenAgain().ThenNothing();
    }

    [Fact]
    public void Losing_a_host_that_is_back_in_a_newer_session_changes_nothing()
    {
        Given(HeldBy(A));
        var lost = Lost(A);
        Cluster.Restart(A);

        When(lost).ThenNothing();
    }

    [Fact]
    public void A_lost_host_that_neither_holds_nor_claims_the_pool_leaves_no_doubt()
    {
        Given(HeldBy(A)).When(Lost(C)).ThenNothing();
    }

    [Fact]
    public void A_pool_nobody_has_heard_of_loses_nothing()
    {
        When(Lost(A)).ThenNothing();
    }

    [Theory]
    [InlineData(true, MoveEnd.SourceLost)]
    [InlineData(false, MoveEnd.TargetLost)]
    public void A_host_lost_in_its_step_halts_the_move(bool source, MoveEnd reason)
    {
        if (source) ExportingOnA();
        else ImportingOnB();

        When(Lost(source ? A : B)).ThenNoOrders();

        Event<SwitchoverHalted>().Reason.ShouldBe(reason);
        Pool.OutstandingImport?.Host.ShouldBe(B);
    }

    [Fact]
    public void A_host_lost_when_it_is_not_its_turn_does_not_end_the_move()
    {
        ImportingOnB();

        When(Lost(A)).Then("");

        Pool.RunningMove().ShouldNotBeNull();
    }

    [Fact]
    public void By_policy_the_loss_of_the_holder_starts_a_failover()
    {
        Given(HeldBy(A)).When(Policy(automatic: true, targets: [B])).When(Lost(A));

        Event<FailoverStarted>().ShouldSatisfyAllConditions(e => e.From.ShouldBe(A), e => e.To.ShouldBe(B));
        Event<FailoverRequested>().RequestedBy.ShouldBe(Actors.Server);
        WhenAgain().ThenNothing();
    }

    [Fact]
    public void By_policy_the_loss_of_another_host_starts_nothing()
    {
        Given(HeldBy(A)).When(Policy(automatic: true, targets: [B])).When(Lost(C)).ThenNothing();
    }

    [Fact]
    public void By_policy_a_loss_without_a_live_target_is_a_recorded_no()
    {
        Given(HeldBy(A)).When(Policy(automatic: true, targets: [B]));
        Cluster.Lose(B);

        When(Lost(A)).Then("OwnershipUnverified FailoverRequested FailoverRefused").ThenNoOrders();
    }

    // ---- StepOverdue -------------------------------------------------------------------------------------------------

    [Fact]
    public void A_reminder_that_falls_due_lets_the_reports_go_first_that_lie_behind_it()
    {
        var import = ImportingOnB();

        When(new StepOverdue(Tank, import.Header.Id, MoveStep.Import)).Then("");

        var again = Decided.Messages.ShouldHaveSingleItem();
        again.ShouldBe(new(Queues.Server, $"{import.Header.Id}/overdue/again", new StepOverdue(Tank, import.Header.Id, MoveStep.Import, Again: true), Tank.ToString(), OrderTimes.Default.Grace));
        When(Report(B, import.Header.Id, ImportEnded(Sights.Held))).Then("ImportSucceeded SwitchoverStepDone SwitchoverCompleted");
        When((StepOverdue)again.Message).ThenNothing();
    }

    [Fact]
    public void A_step_without_a_report_halts_the_move_and_the_import_stays_outstanding()
    {
        var import = ImportingOnB();

        When(new StepOverdue(Tank, import.Header.Id, MoveStep.Import, Again: true)).Then("SwitchoverStepFailed SwitchoverHalted").ThenNoOrders();

        Event<SwitchoverHalted>().Reason.ShouldBe(MoveEnd.StepOverdue);
        Pool.OutstandingImport!.Host.ShouldBe(B);
        WhenAgain().ThenNothing();
    }

    [Fact]
    public void The_reminder_of_a_step_that_is_done_is_nothing()
    {
        var export = ExportingOnA();
        When(Report(A, export.Header.Id, ExportEnded(Sights.Absent)));

        When(new StepOverdue(Tank, export.Header.Id, MoveStep.Export, Again: true)).ThenNothing();
    }

    [Fact]
    public void The_reminder_of_an_order_that_was_issued_anew_is_nothing()
    {
        var export = ExportingOnA();
        Cluster.Restart(A);
        When(Reconnected(A, Sights.Held));

        When(new StepOverdue(Tank, export.Header.Id, MoveStep.Export, Again: true)).ThenNothing();
    }

    [Fact]
    public void The_reminder_of_a_move_that_ended_is_nothing()
    {
        var import = ImportingOnB();
        When(Report(B, import.Header.Id, ImportEnded(Sights.Held)));

        When(new StepOverdue(Tank, import.Header.Id, MoveStep.Import, Again: true)).ThenNothing();
    }
}
