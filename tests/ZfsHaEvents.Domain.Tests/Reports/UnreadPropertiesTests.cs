using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests.Reports;

/// <summary>
/// <c>zpool get</c> answers late on a busy host, and not at all while an activity check runs there. What could not be read is then no
/// news: without this each such moment is two events for each pool of the host.
/// </summary>
public sealed class UnreadPropertiesTests : Spec
{
    [Fact]
    public void A_held_pool_whose_properties_do_not_answer_is_no_news()
    {
        Given(HeldBy(A)).When(Report(A, Sights.HeldInDoubt)).ThenNothing();
    }

    [Fact]
    public void A_change_of_health_is_news_and_unsays_none_of_the_properties()
    {
        Given(HeldBy(A)).When(Report(A, Sights.HeldInDoubt with { Health = PoolHealth.Degraded })).Then("PoolObserved PoolHealthChanged");

        Pool.Sightings[A].Sight.SameAs(Sights.Degraded).ShouldBeTrue();
        Pool.Sightings[A].Sight.Presence.ShouldBe(PoolPresence.ReadWrite);
    }

    [Fact]
    public void A_pool_that_was_read_only_counts_as_held_once_that_cannot_be_read()
    {
        When(Report(A, Sights.HeldReadOnly)).When(Report(A, Sights.HeldInDoubt));

        Pool.Sightings[A].Sight.Presence.ShouldBe(PoolPresence.Imported);
        Pool.Holder().ShouldBe(A);
    }

    [Fact]
    public void A_pool_whose_properties_answer_at_last_is_news()
    {
        When(Report(A, Sights.HeldInDoubt)).When(Report(A, Sights.Held)).Then("PoolObserved");

        Pool.Sightings[A].Sight.Presence.ShouldBe(PoolPresence.ReadWrite);
    }
}
