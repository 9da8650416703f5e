using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests.Reports;

/// <summary>What becomes of an order, in every way it can end. The import order's endings are in Invariants.</summary>
public sealed class OrderOutcomeTests : Spec
{
    [Theory]
    [InlineData(OrderRefusal.StaleSession)]
    [InlineData(OrderRefusal.Expired)]
    public void An_order_that_came_too_late_is_issued_anew_for_the_present_session(OrderRefusal reason)
    {
        var export = ExportingOnA();
        Cluster.Restart(A);

        When(Report(A, export.Header.Id, Refused(reason))).Then("OrderRefused OrderReissued");

        var again = OrderTo<ExportPool>(A).Header;
        again.Id.Value.ShouldBe($"{export.Header.Request}/{Tank}/Export/2");
        again.Session.ShouldBe(Cluster[A].Session);
        Pool.Move!.Step()!.Attempt.ShouldBe(2);
    }

    [Theory]
    [InlineData(OrderRefusal.StaleEpoch)]
    [InlineData(OrderRefusal.ForeignIncarnation)]
    [InlineData(OrderRefusal.EpochNotRecorded)]
    public void An_order_refused_on_principle_halts_the_move(OrderRefusal reason)
    {
        var export = ExportingOnA();

        When(Report(A, export.Header.Id, Refused(reason))).Then("OrderRefused SwitchoverStepFailed SwitchoverHalted").ThenNoOrders();

        Event<SwitchoverHalted>().Reason.ShouldBe(MoveEnd.OrderRefused);
        Event<SwitchoverHalted>().Detail.ShouldContain(reason.ToString());
    }

    [Fact]
    public void An_order_is_not_issued_for_ever()
    {
        var order = ExportingOnA().Header.Id;
        for (var attempt = 2; attempt <= 8; attempt++)
        {
            When(Report(A, order, Refused(OrderRefusal.StaleSession)));
            order = OrderTo<ExportPool>(A).Header.Id;
        }

        When(Report(A, order, Refused(OrderRefusal.StaleSession))).ThenNoOrders();

        Event<SwitchoverHalted>();
    }

    [Fact]
    public void An_order_refused_by_a_host_that_is_lost_meanwhile_halts_the_move()
    {
        var export = ExportingOnA();
        Cluster.Lose(A);

        When(Report(A, export.Header.Id, Refused(OrderRefusal.StaleSession))).ThenNoOrders();

        Event<SwitchoverHalted>().Reason.ShouldBe(MoveEnd.SourceLost);
    }

    [Fact]
    public void A_refusal_of_an_order_that_is_not_awaited_any_more_is_recorded_and_nothing_else()
    {
        var export = ExportingOnA();
        When(Report(A, export.Header.Id, Refused(OrderRefusal.StaleSession)));

        When(Report(A, export.Header.Id, Refused(OrderRefusal.Expired))).Then("OrderRefused").ThenNoOrders();
    }

    [Fact]
    public void A_typed_import_that_was_not_permitted_is_recorded_and_the_running_move_goes_on()
    {
        var export = ExportingOnA();
        When(Report(A, null, Refused(OrderRefusal.NotPermitted))).Then("OrderRefused").ThenNoOrders();
        Event<OrderRefused>().Order.ShouldBeNull();

        When(Report(A, export.Header.Id, ExportEnded(Sights.Absent)));
        OrderTo<ImportPool>(B);
    }

    [Theory]
    [InlineData(true, MoveEnd.ExportUnknown)]
    [InlineData(false, MoveEnd.ImportUnknown)]
    public void A_host_lock_not_to_be_had_halts_the_move_for_whoever_has_it_may_be_importing_this_very_pool(bool export, MoveEnd reason)
    {
        var (host, order) = export ? (A, ExportingOnA().Header.Id) : (B, ImportingOnB().Header.Id);
        var outstanding = Pool.OutstandingImport;

        When(Report(host, order, LockTimedOut())).ThenNoOrders();

        Event<SwitchoverHalted>().Reason.ShouldBe(reason);
        Pool.OutstandingImport.ShouldBe(outstanding);
    }

    [Fact]
    public void Facts_about_locks_and_intents_are_history()
    {
        Given(HeldBy(A));

        When(Report(
            A, null,
            new HostFact.LockBroken(NextSequence(), Now, "pid 1", "pid 1 is gone"), new HostFact.LockAcquired(NextSequence(), Now, "export", 0.1),
            new HostFact.ExportStarted(NextSequence(), Now, ["zpool", "export", "tank"], "reboot"), new HostFact.LockReleased(NextSequence(), Now, "export", 1)))
            .Then("PoolLockBroken PoolLockAcquired ExportStarted PoolLockReleased");

        Recorded<ExportStarted>().Stamp.Actor.ShouldBe("root");
        Pool.Holder().ShouldBe(A);
    }

    [Fact]
    public void An_export_typed_on_the_holder_leaves_the_claim_and_no_holder()
    {
        Given(HeldBy(A)).When(Report(A, null, ExportEnded(Sights.Absent))).Then("ExportSucceeded");

        Pool.Holder().ShouldBeNull();
        Pool.Claimant.ShouldBe(A);
    }

    [Fact]
    public void An_import_typed_through_our_tool_on_another_host_takes_the_claim_along()
    {
        Given(HeldBy(A)).When(Report(A, null, ExportEnded(Sights.Absent)));

        When(Report(B, null, ImportStarted(), ImportEnded(Sights.Held))).Then("ImportStarted ImportSucceeded OwnershipReleased OwnershipClaimed");

        Event<OwnershipClaimed>().ShouldBe(new OwnershipClaimed(B, new(2), ClaimBasis.Observed));
    }

    [Fact]
    public void An_outcome_from_another_host_than_the_one_that_was_told_is_not_the_steps_outcome()
    {
        var export = ExportingOnA();

        When(Report(C, export.Header.Id, ExportEnded(Sights.Absent))).ThenNoOrders();

        Pool.RunningMove().ShouldNotBeNull(Describe(History));
    }

    [Fact]
    public void An_outcome_of_another_kind_than_the_order_is_not_the_steps_outcome()
    {
        var import = ImportingOnB();

        When(Report(B, import.Header.Id, ExportEnded(Sights.Absent, ran: false))).ThenNoOrders();

        Pool.OutstandingImport!.Host.ShouldBe(B);
    }

    [Fact]
    public void A_move_is_not_completed_by_a_pool_that_its_target_cannot_write_to()
    {
        var import = ImportingOnB();

        When(Report(B, import.Header.Id, ImportEnded(Sights.Suspended)));

        Count<SwitchoverCompleted>().ShouldBe(0);
        Pool.Halt.ShouldNotBeNull();
    }
}
