using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests.Requests;

/// <summary>Every "no" by its name: it is recorded with the request, tells nobody to do anything and changes neither claim nor epoch.</summary>
public sealed class RefusalTests : Spec
{
    [Fact]
    public void A_history_with_unknown_events_takes_no_orders()
    {
        Given([.. HeldBy(A), new UnknownEvent("pool_something_v9"), new UnknownEvent("pool_anything")]);
        var said = $"event {Pool.Version - 1} of the pool's history is a 'pool_something_v9', which this version of the server cannot read; upgrade the server";
        Refuses(Switchover(B), Refusal.UnknownHistory, said);
        Refuses(Failover(B), Refusal.UnknownHistory, said);
    }

    [Fact]
    public void One_move_at_a_time()
    {
        ExportingOnA();
        Refuses(Switchover(C), Refusal.MoveInProgress, $"'zfsha dossier {Pool.Move!.Id}'");
        Refuses(Failover(C), Refusal.MoveInProgress);
    }

    [Fact]
    public void A_halt_must_be_acknowledged_first()
    {
        var export = ExportingOnA();
        When(new StepOverdue(Tank, export.Header.Id, MoveStep.Export, Again: true));
        Refuses(Switchover(B), Refusal.HaltNotAcknowledged, "'zfsha acknowledge'");
        Refuses(Failover(B), Refusal.HaltNotAcknowledged);
    }

    [Fact]
    public void A_pool_in_conflict_is_not_moved()
    {
        Given(HeldBy(A)).When(Report(B, Sights.Held));
        Refuses(Switchover(C), Refusal.ConflictActive, "export it on all but one");
        Refuses(Failover(C), Refusal.ConflictActive);
    }

    [Fact]
    public void An_unknown_target_is_refused()
    {
        Given(HeldBy(A));
        Refuses(Switchover(new HostName("z")), Refusal.UnknownHost, "start its agent, or name another target");
        Refuses(Failover(new HostName("z")), Refusal.UnknownHost);
    }

    [Fact]
    public void A_target_without_a_live_lease_is_refused()
    {
        Given(HeldBy(A));
        Cluster.Lose(B);
        Refuses(Switchover(B), Refusal.TargetNotAlive, "start its agent, or name another target");
        Refuses(Failover(B), Refusal.TargetNotAlive);
    }

    [Fact]
    public void The_holder_is_no_target()
    {
        Given(HeldBy(A));
        Refuses(Switchover(A), Refusal.AlreadyHeldByTarget);
        Refuses(Failover(A), Refusal.AlreadyHeldByTarget);
    }

    [Fact]
    public void The_last_holder_is_no_target_of_a_failover_even_when_it_is_back()
    {
        Given(HeldBy(A)).When(Lost(A));
        Cluster.Restart(A);
        Refuses(Failover(A), Refusal.AlreadyHeldByTarget);
    }

    [Fact]
    public void A_switchover_needs_a_holder_that_answers()
    {
        Given(HeldBy(A)).When(Lost(A));
        Refuses(Switchover(B), Refusal.HolderNotAlive);
    }

    [Fact]
    public void A_holder_that_is_fenced_is_failed_over_for_only_that_asks_the_labels_whether_force_is_needed()
    {
        Given(HeldBy(A)).When(Lost(A)).When(Confirm(A));
        Refuses(Switchover(B), Refusal.HolderNotAlive);

        When(Failover(B));
        OrderTo<ReadLabels>(B);
    }

    [Fact]
    public void A_fenced_holder_whose_devices_nobody_knows_leaves_the_pool_to_a_switchover()
    {
        Given(HeldBy(A, Sights.Held with { Leaves = [] })).When(Lost(A)).When(Confirm(A));

        When(Switchover(B));

        OrderTo<ImportPool>(B).Force.ShouldBeNull();
    }

    [Fact]
    public void A_pool_that_was_in_use_on_the_target_itself_goes_back_there_without_force()
    {
        TakingOverOnB();
        When(Lost(B)).When(Acknowledge()).When(Confirm(B));
        Cluster.Reboot(A);
        When(Reconnected(A, Sights.Absent));
        Refuses(Switchover(C), Refusal.HolderNotAlive);

        When(Switchover(A));

        OrderTo<ImportPool>(A).Force.ShouldBeNull();
    }

