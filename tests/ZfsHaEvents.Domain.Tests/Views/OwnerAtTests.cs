using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Domain.Views;

namespace ZfsHaEvents.Domain.Tests.Views;

/// <summary>Who held a pool at a past instant.</summary>
public sealed class OwnerAtTests : Spec
{
    OwnerAt At(DateTimeOffset at) => OwnerAt.Of(Tank, History, at);

    [Fact]
    public void Before_the_pool_was_known_nobody_can_say() => At(Now).Known.ShouldBeFalse();

    [Fact]
    public void In_the_middle_of_a_switchover_nobody_holds_the_pool_and_the_target_has_the_claim()
    {
        var import = ImportingOnB();
        var between = Now;
        When(Report(C, Sights.Absent)); // Time passes.
        When(Report(B, import.Header.Id, ImportEnded(Sights.Held)));
        var after = Now;

        var middle = At(between);
        middle.Holders.ShouldBeEmpty();
        (middle.Claimant, middle.Epoch).ShouldBe((B, new Epoch(2)));
        At(after).Holders.ShouldHaveSingleItem().Host.ShouldBe(B);
        At(History[1].Stamp.ObservedAt).Holders.ShouldHaveSingleItem().Host.ShouldBe(A);
    }

    [Fact]
    public void Two_holders_are_both_named()
    {
        Given(HeldBy(A, Sights.HeldWithoutMultihost)).When(Report(B, Sights.HeldWithoutMultihost));

        At(Now).Holders.Select(h => h.Host).ShouldBe([A, B]);
    }

    [Fact]
    public void What_arrived_late_counts_where_it_happened()
    {
        Given(HeldBy(A)).When(Report(A, Sights.Absent));
        var absent = Now;
        var late = new HostReport(Tank, TankName, B, Cluster[B].Boot, null, "root", [new HostFact.Observed(1, absent, Sights.Held)]);

        When(late);

        Pool.Holder().ShouldBeNull("a late fact never changes the present");
        At(absent).Holders.ShouldHaveSingleItem().Host.ShouldBe(B);
    }

    [Fact]
    public void A_holder_that_was_lost_is_named_with_doubt()
    {
        Given(HeldBy(A)).When(Lost(A));

        At(Now).Holders.ShouldHaveSingleItem().Doubtful.ShouldBeTrue();
    }
}
