using ZfsHaEvents.Domain.Alerts;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests.Alerts;

public sealed class AlertTests : Spec
{
    [Fact]
    public void Two_holders_raise_one_alert_with_one_observation_of_each_as_evidence_and_the_time_it_was_seen()
    {
        Given(HeldBy(A, Sights.HeldWithoutMultihost));
        var seenByB = Now;
        When(Report(B, Sights.HeldWithoutMultihost));

        var alert = Open(AlertKind.TwoHolders);
        alert.Evidence.ShouldBe([SightingOf(A).Id, SightingOf(B).Id]);
        alert.ObservedAt.ShouldBe(seenByB);
        alert.RaisedAt.ShouldBe(Now);
        alert.Summary.ShouldContain("a and b");
        alert.Severity.ShouldBe(AlertSeverity.Critical);
    }

    [Fact]
    public void Two_holders_that_are_seen_again_and_again_raise_no_further_alert()
    {
        Given(HeldBy(A, Sights.HeldWithoutMultihost)).When(Report(B, Sights.HeldWithoutMultihost)).When(Report(B, Sights.HeldWithoutMultihost)).When(Report(A, Sights.HeldWithoutMultihost));

        All(AlertKind.TwoHolders).Count.ShouldBe(1);
        All(AlertKind.ImportNotOrdered).Count.ShouldBe(1);
    }

    [Fact]
    public void A_third_holder_is_another_alert_and_the_first_one_is_cleared()
    {
        Given(HeldBy(A, Sights.HeldWithoutMultihost)).When(Report(B, Sights.HeldWithoutMultihost)).When(Report(C, Sights.HeldWithoutMultihost));

        All(AlertKind.TwoHolders).Count.ShouldBe(2);
        Open(AlertKind.TwoHolders).Evidence.Count.ShouldBe(3);
    }

    [Fact]
    public void Two_holders_are_over_when_one_of_them_no_longer_has_the_pool()
    {
        Given(HeldBy(A, Sights.HeldWithoutMultihost)).When(Report(B, Sights.HeldWithoutMultihost)).When(Report(B, Sights.Absent));

        All(AlertKind.TwoHolders).ShouldHaveSingleItem().ClearedAt.ShouldBe(Now);
    }

    [Fact]
    public void An_import_that_was_ordered_raises_nothing()
    {
        When(Report(B, ImportingOnB().Header.Id, ImportEnded(Sights.Held)));

        Alerts.Alerts.ShouldBeEmpty();
    }

    [Fact]
    public void An_import_nobody_ordered_names_its_host_and_who_has_the_claim()
    {
        Given(HeldBy(A)).When(Report(A, Sights.Absent)).When(Report(B, Sights.Held));

        var alert = Open(AlertKind.ImportNotOrdered);
        alert.Host.ShouldBe(B);
        alert.Evidence.ShouldBe([SightingOf(B).Id]);
        alert.Summary.ShouldContain("a has the claim");
    }

    [Fact]
    public void An_import_nobody_ordered_is_still_an_alert_when_the_claim_follows_it_in_the_same_breath()
    {
        Given(HeldBy(A)).When(Report(A, Sights.Absent)).When(Report(B, Sights.Held)).Then("PoolObserved OwnershipDisputed OwnershipReleased OwnershipClaimed");

        Open(AlertKind.ImportNotOrdered);
    }

    [Fact]
    public void An_import_nobody_ordered_is_over_when_the_pool_is_absent_there()
    {
        Given(HeldBy(A)).When(Report(B, Sights.Held));
        When(Report(B, Sights.Unknown));
        Open(AlertKind.ImportNotOrdered);

        When(Report(B, Sights.Absent));

        OverNow(AlertKind.ImportNotOrdered);
    }

    [Fact]
    public void An_import_nobody_ordered_is_over_when_the_claim_follows_it_later()
    {
        Given(HeldBy(A)).When(Report(B, Sights.Held));
        Open(AlertKind.ImportNotOrdered);

        When(Report(A, Sights.Absent));
        Pool.Claimant.ShouldBe(B);

        OverNow(AlertKind.ImportNotOrdered);
    }

    [Fact]
    public void An_import_nobody_ordered_is_over_when_its_host_is_verified_as_holder_with_the_claim()
    {
        Given(HeldBy(A)).When(Report(A, Sights.Absent)).When(Report(B, Sights.Held)).When(Lost(B));
        Open(AlertKind.ImportNotOrdered);
        Cluster.Restart(B);

        When(Reconnected(B, Sights.Held));
        Event<OwnershipVerified>().Holder.ShouldBe(B);

        OverNow(AlertKind.ImportNotOrdered);
    }

    [Fact]
    public void An_import_nobody_ordered_is_over_when_its_host_is_fenced_and_another_alert_when_it_is_there_again()
    {
        Given(HeldBy(A)).When(Report(B, Sights.Held)).When(Lost(B)).When(Confirm(B));
        OverNow(AlertKind.ImportNotOrdered);
        Cluster.Reboot(B);

        When(Reconnected(B, Sights.Held));

        All(AlertKind.ImportNotOrdered).Count.ShouldBe(2);
        Open(AlertKind.ImportNotOrdered);
    }

