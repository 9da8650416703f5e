using Shouldly;
using Xunit;

namespace ZfsHaEvents.Store.Tests;

/// <summary>Windows and instants when events come late, clocks jump, and several happen in the same moment.</summary>
public abstract partial class StoreContract
{
    [Fact]
    public async Task A_window_holds_what_came_late_into_it_and_not_what_came_late_from_before()
    {
        await AppendAsync(
            Event(at: Noon), // 1
            Event(at: Noon.AddHours(1)), // 2
            Event(at: Noon.AddHours(2)), // 3
            Event(at: Noon.AddMinutes(5), host: "b"), // 4, late
            Event(at: Noon.AddHours(2).AddMinutes(-9)), // 5, out of order but not late
            Event(at: Noon.AddHours(2).AddMinutes(-10)), // 6, by the ten minutes exactly
            Event(at: Noon.AddHours(-3), type: "claimed"), // 7, late
            Event(at: Noon.AddHours(4))); // 8

        (await VersionsAsync(All with { From = Noon, To = Noon.AddHours(1) })).ShouldBe([1, 2, 4]);
        (await VersionsAsync(All with { From = Noon, To = Noon.AddHours(1), NewestFirst = true })).ShouldBe([4, 2, 1]);
        (await VersionsAsync(All with { From = Noon, To = Noon.AddHours(1), NewestFirst = true, Limit = 2 })).ShouldBe([4, 2]);
        (await VersionsAsync(All with { From = Noon, To = Noon.AddHours(1), Limit = 2 })).ShouldBe([1, 2]);
        (await VersionsAsync(All with { From = Noon, To = Noon.AddHours(1), AfterVersion = 2 })).ShouldBe([4]);
        (await VersionsAsync(All with { From = Noon, To = Noon.AddHours(1), AfterVersion = 4 })).ShouldBeEmpty();
        (await VersionsAsync(All with { From = Noon, To = Noon.AddHours(1), Host = "b" })).ShouldBe([4]);
        (await VersionsAsync(All with { From = Noon.AddHours(1.8), To = Noon.AddHours(2) })).ShouldBe([3, 5, 6]);
        (await VersionsAsync(All with { From = Noon.AddHours(1.8), To = Noon.AddHours(1.84) })).ShouldBe([6]);
        (await VersionsAsync(All with { To = Noon.AddHours(-1) })).ShouldBe([7]);
        (await VersionsAsync(All with { To = Noon.AddHours(-1), Types = ["pool_observed"] })).ShouldBeEmpty();
        (await VersionsAsync(All with { From = Noon.AddHours(3) })).ShouldBe([8]);
        (await VersionsAsync(All with { From = Noon.AddHours(5) })).ShouldBeEmpty();
        (await VersionsAsync(All with { From = Noon.AddHours(1), To = Noon })).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_clock_that_was_a_year_ahead_for_a_while_hides_nothing()
    {
        await AppendAsync(
            Event(at: Noon, type: "saw"), // 1
            Event(at: Noon.AddDays(365), type: "saw", host: "b"), // 2
            Event(at: Noon.AddMinutes(1), type: "saw"), // 3
            Event(at: Noon.AddMinutes(2), type: "claimed"), // 4
            Event(at: Noon.AddMinutes(3), type: "doubt"), // 5
            Event(at: Noon.AddMinutes(4), type: "saw", host: "b")); // 6

        (await VersionsAsync(All with { From = Noon.AddMinutes(1), To = Noon.AddMinutes(3) })).ShouldBe([3, 4, 5]);
        (await VersionsAsync(All with { From = Noon.AddMinutes(1), To = Noon.AddMinutes(3), NewestFirst = true, Limit = 2 })).ShouldBe([5, 4]);
        (await VersionsAsync(All with { From = Noon.AddMinutes(2) })).ShouldBe([2, 4, 5, 6]);
        (await VersionsAsync(All with { To = Noon.AddMinutes(4), Host = "b" })).ShouldBe([6]);
        (await AsOfAsync(Noon)).ShouldBe([1]);
        (await AsOfAsync(Noon.AddMinutes(3))).ShouldBe([1, 3, 4]);
        (await AsOfAsync(Noon.AddMinutes(4))).ShouldBe([1, 3, 4, 6]);
        (await AsOfAsync(Noon.AddDays(366))).ShouldBe([1, 2, 3, 4]);
    }

    [Fact]
    public async Task Of_several_types_each_is_found_in_its_place()
    {
        await AppendAsync([.. Enumerable.Range(0, 12).Select(i => Event(at: Noon.AddMinutes(i), type: $"t{i % 3}", host: i % 2 == 0 ? "a" : "b"))]);

        (await VersionsAsync(All with { Types = ["t0", "t2", "t0", "none"] })).ShouldBe([1, 3, 4, 6, 7, 9, 10, 12]);
        (await VersionsAsync(All with { Types = ["t2", "t0"], NewestFirst = true, Limit = 3 })).ShouldBe([12, 10, 9]);
        (await VersionsAsync(All with { Types = ["t2", "t0"], Limit = 3, AfterVersion = 3, To = Noon.AddMinutes(6) })).ShouldBe([4, 6, 7]);
        (await VersionsAsync(All with { Types = ["t0"], Host = "b", From = Noon.AddMinutes(1) })).ShouldBe([4, 10]);
        (await VersionsAsync(All with { Types = ["t0", "t1"], Host = "a", From = Noon.AddMinutes(1), NewestFirst = true })).ShouldBe([11, 7, 5]);
    }

    [Fact]
    public async Task The_first_by_the_clock_tells_that_a_stream_had_begun_whichever_version_it_is()
    {
        await AppendAsync(Event(at: Noon), Event(at: Noon.AddMinutes(-5)), Event(at: Noon.AddMinutes(-5)), Event(at: Noon.AddDays(1)), Event(at: Noon.AddMinutes(-8)));

        (await AsOfAsync(Noon.AddMinutes(-9))).ShouldBeEmpty();
        (await AsOfAsync(Noon.AddMinutes(-5))).ShouldBe([5]);
        await AppendAsync(Event(at: Noon.AddMinutes(-30)));
        (await AsOfAsync(Noon.AddMinutes(-9))).ShouldBe([6]);
        (await Store.AsOfAsync(new("pool-3", Noon, ["saw"], ["claimed"]), Cancellation)).ShouldBeEmpty();
    }

    /// <summary>Against the plainest reading of what is asked: every event looked at, one by one.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task What_is_found_is_what_looking_at_every_event_finds(int seed)
    {
        var draw = new Random(seed);
        string[] types = ["saw", "imported", "claimed", "released", "doubt", "fenced", "other"], hosts = ["a", "b", "c", "d"];
        T One<T>(T[] of) => of[draw.Next(of.Length)];
        var plain = new InMemoryStore(TimeProvider.System);
        var now = Noon;
        for (var batch = 0; batch < 10; batch++)
        {
            NewEvent Next()
            {
                now += TimeSpan.FromSeconds(draw.Next(4) * 40);
                var at = draw.Next(120) switch
                {
                    0 when seed > 1 => now.AddDays(draw.Next(3)), // A clock ahead; all that follows counts as late.
                    < 8 => now.AddMinutes(-draw.Next(180)),
                    < 30 => now.AddSeconds(-draw.Next(600)),
                    _ => now,
                };
                return Event(type: One(types), host: One(hosts), at: at, correlation: draw.Next(3) == 0 ? "move-1" : null) with { HeadersJson = draw.Next(5) == 0 ? "{}" : $$"""{"host":"{{One(hosts)}}"}""" };
            }

            var events = Enumerable.Range(0, 60).Select(_ => Next()).ToArray();
            await AppendAsync(events);
            (await plain.CommitAsync(new(Stream, "pool", batch * 60, Noon, "http#42") { Events = events }, Cancellation)).ShouldBe(CommitResult.Committed);
        }

        var all = (await plain.LoadAsync(Stream, Cancellation)).Events;
        DateTimeOffset Instant() => all[draw.Next(all.Count)].ObservedAt.AddSeconds(draw.Next(3) - 1);
        for (var i = 0; i < 150; i++)
        {
            var query = new EventQuery(
                Stream, [.. types.Where(_ => draw.Next(6) == 0)], draw.Next(3) == 0 ? One(hosts) : null, draw.Next(5) == 0 ? "move-1" : null,
                draw.Next(2) == 0 ? Instant() : null, draw.Next(2) == 0 ? Instant() : null, draw.Next(3) == 0 ? draw.Next(all.Count) : 0, 1 + draw.Next(40), draw.Next(2) == 0);
            (await VersionsAsync(query)).ShouldBe((await plain.QueryAsync(query, Cancellation)).Select(e => e.Version), $"query {i}: {query}, types {string.Join(' ', query.Types)}");

            var known = new AsOfQuery(Stream, Instant(), ["saw", "imported"], ["claimed", "released"]);
            (await Store.AsOfAsync(known, Cancellation)).Select(e => e.Version).ShouldBe((await plain.AsOfAsync(known, Cancellation)).Select(e => e.Version), $"query {i}: {known}");
        }
    }
}
