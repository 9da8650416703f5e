using Shouldly;
using Xunit;

namespace ZfsHaEvents.Store.Tests;

public abstract partial class StoreContract
{
    static readonly DateTimeOffset Eight = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task What_was_known_at_an_instant_is_the_last_of_each_by_the_clocks_of_those_who_saw_it()
    {
        await AppendAsync(
            Event(type: "begun", host: "c", at: Eight.AddMinutes(-5)), // 1
            Event(type: "saw", host: "a", at: Eight), // 2
            Event(type: "saw", host: "b", at: Eight.AddMinutes(1)), // 3
            Event(type: "imported", host: "a", at: Eight.AddMinutes(2)), // 4
            Event(type: "claimed", host: "s", at: Eight.AddMinutes(3)), // 5
            Event(type: "doubt", host: "s", at: Eight.AddMinutes(3)), // 6
            Event(type: "claimed", host: "s", at: Eight.AddMinutes(10)), // 7
            Event(type: "doubt", host: "s", at: Eight.AddMinutes(4)), // 8
            Event(type: "saw", host: "a", at: Eight.AddMinutes(1)), // 9, late
            Event(type: "saw", host: "b", at: Eight.AddMinutes(20)), // 10
            Event(type: "other", host: "a", at: Eight.AddMinutes(3))); // 11

        (await AsOfAsync(Eight.AddMinutes(5))).ShouldBe([1, 3, 4, 5]);
        (await AsOfAsync(Eight.AddMinutes(1))).ShouldBe([1, 3, 9]);
        (await AsOfAsync(Eight.AddMinutes(-1))).ShouldBe([1]);
        (await AsOfAsync(Eight.AddMinutes(-10))).ShouldBeEmpty();
        (await AsOfAsync(DateTimeOffset.MaxValue)).ShouldBe([1, 4, 7, 10]);
    }

    [Fact]
    public async Task Of_what_was_seen_at_the_same_last_instant_all_is_there()
    {
        await AppendAsync(Event(type: "saw", at: Eight), Event(type: "saw", at: Eight), Event(type: "saw", at: Eight.AddSeconds(-1)));
        (await AsOfAsync(Eight)).ShouldBe([1, 2, 3]); // The third as the one observed first.
    }

    /// <summary>A standby that took over may have a clock behind that of the database before.</summary>
    [Fact]
    public async Task What_was_decided_last_is_the_last_in_the_stream_although_its_clock_was_behind()
    {
        await AppendAsync(Event(type: "claimed", at: Eight), Event(type: "claimed", at: Eight.AddMinutes(30)), Event(type: "claimed", at: Eight.AddMinutes(5)), Event(type: "claimed", at: Eight.AddMinutes(6)));
        (await AsOfAsync(Eight.AddMinutes(40))).ShouldBe([1, 4]);
        (await AsOfAsync(Eight.AddMinutes(5))).ShouldBe([1, 3]);
        (await AsOfAsync(DateTimeOffset.MaxValue)).ShouldBe([1, 4]);
    }

    async Task<IEnumerable<long>> AsOfAsync(DateTimeOffset at) => (await Store.AsOfAsync(new(Stream, at, ["saw", "imported"], ["claimed"]), Cancellation)).Select(e => e.Version);
}
