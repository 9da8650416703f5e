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

        Book().Alerts.ShouldBeEmpty();
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
    public void A_suspended_copy_is_an_alert_that_says_what_to_do()
    {
        Given(HeldBy(A)).When(Report(B, Sights.Suspended));

        Open(AlertKind.SuspendedCopy).Summary.ShouldContain("reboot b");
    }

    [Fact]
    public void A_halted_move_is_open_until_somebody_acknowledges_the_halt()
    {
        When(Report(A, ExportingOnA().Header.Id, ExportEnded(Sights.Held, ZpoolFailure.TimedOut, ended: false)));
        Open(AlertKind.MoveHalted).Summary.ShouldContain("ExportUnknown");

        When(Acknowledge());

        All(AlertKind.MoveHalted).ShouldHaveSingleItem().ClearedAt.ShouldBe(Now);
    }

    [Fact]
    public void A_failover_that_waits_for_a_person_says_so_until_the_person_has_spoken()
    {
        WaitingForFencingOfA();
        Open(AlertKind.FencingNeeded).Host.ShouldBe(A);

        When(Confirm(A));

        All(AlertKind.FencingNeeded).ShouldHaveSingleItem().ClearedAt.ShouldBe(Now);
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

    Recorded<HostEvent> HostEventOf(long version, HostEvent e) => new(EventId.Of("host", (int)version), version, Now, new(Now, A, null, null, Actors.Server, Late: false), e);

    Recorded<PoolEvent> SightingOf(HostName host) => History.Last(e => e.Event is PoolObserved o && o.Host == host);

    List<Alert> All(AlertKind kind) => [.. Book().Alerts.Values.Where(a => a.Kind == kind)];

    Alert Open(AlertKind kind) => All(kind).Where(a => a.IsOpen()).ShouldHaveSingleItem(Describe(History));

    AlertBook Book()
    {
        var (pool, book) = (Pool.Initial(Tank), AlertBook.Empty);
        foreach (var e in History)
        {
            pool = pool.Evolve(e);
            book = book.Evolve(e, pool);
        }

        return book;
    }
}
