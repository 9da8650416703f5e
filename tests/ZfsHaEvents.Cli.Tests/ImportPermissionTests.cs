using Shouldly;
using Xunit;
using ZfsHaEvents.Cli.OnHost;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Domain.Views;

namespace ZfsHaEvents.Cli.Tests;

public class ImportPermissionTests
{
    static readonly HostName Here = new("a");
    static readonly PoolLabel Label = new(LabelState.Exported, "tank1", new(0xb), "b", 10, MmpActive: true, 2, 2);

    [Fact]
    public void A_pool_that_nobody_holds_may_be_imported() => Why(Pool(Sees("b", PoolPresence.Absent))).ShouldBeNull();

    [Theory]
    [InlineData(PoolPresence.ReadWrite, false)]
    [InlineData(PoolPresence.Imported, false)]
    [InlineData(PoolPresence.ReadWrite, true)]
    public void A_pool_that_another_host_holds_or_held_when_it_was_lost_may_not_be_imported_whatever_the_reason(PoolPresence presence, bool stale) =>
        Why(Pool(Sees("b", presence) with { Stale = stale }), reason: "I know better").ShouldBe("HeldElsewhere");

    [Fact]
    public void A_pool_on_the_move_may_not_be_imported() => Why(Pool() with { Move = new RequestId("so-1") }, reason: "I know better").ShouldBe("MoveInProgress");

    [Fact]
    public void A_claim_of_another_host_stands_until_that_host_is_seen_without_the_pool()
    {
        Why(Pool() with { Claimant = new HostName("b") }).ShouldBe("ClaimedElsewhere");
        Why(Pool(Sees("b", PoolPresence.Absent) with { Stale = true }) with { Claimant = new HostName("b") }).ShouldBe("ClaimedElsewhere");
        Why(Pool(Sees("b", PoolPresence.Absent)) with { Claimant = new HostName("b") }).ShouldBeNull();
    }

    [Fact]
    public void Another_hosts_import_that_may_yet_take_effect_forbids_one_here_whatever_the_reason()
    {
        var (told, typed) = (Pool() with { OutstandingImport = Order("b") }, Pool() with { TypedImports = [new(new("b"), "mary")] });
        Why(told, reason: "I know better").ShouldBe("ImportOutstanding");
        Why(typed, reason: "I know better").ShouldBe("ImportOutstanding");
        ImportPermission.Refusal(told, Here, "I know better")!.Advice.ShouldContain("zfsha confirm-fencing 1 b");
        ImportPermission.Refusal(typed, Here, "I know better")!.Message.ShouldContain("mary");
    }

    [Fact]
    public void An_import_of_this_host_that_may_yet_take_effect_is_waited_for_by_the_host_lock()
    {
        Why(Pool() with { OutstandingImport = Order("a") }).ShouldBeNull();
        Why(Pool() with { TypedImports = [new(Here, "mary")] }).ShouldBeNull();
    }

    [Fact]
    public void A_halted_pool_may_be_imported_only_for_a_reason()
    {
        Why(Pool() with { Halt = "looked odd" }).ShouldBe("HaltNotAcknowledged");
        Why(Pool() with { Halt = "looked odd" }, reason: "looked at all hosts").ShouldBeNull();
    }

    [Fact]
    public void Without_a_server_multihost_must_be_proven_on_and_be_asked()
    {
        WhyBlind(Label).ShouldBeNull();
        WhyBlind(null).ShouldBe("MultihostNotProven");
        WhyBlind(Label with { MmpActive = false }).ShouldBe("MultihostNotProven");
        WhyBlind(Label with { HostId = new(0xa) }).ShouldBe("MultihostNotAsked");
    }

    static OutstandingImport Order(string host) => new(new(host), new("so-1/Import/1"), new(3), new(Guid.NewGuid()), new(Guid.NewGuid()), Begun: true);

    static HostSight Sees(string host, PoolPresence presence) => new(new(host), presence, PoolHealth.Online, default, Stale: false, default);

    static PoolOwnership Pool(params HostSight[] hosts) => new(
        new(1), new("tank1"), null, null, new(3), PoolHealth.Unknown, true, true, [], [], hosts, null, null, PoolPolicy.Default, false, OutstandingImport: null, TypedImports: [], 9);

    static string? Why(PoolOwnership pool, string? reason = null) => ImportPermission.Refusal(pool, Here, reason)?.Reason;

    static string? WhyBlind(PoolLabel? label) => ImportPermission.RefusalBlind("tank1", label, new(0xa), "the server does not answer")?.Reason;
}