    [Fact]
    public void A_switchover_needs_a_holder_that_answers_also_before_its_loss_has_reached_the_pool()
    {
        Given(HeldBy(A));
        Cluster.Lose(A);
        Refuses(Switchover(B), Refusal.HolderNotAlive);
    }

    [Fact]
    public void A_claimant_that_does_not_answer_may_have_imported_the_pool_unseen()
    {
        Given(HeldBy(A)).When(Report(A, Sights.Absent)).When(Lost(A));
        Refuses(Switchover(B), Refusal.HolderNotAlive);
    }

    [Fact]
    public void A_failover_is_for_a_holder_that_does_not_answer()
    {
        Given(HeldBy(A));
        Refuses(Failover(B), Refusal.HolderAlive);
        Refuses(Failover(B, fencing: "power is off"), Refusal.HolderAlive);
    }

    [Fact]
    public void A_suspended_pool_cannot_be_exported()
    {
        Given(HeldBy(A)).When(Report(A, Sights.Suspended));
        Refuses(Switchover(B), Refusal.PoolSuspended);
    }

    [Fact]
    public void A_suspended_copy_anywhere_stands_in_the_way_of_a_switchover()
    {
        Given(HeldBy(A)).When(Report(C, Sights.Suspended));
        Refuses(Switchover(B), Refusal.PoolSuspended);
    }

    [Fact]
    public void A_pool_that_nobody_held_or_claimed_has_nothing_to_take_over()
    {
        Given(new PoolDiscovered(Tank, TankName, A), new PoolObserved(A, Sights.Absent));
        Refuses(Failover(B), Refusal.NothingToTakeOver);
    }

    [Fact]
    public void No_other_host_is_told_to_import_while_an_import_is_outstanding()
    {
        var import = ImportingOnB();
        When(new StepOverdue(Tank, import.Header.Id, MoveStep.Import, Again: true)).When(Acknowledge());

        Refuses(Switchover(C), Refusal.ImportOutstanding);
        Cluster.Lose(B);
        Refuses(Failover(C), Refusal.ImportOutstanding);
    }

    [Fact]
    public void Without_multihost_nothing_is_moved_on_unverified_ownership()
    {
        Given(HeldBy(A, Sights.HeldWithoutMultihost)).When(Report(C, Sights.HeldReadOnly with { Multihost = false })).When(Lost(C));
        Pool.Awaited.ShouldBe([C]);

        Refuses(Switchover(B), Refusal.OwnershipUnverified);
    }

    [Fact]
    public void Multihost_that_nobody_could_read_counts_as_off()
    {
        Given(HeldBy(A, Sights.Held with { Multihost = null })).When(Report(C, Sights.HeldReadOnly with { Multihost = null })).When(Lost(C));

        Refuses(Switchover(B), Refusal.OwnershipUnverified);
    }

    [Fact]
    public void Mmp_alone_is_no_fencing_where_multihost_is_off()
    {
        Given(HeldBy(A, Sights.HeldWithoutMultihost)).When(Policy(fencing: FencingMethod.MmpAlone)).When(Lost(A));
        Refuses(Failover(B), Refusal.MultihostOff);
    }

    [Fact]
    public void A_failover_without_a_target_goes_by_the_policy_and_is_refused_when_that_names_none_alive()
    {
        Given(HeldBy(A)).When(Policy(targets: [A, B])).When(Lost(A));
        Cluster.Lose(B);
        Refuses(Failover(to: null), Refusal.NoTarget);
    }

    [Fact]
    public void Labels_cannot_be_read_where_no_devices_were_ever_reported()
    {
        Given(HeldBy(A, Sights.Held with { Leaves = [] })).When(Lost(A));
        Refuses(Failover(B), Refusal.LeavesUnknown);
    }

    [Fact]
    public void There_must_be_something_to_acknowledge_or_to_call_off()
    {
        Given(HeldBy(A));
        Refuses(Acknowledge(), Refusal.NothingPending, "nothing to acknowledge");
        Refuses(CallOff(new("nothing")), Refusal.NothingPending, "'zfsha dossier nothing'");
    }

