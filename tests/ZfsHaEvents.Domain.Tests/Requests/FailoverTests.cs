using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests.Requests;

public sealed class FailoverTests : Spec
{
    [Fact]
    public void A_lost_holder_is_fenced_before_anything_else()
    {
        Given(HeldBy(A)).When(Lost(A));

        When(Failover(B)).Then("FailoverRequested FailoverStarted FailoverStepStarted").ThenNoOrders();

        Event<FailoverStarted>().ShouldBe(new FailoverStarted(new("r1"), A, B, new(1)));
        Event<FailoverStepStarted>().Step.ShouldBe(MoveStep.Fence);
    }

    [Fact]
    public void Once_fenced_the_target_reads_the_labels()
    {
        WaitingForFencingOfA();

        When(Confirm(A)).Then("FencingConfirmed FailoverStepDone FailoverStepStarted OwnershipVerified");

        OrderTo<ReadLabels>(B).Leaves.ShouldBe(Sights.Leaves);
        Pool.Move!.FencedBy.ShouldBe(Recorded<FencingConfirmed>().Id);
    }

    [Fact]
    public void A_label_left_active_by_the_fenced_holder_permits_force_with_both_proofs_named()
    {
        var read = ReadingLabelsOnB();

        When(Report(B, read.Header.Id, LabelsRead(Sights.Label(LabelState.Active, A, mmp: false))));

        OrderTo<ImportPool>(B).Force.ShouldBe(new ForceProof(Recorded<PoolScanned>().Id, Recorded<FencingConfirmed>().Id, Cluster[A].HostId));
        Event<OwnershipClaimed>().ShouldBe(new OwnershipClaimed(B, new(2), ClaimBasis.Takeover));
        Decided.VoidsOrders.ShouldBeTrue();
        Decided.Messages.ShouldContain(m => m.Message is EvictHost && m.Subject == Queues.Host(A));
    }

    [Fact]
    public void A_label_exported_after_all_needs_no_force()
    {
        var read = ReadingLabelsOnB();

        When(Report(B, read.Header.Id, LabelsRead(Sights.Label(LabelState.Exported, A))));

        OrderTo<ImportPool>(B).Force.ShouldBeNull();
    }

    [Fact]
    public void It_is_completed_by_what_is_seen_on_the_target()
    {
        var import = TakingOverOnB();

        When(Report(B, import.Header.Id, ImportEnded(Sights.Held))).Then("ImportSucceeded FailoverStepDone FailoverCompleted");

        Pool.Holder().ShouldBe(B);
        Pool.OutstandingImport.ShouldBeNull();
    }

    [Fact]
    public void By_mmp_alone_the_labels_are_read_at_once_and_the_proof_rests_on_what_the_importer_reads()
    {
        var read = ReadingLabelsOnBByMmp();

        When(Report(B, read.Header.Id, LabelsRead(Sights.Label(LabelState.Active, A))));

        var proof = OrderTo<ImportPool>(B).Force.ShouldNotBeNull();
        proof.FencedBy.ShouldBeNull();
        proof.RestsOnMmp().ShouldBeTrue();
        Pool.Awaited.ShouldBe([A]);
    }

    [Fact]
    public void By_mmp_alone_a_newest_uberblock_without_mmp_halts_it()
    {
        var read = ReadingLabelsOnBByMmp();

        When(Report(B, read.Header.Id, LabelsRead(Sights.Label(LabelState.Active, A, mmp: false)))).ThenNoOrders();

        Event<FailoverHalted>().Reason.ShouldBe(MoveEnd.ForceNotPermitted);
        Pool.Claimant.ShouldBe(A);
    }

    [Fact]
    public void By_mmp_alone_a_policy_set_meanwhile_halts_it()
    {
        var read = ReadingLabelsOnBByMmp();
        When(Policy(fencing: FencingMethod.Manual));

        When(Report(B, read.Header.Id, LabelsRead(Sights.Label(LabelState.Active, A)))).ThenNoOrders();

        Event<FailoverHalted>().Reason.ShouldBe(MoveEnd.ForceNotPermitted);
    }