    [Fact]
    public void What_another_host_sees_leaves_the_alert_about_this_one()
    {
        Given(HeldBy(A)).When(Report(B, Sights.Held));

        When(Report(C, Sights.HeldReadOnly)).When(Report(C, Sights.Absent));

        Open(AlertKind.ImportNotOrdered).Host.ShouldBe(B);
    }

    [Fact]
    public void A_look_that_comes_late_ends_no_alert_and_raises_none()
    {
        var before = Observed(Sights.Absent);
        var suspended = Observed(Sights.Suspended);
        Given(HeldBy(A)).When(Report(B, Sights.Held));

        When(Report(B, null, before)).Then("PoolObserved");
        Recorded<PoolObserved>().Stamp.Late.ShouldBeTrue();
        When(Report(B, null, suspended));

        Open(AlertKind.ImportNotOrdered);
        All(AlertKind.PoolSuspended).ShouldBeEmpty();
    }

    [Fact]
    public void A_suspended_copy_is_an_alert_that_says_what_to_do()
    {
        Given(HeldBy(A)).When(Report(B, Sights.Suspended));

        Open(AlertKind.SuspendedCopy).Summary.ShouldContain("reboot b");
        All(AlertKind.PoolSuspended).ShouldBeEmpty();
    }

    [Fact]
    public void A_suspended_copy_is_over_once_its_host_was_rebooted_also_when_somebody_has_seen_it()
    {
        Given(HeldBy(A)).When(Report(B, Sights.Suspended)).When(Seen(AlertKind.SuspendedCopy)).When(Lost(B));
        All(AlertKind.SuspendedCopy).ShouldHaveSingleItem().ClearedAt.ShouldBeNull();
        Cluster.Reboot(B);

        When(Reconnected(B, Sights.Absent));

        var alert = OverNow(AlertKind.SuspendedCopy);
        alert.AcknowledgedBy.ShouldBe("anna");
    }

    [Fact]
    public void A_suspended_copy_that_is_there_again_stands_once()
    {
        Given(HeldBy(A)).When(Report(B, Sights.Suspended)).When(Lost(B));
        Cluster.Restart(B);

        When(Reconnected(B, Sights.Suspended));

        All(AlertKind.SuspendedCopy).Count(a => a.ClearedAt is null).ShouldBe(1);
    }

    [Fact]
    public void A_suspended_pool_is_an_alert_until_it_is_not_suspended_any_more_and_another_one_the_next_time()
    {
        Given(HeldBy(A)).When(Report(A, Sights.Suspended)).When(Report(A, Sights.Suspended));
        Open(AlertKind.PoolSuspended).Host.ShouldBe(A);
        Open(AlertKind.PoolSuspended).Summary.ShouldBe("I/O of tank is suspended on a");

        When(Report(A, Sights.Unknown));
        Open(AlertKind.PoolSuspended);

        When(Report(A, Sights.Held));
        OverNow(AlertKind.PoolSuspended);

        When(Report(A, Sights.Suspended));
        All(AlertKind.PoolSuspended).Count.ShouldBe(2);
        Open(AlertKind.PoolSuspended);
    }

    [Fact]
    public void A_suspended_pool_is_over_after_the_reboot_that_ends_it_also_when_somebody_has_seen_it()
    {
        Given(HeldBy(A)).When(Report(A, Sights.Suspended)).When(Seen(AlertKind.PoolSuspended)).When(Lost(A));
        All(AlertKind.PoolSuspended).ShouldHaveSingleItem().ClearedAt.ShouldBeNull();
        Cluster.Reboot(A);

        When(Reconnected(A, Sights.Absent));

        OverNow(AlertKind.PoolSuspended).AcknowledgedBy.ShouldBe("anna");
    }

    [Fact]
    public void A_suspended_pool_on_a_host_that_is_fenced_is_over()
    {
        Given(HeldBy(A)).When(Report(A, Sights.Suspended)).When(Lost(A));

        When(Confirm(A));

        OverNow(AlertKind.PoolSuspended);
    }

    [Fact]
    public void A_pool_that_was_suspended_while_its_host_was_away_is_an_alert()
    {
        Given(HeldBy(A)).When(Lost(A));
        Cluster.Restart(A);

        When(Reconnected(A, Sights.Suspended));

        Open(AlertKind.PoolSuspended).Host.ShouldBe(A);
    }

    [Fact]
    public void A_suspended_pool_that_another_host_has_taken_over_is_a_suspended_copy()
    {
        Given(HeldBy(A)).When(Report(A, Sights.Suspended));

        When(Report(B, Sights.Held)).When(Lost(A));
        Cluster.Restart(A);
        When(Reconnected(A, Sights.Suspended));

        Open(AlertKind.SuspendedCopy).Host.ShouldBe(A);
        All(AlertKind.PoolSuspended).ShouldHaveSingleItem().ClearedAt.ShouldBe(Now);
    }

