using Shouldly;
using Xunit;

namespace ZfsHaEvents.Store.Tests;

public abstract partial class StoreContract
{
    static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    /// <summary>A gap that no test leaves between two beats of the watch.</summary>
    static readonly TimeSpan NoGap = TimeSpan.FromDays(30);

    async Task<CommitResult> ChangeAsync(LeaseChange change) =>
        await Store.CommitAsync((await CommitOnAsync($"host-{change.Holder}", Event())) with { Lease = change }, Cancellation);

    async Task<Guid> GrantAsync(string holder = "a", TimeSpan? duration = null)
    {
        var session = Guid.NewGuid();
        (await ChangeAsync(new LeaseChange.Grant(holder, session, duration ?? Ages, $$"""{"HostId":"{{holder}}"}"""))).ShouldBe(CommitResult.Committed);
        return session;
    }

    async Task<Lease> LeaseAsync(string holder = "a") => (await Store.LoadAsync(Stream, Cancellation)).Leases.Single(l => l.Holder == holder);

    [Fact]
    public async Task A_lease_that_was_never_granted_cannot_be_renewed()
    {
        Leases.Renew("a", Guid.NewGuid()).ShouldBeFalse();
        (await Leases.WatchAsync(NoGap, Cancellation)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_granted_lease_is_alive_and_comes_with_any_stream_that_is_read()
    {
        var before = (await Store.LoadAsync(Stream, Cancellation)).Now;
        var a = await GrantAsync();
        var b = await GrantAsync("b");

        var leases = (await Store.LoadAsync(Stream, Cancellation)).Leases.OrderBy(l => l.Holder, StringComparer.Ordinal).ToList();
        leases.Select(l => (l.Holder, l.Session, l.Alive, l.Lost)).ShouldBe([("a", a, true, false), ("b", b, true, false)]);
        leases[0].RenewedAt.ShouldBeGreaterThanOrEqualTo(before);
        ShouldSayTheSame(leases[0].Attributes, """{"HostId":"a"}""");
    }

    [Fact]
    public async Task A_lease_renewed_in_time_stays_alive()
    {
        var session = await GrantAsync();
        for (var i = 0; i < 3; i++)
        {
            await PassAsync(Ages - Minute);
            Leases.Renew("a", session).ShouldBeTrue();
            (await Leases.WatchAsync(NoGap, Cancellation)).ShouldBeEmpty();
        }

        (await LeaseAsync()).Alive.ShouldBeTrue();
    }

    [Fact]
    public async Task A_lease_of_another_session_cannot_be_renewed()
    {
        var old = await GrantAsync();
        var present = await GrantAsync();

        Leases.Renew("a", old).ShouldBeFalse();
        Leases.Renew("b", present).ShouldBeFalse();
        Leases.Renew("a", present).ShouldBeTrue();
        (await LeaseAsync()).Session.ShouldBe(present);
    }

    [Fact]
    public async Task A_lease_that_was_not_renewed_runs_out_and_is_reported_until_somebody_declares_it_lost()
    {
        await Leases.WatchAsync(NoGap, Cancellation);
        var session = await GrantAsync();
        var renewed = (await LeaseAsync()).RenewedAt;
        await PassAsync(Ages + Minute);

        (await LeaseAsync()).Alive.ShouldBeTrue("only the watch knows whether it was itself away");
        for (var i = 0; i < 2; i++)
        {
            var expired = (await Leases.WatchAsync(NoGap, Cancellation)).ShouldHaveSingleItem();
            (expired.Holder, expired.Session, expired.RenewedAt, expired.LeaseSeconds).ShouldBe(("a", session, renewed, Ages.TotalSeconds));
        }

        (await ChangeAsync(new LeaseChange.Lose("a", session))).ShouldBe(CommitResult.Committed);
        (await Leases.WatchAsync(NoGap, Cancellation)).ShouldBeEmpty();
        var lost = await LeaseAsync();
        (lost.Lost, lost.Alive).ShouldBe((true, false));
    }

    [Fact]
    public async Task A_lost_lease_cannot_be_renewed_and_a_new_session_gets_a_new_one()
    {
        var session = await GrantAsync();
        await PassAsync(Ages + Minute);
        await ChangeAsync(new LeaseChange.Lose("a", session));

        Leases.Renew("a", session).ShouldBeFalse();
        var next = await GrantAsync();
        Leases.Renew("a", next).ShouldBeTrue();
        (await LeaseAsync()).Alive.ShouldBeTrue();
    }

    [Fact]
    public async Task A_lease_renewed_after_it_ran_out_and_before_the_declaration_is_not_lost()
    {
        var session = await GrantAsync();
        await PassAsync(Ages + Minute);
        Leases.Renew("a", session).ShouldBeTrue();

        (await ChangeAsync(new LeaseChange.Lose("a", session))).ShouldBe(CommitResult.LeaseHeld);

        (await LeaseAsync()).Alive.ShouldBeTrue();
        (await Store.LoadAsync("host-a", Cancellation)).Version.ShouldBe(1); // The grant's event, and none of the loss.
    }

    [Fact]
    public async Task The_loss_of_an_older_session_does_not_take_the_newer_one_its_lease()
    {
        var old = await GrantAsync();
        await PassAsync(Ages + Minute);
        await GrantAsync();

        (await ChangeAsync(new LeaseChange.Lose("a", old))).ShouldBe(CommitResult.LeaseHeld);
        (await LeaseAsync()).Alive.ShouldBeTrue();
    }

    [Fact]
    public async Task A_loss_is_declared_once_however_many_watch()
    {
        var session = await GrantAsync();
        await PassAsync(Ages + Minute);
        var commit = (await CommitOnAsync("host-a", Event())) with { Lease = new LeaseChange.Lose("a", session) };

        var results = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Store.CommitAsync(commit, Cancellation))));

        results.Count(r => r is CommitResult.Committed).ShouldBe(1);
        (await Store.LoadAsync("host-a", Cancellation)).Version.ShouldBe(2);
    }

    [Fact]
    public async Task After_an_outage_of_the_watch_every_lease_has_its_full_time_again()
    {
        var gap = TimeSpan.FromHours(1);
        await Leases.WatchAsync(gap, Cancellation);
        var session = await GrantAsync();
        await PassAsync(gap + Minute); // Nobody could renew, and nobody watched.

        (await Leases.WatchAsync(gap, Cancellation)).ShouldBeEmpty();
        (await LeaseAsync()).Alive.ShouldBeTrue();
        (await ChangeAsync(new LeaseChange.Lose("a", session))).ShouldBe(CommitResult.LeaseHeld);

        await PassAsync(Ages - Minute);
        (await Leases.WatchAsync(gap, Cancellation)).ShouldBeEmpty();
        await PassAsync(Minute + Minute);
        (await Leases.WatchAsync(gap, Cancellation)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_watch_that_beats_in_time_gives_no_grace()
    {
        var gap = TimeSpan.FromHours(1);
        await Leases.WatchAsync(gap, Cancellation);
        await GrantAsync();
        await PassAsync(Ages - Minute);
        (await Leases.WatchAsync(gap, Cancellation)).ShouldBeEmpty();
        await PassAsync(Minute + Minute);

        (await Leases.WatchAsync(gap, Cancellation)).ShouldHaveSingleItem();
    }
}
