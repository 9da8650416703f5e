using System.Text.Json.Nodes;
using Shouldly;
using Xunit;

namespace ZfsHaEvents.Store.Tests;

/// <summary>
/// What everything above the store relies on. It runs unchanged on the in-memory twin and on PostgreSQL; where they differ, one of
/// them is wrong.
/// </summary>
public abstract partial class StoreContract
{
    protected const string Stream = "pool-1234567890";

    /// <summary>Longer than any test takes, however busy the machine is: nothing taken for so long comes back by itself.</summary>
    protected static readonly TimeSpan Ages = TimeSpan.FromMinutes(10);

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    protected abstract IEventStore Store { get; }

    protected abstract IMessageQueue Queue { get; }

    protected abstract ILeases Leases { get; }

    /// <summary>Lets time pass by the clock that leases and due times go by.</summary>
    protected abstract Task PassAsync(TimeSpan time);

    protected static NewEvent Event(string json = """{"Host":"a"}""", string type = "pool_observed", string host = "a", DateTimeOffset? at = null, string actor = "zfsha-agent", string? correlation = null) => new(
        Guid.NewGuid(), type, "ZfsHaEvents.Domain.Pools.PoolObserved, ZfsHaEvents.Domain", json, $$"""{"host":"{{host}}"}""",
        at ?? new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero), actor, correlation);

    protected static NewMessage Message(string? subject = null, string queue = "server", string text = "hello", TimeSpan delay = default)
    {
        var body = new JsonObject { ["specversion"] = "1.0", ["id"] = text };
        if (subject is not null) body["subject"] = subject;
        return new(Guid.NewGuid(), queue, body.ToJsonString(), delay);
    }

    protected static string TextOf(ClaimedMessage message) => (string)JsonNode.Parse(message.Json)!["id"]!;

    protected async Task<Commit> CommitOnAsync(string stream, params NewEvent[] events)
    {
        var read = await Store.LoadAsync(stream, Cancellation);
        return new(stream, "pool", read.Version, read.Now, "http#42") { Events = events };
    }

    protected async Task AppendAsync(params NewEvent[] events) =>
        (await Store.CommitAsync(await CommitOnAsync(Stream, events), Cancellation)).ShouldBe(CommitResult.Committed);

    protected async Task SendAsync(params NewMessage[] messages) => await Queue.SendAsync(messages, completes: null, Cancellation);

    protected async Task<IReadOnlyList<ClaimedMessage>> ClaimAsync(int max = 10, string queue = "server") => await Queue.ClaimAsync(queue, max, Ages, Cancellation);

    protected async Task<ClaimedMessage> ClaimOneAsync(string queue = "server") => (await ClaimAsync(1, queue)).ShouldHaveSingleItem();

    protected static void ShouldSayTheSame(string json, string expected) =>
        JsonNode.DeepEquals(JsonNode.Parse(json), JsonNode.Parse(expected)).ShouldBeTrue($"{json} should say the same as {expected}");
}