    [Fact]
    public void Two_holders_are_over_although_somebody_has_seen_them()
    {
        Given(HeldBy(A, Sights.HeldWithoutMultihost)).When(Report(B, Sights.HeldWithoutMultihost)).When(Seen(AlertKind.TwoHolders));

        When(Report(B, Sights.Absent));

        OverNow(AlertKind.TwoHolders);
    }

    [Fact]
    public void A_halted_move_is_open_until_somebody_acknowledges_the_halt()
    {
        When(Report(A, ExportingOnA().Header.Id, ExportEnded(Sights.Held, ZpoolFailure.TimedOut, ended: false)));
        Open(AlertKind.MoveHalted).Summary.ShouldContain("ExportUnknown");

        When(Seen(AlertKind.MoveHalted));
        All(AlertKind.MoveHalted).ShouldHaveSingleItem().ClearedAt.ShouldBeNull(); // That it was seen lets nothing go on.
        When(Acknowledge());

        OverNow(AlertKind.MoveHalted);
    }

    [Fact]
    public void A_pool_that_takes_no_orders_is_an_alert_until_somebody_acknowledges_the_halt()
    {
        Given(HeldBy(A)).When(Reconnected(A, Sights.Held, new(Cluster.ThisHistory, new(9))));
        Open(AlertKind.PoolHalted).Host.ShouldBe(A);

        When(Acknowledge());

        OverNow(AlertKind.PoolHalted);
    }

    [Fact]
    public void A_failover_that_waits_for_a_person_says_so_until_the_person_has_spoken()
    {
        WaitingForFencingOfA();
        Open(AlertKind.FencingNeeded).Host.ShouldBe(A);

        When(Confirm(A));

        OverNow(AlertKind.FencingNeeded);
    }

    [Fact]
    public void Nobody_is_asked_to_fence_for_a_failover_that_was_called_off_or_has_halted()
    {
        When(CallOff(WaitingForFencingOfA()));
        OverNow(AlertKind.FencingNeeded);

        When(Failover(B));
        Open(AlertKind.FencingNeeded);
        When(Reconnected(C, Sights.Absent, new(Cluster.ThisHistory, new(9)))).Then("FailoverHalted PoolHalted");

        All(AlertKind.FencingNeeded).Count.ShouldBe(2);
        All(AlertKind.FencingNeeded).ShouldAllBe(a => a.ClearedAt != null);
    }

    [Fact]
    public void Nobody_is_asked_to_fence_a_host_that_somebody_has_vouched_for()
    {
        Given(HeldBy(A)).When(Lost(A)).When(Failover(B, fencing: "powered off"));

        Count<MoveStepStarted>().ShouldBe(2);
        All(AlertKind.FencingNeeded).ShouldBeEmpty();
    }

    [Fact]
    public void An_alert_that_was_seen_is_not_open_and_says_by_whom()
    {
        Given(HeldBy(A, Sights.HeldWithoutMultihost)).When(Report(B, Sights.HeldWithoutMultihost));

        When(new AcknowledgeAlert(NewId(), TheTank, Open(AlertKind.TwoHolders).Id, "anna", "on it"));

        var alert = All(AlertKind.TwoHolders).ShouldHaveSingleItem();
        (alert.AcknowledgedBy, alert.Comment, alert.IsOpen()).ShouldBe(("anna", "on it", false));
    }

    [Fact]
    public void A_lost_host_is_an_alert_until_it_is_back()
    {
        var lost = HostEventOf(1, new HostLeaseLost(A, Cluster[A].Session, Now, 2.5));
        var book = AlertBook.Empty.Evolve(lost);
        book.Alerts.Values.ShouldHaveSingleItem().Kind.ShouldBe(AlertKind.HostLost);

        book = book.Evolve(HostEventOf(2, new HostReturned(A, Cluster[A].Session, Rebooted: false, AwaySeconds: 3)));

        book.Alerts.Values.ShouldHaveSingleItem().IsOpen().ShouldBeFalse();
    }

    Recorded<HostEvent> HostEventOf(long version, HostEvent e) => new(EventId.Of(Queues.Host(A), "seen", (int)version), version, Now, new(Now, A, null, null, Actors.Server, Late: false), e);

    Recorded<PoolEvent> SightingOf(HostName host) => History.Last(e => e.Event is PoolObserved o && o.Host == host);

    AcknowledgeAlert Seen(AlertKind kind) => new(NewId(), TheTank, Open(kind).Id, "anna", "on it");

    /// <summary>The only alert of its kind, which the last message ended.</summary>
    Alert OverNow(AlertKind kind)
    {
        var alert = All(kind).ShouldHaveSingleItem(Describe(History));
        alert.ClearedAt.ShouldBe(Now, Describe(History));
        return alert;
    }

    List<Alert> All(AlertKind kind) => [.. Alerts.Alerts.Values.Where(a => a.Kind == kind)];

    Alert Open(AlertKind kind) => All(kind).Where(a => a.IsOpen()).ShouldHaveSingleItem(Describe(History));
}
