using Shouldly;
using Xunit;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Pools;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Domain.Views;

namespace ZfsHaEvents.Cli.Tests;

public class OwnerAnswerTests
{
    static readonly PoolReference Tank = new("tank1");

    [Fact]
    public void One_holder_beyond_doubt_is_exit_code_0() => Ask(claimant: "a", Holder("a")).ShouldBe((0, "tank1 is held by a (epoch 7)"));

    [Fact]
    public void A_holder_that_has_not_the_claim_is_named_with_who_has_it() =>
        Ask(claimant: "b", Holder("a")).ShouldBe((0, "tank1 is held by a; b has the claim (epoch 7)"));

    [Fact]
    public void No_holder_is_exit_code_3() => Ask(claimant: null).ShouldBe((3, "tank1 is held by nobody (epoch 7)"));

    [Fact]
    public void Two_holders_are_exit_code_4() =>
        Ask(claimant: "a", Holder("a"), Holder("b")).ShouldBe((4, "tank1 is imported read-write on a and b at once (epoch 7)"));

    [Fact]
    public void A_holder_that_was_lost_leaves_it_in_doubt_who_holds_the_pool() => Ask(claimant: "b", Holder("a") with { Doubtful = true }, Holder("b"))
        .ShouldBe((4, "tank1 is held by b; in doubt: a may hold it, and has not reported since (epoch 7)"));

    [Fact]
    public void A_suspended_copy_beside_a_holder_is_no_second_holder() => Ask(claimant: "b", Holder("a") with { Health = PoolHealth.Suspended }, Holder("b")).Code.ShouldBe(0);

    [Fact]
    public void Before_anything_was_known_nobody_held_it() =>
        OwnerAnswer.Of(new OwnerAt(new(1), null, default, Known: false, null, Epoch.None, []), Tank).Sentence.ShouldBe("tank1 was not known yet (epoch 0)");

    [Fact]
    public void The_servers_own_answers_are_understood()
    {
        OwnerAnswer.ExitCode(OwnerAnswer.Of(Canned.Read("owner", ApiJson.Default.OwnerAt), Tank)).ShouldBe(ExitCodes.Doubt);
        OwnerAnswer.ExitCode(OwnerAnswer.Of(Canned.Read("pool-in-conflict", ApiJson.Default.PoolOwnership), default)).ShouldBe(ExitCodes.Doubt);
    }

    static HolderAt Holder(string host) => new(new(host), PoolHealth.Online, default, default, Doubtful: false);

    static (int Code, string Sentence) Ask(string? claimant, params HolderAt[] holders)
    {
        var answer = OwnerAnswer.Of(new OwnerAt(new(1), new("tank1"), default, Known: true, claimant is null ? null : new HostName(claimant), new(7), holders), Tank);
        return (OwnerAnswer.ExitCode(answer), answer.Sentence);
    }
}
