using Shouldly;
using Xunit;

namespace ZfsHaEvents.Store.Tests;

public abstract partial class StoreContract
{
    static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    static readonly EventQuery All = new(Stream, [], Host: null, Correlation: null, From: null, To: null, AfterVersion: 0, Limit: 100, NewestFirst: false);

    async Task<IReadOnlyList<long>> VersionsAsync(EventQuery query) => [.. (await Store.QueryAsync(query, Cancellation)).Select(e => e.Version)];

    async Task GivenAHistoryAsync()
    {
        await AppendAsync(
            Event(type: "pool_discovered", host: "a", at: Noon),
            Event(type: "import_started", host: "b", at: Noon.AddMinutes(1), correlation: "move-1"),
            Event(type: "import_succeeded", host: "b", at: Noon.AddMinutes(2), correlation: "move-1"),
            Event(type: "pool_observed", host: "a", at: Noon.AddMinutes(-30)), // Late: it happened before all of these.
            Event(type: "import_started", host: "a", at: Noon.AddMinutes(5), correlation: "move-2") with { HeadersJson = "{}" });
        await Store.CommitAsync(await CommitOnAsync("pool-2", Event(at: Noon, correlation: "move-1")), Cancellation);
    }

    [Fact]
    public async Task A_history_can_be_read_whole_or_newest_first()
    {
        await GivenAHistoryAsync();

        (await VersionsAsync(All)).ShouldBe([1, 2, 3, 4, 5]);
        (await VersionsAsync(All with { NewestFirst = true })).ShouldBe([5, 4, 3, 2, 1]);
        (await VersionsAsync(All with { Stream = "pool-3" })).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_history_tells_what_the_stream_tells()
    {
        await GivenAHistoryAsync();

        (await Store.QueryAsync(All, Cancellation)).ShouldBe((await Store.LoadAsync(Stream, Cancellation)).Events);
    }

    [Fact]
    public async Task A_history_can_be_narrowed_by_type_host_and_request()
    {
        await GivenAHistoryAsync();

        (await VersionsAsync(All with { Types = ["import_started"] })).ShouldBe([2, 5]);
        (await VersionsAsync(All with { Types = ["import_started", "pool_observed"] })).ShouldBe([2, 4, 5]);
        (await VersionsAsync(All with { Host = "a" })).ShouldBe([1, 4]);
        (await VersionsAsync(All with { Host = "'; drop table zfsha.mt_events; --" })).ShouldBeEmpty();
        (await VersionsAsync(All with { Correlation = "move-1" })).ShouldBe([2, 3]);
        (await VersionsAsync(All with { Types = ["import_started"], Host = "b", Correlation = "move-1" })).ShouldBe([2]);
        (await VersionsAsync(All with { Types = ["import_started"], Correlation = "none" })).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_history_can_be_narrowed_by_when_it_was_observed_both_ends_included()
    {
        await GivenAHistoryAsync();

        (await VersionsAsync(All with { From = Noon.AddMinutes(1) })).ShouldBe([2, 3, 5]);
        (await VersionsAsync(All with { To = Noon.AddMinutes(1) })).ShouldBe([1, 2, 4]);
        (await VersionsAsync(All with { From = Noon, To = Noon.AddMinutes(2) })).ShouldBe([1, 2, 3]);
        (await VersionsAsync(All with { From = Noon.ToOffset(TimeSpan.FromHours(5)), To = Noon.ToOffset(TimeSpan.FromHours(-8)) })).ShouldBe([1]);
        (await VersionsAsync(All with { From = DateTimeOffset.MinValue, To = DateTimeOffset.MaxValue })).ShouldBe([1, 2, 3, 4, 5]);
    }

    [Fact]
    public async Task A_history_can_be_read_page_by_page_and_followed()
    {
        await GivenAHistoryAsync();

        (await VersionsAsync(All with { Limit = 2 })).ShouldBe([1, 2]);
        (await VersionsAsync(All with { Limit = 2, AfterVersion = 2 })).ShouldBe([3, 4]);
        (await VersionsAsync(All with { Limit = 2, AfterVersion = 4 })).ShouldBe([5]);
        (await VersionsAsync(All with { AfterVersion = 5 })).ShouldBeEmpty();
        (await VersionsAsync(All with { Limit = 2, NewestFirst = true })).ShouldBe([5, 4]);
        await AppendAsync(Event());
        (await VersionsAsync(All with { AfterVersion = 5 })).ShouldBe([6]);
    }
}