    [Fact]
    public void An_alert_that_the_pool_has_not_raised_cannot_be_acknowledged()
    {
        Given(HeldBy(A)).When(Report(B, Sights.Held));
        Refuses(new AcknowledgeAlert(NewId(), TheTank, $"{Alerts.Alerts.Keys.First()}0", "anna", "on it"), Refusal.NothingPending);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \t\n")]
    public void Who_acknowledges_must_say_something(string comment)
    {
        WaitingForFencingOfA();
        When(Reconnected(C, Sights.Absent, new(Cluster.ThisHistory, new(9))));

        Refuses(new AcknowledgeHalt(NewId(), TheTank, "anna", comment), Refusal.EvidenceMissing);
        Refuses(new AcknowledgeAlert(NewId(), TheTank, Alerts.Alerts.Keys.First(), "anna", comment), Refusal.EvidenceMissing);
        Alerts.Alerts.Values.ShouldAllBe(a => a.AcknowledgedBy == null);
    }

    [Fact]
    public void An_order_that_is_with_a_host_cannot_be_called_off()
    {
        ExportingOnA();
        Refuses(CallOff(Pool.Move!.Id), Refusal.OrderOutstanding, $"'zfsha dossier {Pool.Move.Id}'");
    }

    [Fact]
    public void A_live_host_cannot_be_confirmed_as_fenced()
    {
        Given(HeldBy(A));
        Refuses(Confirm(A), Refusal.HostAlive);
    }

    [Fact]
    public void A_host_nobody_has_heard_of_cannot_be_confirmed_as_fenced()
    {
        Given(HeldBy(A));
        Refuses(Confirm(new HostName("z")), Refusal.UnknownHost, "'zfsha hosts'");
    }

    [Fact]
    public void A_failover_to_a_host_that_has_the_pool_suspended_is_refused_for_it_could_not_write_to_it_there()
    {
        Given(HeldBy(A)).When(Report(B, Sights.Suspended)).When(Lost(A));
        Refuses(Failover(B), Refusal.PoolSuspended);
    }

    [Fact]
    public void A_switchover_is_refused_while_a_typed_import_is_known_to_be_under_way_elsewhere()
    {
        Given(new PoolDiscovered(Tank, TankName, A), new PoolObserved(A, Sights.Absent)).When(Report(A, null, ImportStarted()));

        When(Switchover(B)).ThenNoOrders();
    }

    [Fact]
    public void A_host_that_answers_again_and_has_not_said_what_it_holds_is_not_passed_over()
    {
        // The lease is live from the moment its session is opened; what it sees of this pool arrives a little later.
        Given(HeldBy(A, Sights.HeldWithoutMultihost)).When(Lost(A)).When(Confirm(A));
        Cluster.Restart(A);

        When(Switchover(B)).ThenNoOrders();
    }

    [Fact]
    public void A_holder_whose_last_word_was_that_it_cannot_tell_is_not_passed_over()
    {
        Given(HeldBy(A, Sights.HeldWithoutMultihost)).When(Report(A, Sights.Unknown));

        When(Switchover(B)).ThenNoOrders();
    }

    /// <param name="advice">What the reader is told to do.</param>
    void Refuses(IRequest request, Refusal reason, string advice = "")
    {
        var before = (Pool.Claimant, Pool.Epoch, Pool.Move, Pool.OutstandingImport, Pool.Halt);
        When(request);

        var (actual, detail) = Decided.Events[^1].Event switch
        {
            MoveRefused refused => (refused.Reason, refused.Detail),
            RequestRefused refused => (refused.Reason, refused.Detail),
            var other => throw new InvalidOperationException($"{request.GetType().Name} was not refused: {other}\n{Describe(History)}"),
        };
        actual.ShouldBe(reason);
        detail.ShouldNotBeEmpty();
        detail.ShouldContain(advice);
        Decided.Messages.ShouldBeEmpty();
        (Pool.Claimant, Pool.Epoch, Pool.Move, Pool.OutstandingImport, Pool.Halt).ShouldBe(before);
        When(request).ThenNothing();
    }
}