    [Fact]
    public void A_label_active_under_a_third_host_halts_it()
    {
        var read = ReadingLabelsOnB();

        When(Report(B, read.Header.Id, LabelsRead(Sights.Label(LabelState.Active, C)))).ThenNoOrders();

        Event<FailoverHalted>().Reason.ShouldBe(MoveEnd.HeldByThirdHost);
    }

    [Fact]
    public void A_label_active_under_the_targets_own_hostid_halts_it_for_zfs_would_not_check_anything()
    {
        var read = ReadingLabelsOnB();

        When(Report(B, read.Header.Id, LabelsRead(Sights.Label(LabelState.Active, B)))).ThenNoOrders();

        Event<FailoverHalted>().Reason.ShouldBe(MoveEnd.HeldByThirdHost);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Labels_that_cannot_be_read_or_are_no_pools_halt_it(bool unreadable)
    {
        var read = ReadingLabelsOnB();

        When(Report(B, read.Header.Id, LabelsRead(unreadable ? null : Sights.Label(LabelState.Other, A)))).ThenNoOrders();

        Event<FailoverHalted>().Reason.ShouldBe(MoveEnd.LabelsUnreadable);
    }

    [Fact]
    public void A_statement_with_the_request_is_fencing_evidence_recorded_before_the_labels_are_read()
    {
        Given(HeldBy(A)).When(Lost(A));

        When(Failover(B, fencing: "pulled the plug")).Then("FailoverRequested FailoverStarted FencingConfirmed FailoverStepStarted FailoverStepDone FailoverStepStarted");

        OrderTo<ReadLabels>(B);
        Event<FencingConfirmed>().Host.ShouldBe(A);
        Pool.Move!.FencedBy.ShouldBe(Recorded<FencingConfirmed>().Id);
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    public void A_statement_that_says_nothing_is_no_evidence(string statement)
    {
        Given(HeldBy(A)).When(Lost(A)).When(Failover(B, fencing: statement)).ThenNoOrders();

        Count<FencingConfirmed>().ShouldBe(0);
    }

    [Fact]
    public void Fencing_confirmed_before_the_failover_counts()
    {
        Given(HeldBy(A)).When(Lost(A)).When(Confirm(A));

        When(Failover(B));

        OrderTo<ReadLabels>(B);
        Pool.Move!.FencedBy.ShouldBe(Recorded<FencingConfirmed>().Id);
    }

    [Fact]
    public void Without_a_target_it_goes_to_the_first_of_the_policys_that_is_alive_and_not_the_lost_holder()
    {
        Given(HeldBy(A)).When(Policy(targets: [A, B, C])).When(Lost(A));
        Cluster.Lose(B);

        When(Failover(to: null));

        Event<FailoverStarted>().To.ShouldBe(C);
    }

    [Fact]
    public void A_claimant_lost_before_anybody_saw_it_hold_the_pool_is_who_is_taken_over_from()
    {
        var import = ImportingOnB();
        When(Lost(B)).When(Acknowledge()).When(Confirm(B)).When(Failover(C));

        // Nobody was seen with the pool on B, and A is known to have exported it.
        Pool.RunningMove()!.From.ShouldBe(B);
        import.Header.Epoch.ShouldBe(Pool.Epoch);
    }

    [Fact]
    public void A_target_lost_while_the_holder_is_fenced_halts_it_when_its_turn_comes()
    {
        WaitingForFencingOfA();
        When(Lost(B)).Then("");

        When(Confirm(A)).ThenNoOrders();

        Event<FailoverHalted>().Reason.ShouldBe(MoveEnd.TargetLost);
    }

    [Fact]
    public void Asking_twice_is_asking_once_while_it_runs_and_after()
    {
        var request = Failover(B);
        Given(HeldBy(A)).When(Lost(A)).When(request).WhenAgain().ThenNothing();
        When(CallOff(request.Id));

        When(request).ThenNothing();
    }

    [Fact]
    public void It_ends_without_moving_anything_when_the_holder_comes_back_with_the_pool_before_the_import_is_ordered()
    {
        WaitingForFencingOfA();
        Cluster.Restart(A);

        When(Reconnected(A, Sights.Held)).ThenNoOrders();

        Event<FailoverAborted>().ShouldSatisfyAllConditions(e => e.Reason.ShouldBe(MoveEnd.HolderReturned), e => e.Holder.ShouldBe(A));
        Pool.Holder().ShouldBe(A);
        Pool.Claimant.ShouldBe(A);
        Pool.Halt.ShouldBeNull();
    }

    [Fact]
    public void It_ends_when_the_holder_comes_back_while_the_labels_are_read_and_their_late_answer_changes_nothing()
    {
        var read = ReadingLabelsOnB();
        Cluster.Restart(A);
        When(Reconnected(A, Sights.Held)).ThenNoOrders();
        Event<FailoverAborted>().Reason.ShouldBe(MoveEnd.HolderReturned);

        When(Report(B, read.Header.Id, LabelsRead(Sights.Label(LabelState.Active, A)))).Then("PoolScanned").ThenNoOrders();
    }

    [Fact]
    public void It_is_not_taken_for_the_holders_return_when_another_host_speaks()
    {
        // Asked for after the lease ran out, and decided before the loss itself reached the pool.
        Given(HeldBy(A));
        Cluster.Lose(A);
        When(Failover(B));

        When(Report(C, Sights.HeldReadOnly));

        Pool.RunningMove().ShouldNotBeNull(Describe(History));
    }

    [Fact]
    public void A_running_failover_whose_holder_is_back_without_the_pool_goes_on()
    {
        var read = ReadingLabelsOnB();
        Cluster.Reboot(A);
        When(Reconnected(A, Sights.Absent)).Then("PoolObserved");

        When(Report(B, read.Header.Id, LabelsRead(Sights.Label(LabelState.Exported, A))));

        OrderTo<ImportPool>(B).Force.ShouldBeNull();
    }

    [Fact]
    public void Multihost_read_from_some_of_the_devices_only_permits_no_force()
    {
        var read = ReadingLabelsOnBByMmp();

        When(Report(B, read.Header.Id, LabelsRead(Sights.Label(LabelState.Active, A) with { LeavesRead = 1 }))).ThenNoOrders();

        Event<FailoverHalted>().Reason.ShouldBe(MoveEnd.ForceNotPermitted);
        Event<FailoverHalted>().Detail.ShouldContain("1 of 2");
    }

    [Fact]
    public void A_persons_word_that_zfs_has_disproved_counts_no_more()
    {
        var import = TakingOverOnB();

        When(Report(B, import.Header.Id, ImportEnded(Sights.Absent, ZpoolFailure.ActiveElsewhere)));

        Event<FailoverHalted>().Reason.ShouldBe(MoveEnd.HolderStillActive);
        Pool.Fenced.ShouldBeEmpty();
        Pool.Awaited.ShouldBe([A]);
        Pool.LastHolder().ShouldBe(A);

        When(Acknowledge()).When(Failover(C)).ThenNoOrders();
        Pool.RunningMove()!.Step()!.Step.ShouldBe(MoveStep.Fence, "somebody must make sure of it once more");
    }

    [Fact]
    public void A_pool_taken_over_from_a_host_that_is_back_and_has_shown_not_to_hold_it_is_not_in_doubt_for_ever()
    {
        var read = ReadingLabelsOnB(Sights.HeldWithoutMultihost);
        Cluster.Reboot(A);
        When(Reconnected(A, Sights.Absent));
        When(Report(B, read.Header.Id, LabelsRead(Sights.Label(LabelState.Exported, A))));
        When(Report(B, OrderTo<ImportPool>(B).Header.Id, ImportEnded(Sights.HeldWithoutMultihost)));

        // A has said its word and sees no reason to say it again.
        Pool.Awaited.ShouldBeEmpty();
    }
}
