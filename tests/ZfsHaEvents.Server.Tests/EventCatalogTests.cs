using System.Text.Json.Nodes;
using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Store;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Server.Tests;

/// <summary>
/// Events whose shape has changed, in a catalogue that says so of a type of ours: <c>PoolRenamed</c>, as if its members had once been called otherwise.
/// Version 1 was <c>{"Names":["old","new"]}</c>, version 2 <c>{"Old":"old","To":"new"}</c>, and now it is <c>{"From":"old","To":"new"}</c>.
/// </summary>
public sealed class EventCatalogTests
{
    static readonly Upcaster One = new(1, body => new() { ["Old"] = (string?)body["Names"]![0], ["To"] = (string?)body["Names"]![1] });

    static readonly Upcaster Two = new(2, body =>
    {
        body["From"] = body["Old"]?.DeepClone();
        body.Remove("Old");
        return body;
    });

    static readonly EventCatalog Changed = new([new("pool_renamed", typeof(PoolRenamed), One, Two), new("pool_observed", typeof(PoolObserved))]);

    static readonly PoolRenamed Renamed = new(new("old"), new("new"));

    static readonly Stamp Stamp = new(DateTimeOffset.UnixEpoch, null, null, null, "alice", Late: false);

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    static StoredEvent Stored(string type, string json, long version = 1) => new("pool-1", version, Guid.NewGuid(), type, json, "{}", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, "alice", null, null);

    [Theory]
    [InlineData("pool_renamed", """{"Names":["old","new"]}""")]
    [InlineData("pool_renamed_v2", """{"Old":"old","To":"new"}""")]
    [InlineData("pool_renamed_v3", """{"From":"old","To":"new"}""")]
    public void Each_stored_version_is_read_as_the_newest(string type, string json) => Changed.ReadPoolEvent(Stored(type, json)).Event.ShouldBe(Renamed);

    [Fact]
    public void The_newest_version_is_what_is_written_and_what_was_written_is_read()
    {
        var written = Changed.Write(new Recorded<PoolEvent>(new(Guid.NewGuid()), 1, Stamp.ObservedAt, Stamp, Renamed), null, null);

        (written.Type, written.DotnetType).ShouldBe(("pool_renamed_v3", "ZfsHaEvents.Domain.Pools.PoolRenamed, ZfsHaEvents.Domain"));
        JsonNode.DeepEquals(JsonNode.Parse(written.Json), JsonNode.Parse("""{"From":"old","To":"new"}""")).ShouldBeTrue(written.Json);
        Changed.ReadPoolEvent(Stored(written.Type, written.Json)).Event.ShouldBe(Renamed);
    }

    /// <summary>Each with a body that another version would take.</summary>
    [Theory]
    [InlineData("pool_renamed", """{"From":"old","To":"new"}""")]
    [InlineData("pool_renamed", """{"Names":["old"]}""")]
    [InlineData("pool_renamed", """{"Names":["old","-not a pool-"]}""")]
    [InlineData("pool_renamed", """{"Names":{}}""")]
    [InlineData("pool_renamed", "[]")]
    [InlineData("pool_renamed", "null")]
    [InlineData("pool_renamed_v2", """{"Old":5,"To":"new"}""")]
    [InlineData("pool_renamed_v2", """{"Old":"old"}""")]
    [InlineData("pool_renamed_v3", """{"Old":"old","To":"new"}""")]
    [InlineData("pool_renamed_v4", """{"From":"old","To":"new"}""")]
    [InlineData("pool_renamed_v1", """{"Names":["old","new"]}""")]
    [InlineData("pool_renamed_v03", """{"From":"old","To":"new"}""")]
    public void What_an_upcaster_trips_over_or_makes_no_event_of_is_unknown(string type, string json) =>
        Changed.ReadPoolEvent(Stored(type, json)).Event.ShouldBe(new UnknownEvent(type));

    [Fact]
    public void An_upcaster_that_fails_makes_its_pool_refuse_and_no_other()
    {
        var broken = new EventCatalog([new("pool_renamed", typeof(PoolRenamed), new Upcaster(1, _ => throw new InvalidOperationException("a fault in it"))), new("pool_observed", typeof(PoolObserved))]);
        var seen = Codec.Write(new Recorded<PoolEvent>(new(Guid.NewGuid()), 1, Stamp.ObservedAt, Stamp, new PoolObserved(new("a"), World.Held)), null, null);
        StoredEvent[] history = [Stored(seen.Type, seen.Json), Stored("pool_renamed", "{}", 2), Stored(seen.Type, seen.Json, 3)];

        RefusalOn(broken, history).ShouldBe(Refusal.UnknownHistory);
        RefusalOn(broken, history[..1]).ShouldBe(Refusal.UnknownHost); // The first thing that stands in its way otherwise.
    }

    static Refusal RefusalOn(EventCatalog catalog, StoredEvent[] history)
    {
        var pool = history.Select(catalog.ReadPoolEvent).Aggregate(Pool.Initial(new(1)), (p, e) => p.Evolve(e));
        var context = new DecisionContext("move-1", DateTimeOffset.UnixEpoch, new(Guid.NewGuid()), new Dictionary<HostName, HostStanding>(), OrderTimes.Default);
        var request = new SwitchoverPool(new("move-1"), new("1"), new("b"), "alice");
        return request.Decide(pool, context).Events.Select(e => e.Event).OfType<SwitchoverRefused>().ShouldHaveSingleItem().Reason;
    }

    [Theory]
    [InlineData("pool_renamed")]
    [InlineData("pool_renamed_v2")]
    [InlineData("pool_renamed_v3")]
    public async Task A_history_asked_for_by_any_of_a_types_names_has_all_its_versions(string name)
    {
        var store = new InMemoryStore(new ManualClock());
        string[] types = ["pool_renamed", "pool_observed", "pool_renamed_v2", "pool_renamed_v3"];
        await store.CommitAsync(
            new("pool-1", "pool", 0, DateTimeOffset.UnixEpoch, null) { Events = [.. types.Select(t => new NewEvent(Guid.NewGuid(), t, "X", "{}", "{}", DateTimeOffset.UnixEpoch, "alice", null))] },
            Cancellation);

        var found = await store.QueryAsync(new("pool-1", Changed.NamesOf(name).ShouldNotBeNull(), null, null, null, null, 0, 10, NewestFirst: false), Cancellation);

        found.Select(e => e.Version).ShouldBe([1, 3, 4]);
        Changed.NamesOf("pool_renamed_v4").ShouldBeNull();
        Changed.NamesOf("pool_observed").ShouldBe(["pool_observed"]);
    }

    // ---- what is no catalogue ----------------------------------------------------------------------------------------

    static readonly Func<JsonObject, JsonObject> Same = body => body;

    public static TheoryData<string, EventType[]> Wrong => new()
    {
        { "'pool_renamed' lacks an upcaster: it has those from 2", [new("pool_renamed", typeof(PoolRenamed), new Upcaster(2, Same))] },
        { "'pool_renamed' lacks an upcaster: it has those from 1, 3", [new("pool_renamed", typeof(PoolRenamed), new Upcaster(1, Same), new Upcaster(3, Same))] },
        { "'pool_renamed' lacks an upcaster: it has those from 0, 1", [new("pool_renamed", typeof(PoolRenamed), new Upcaster(0, Same), new Upcaster(1, Same))] },
        { "'pool_renamed' has two upcasters from one version: 1, 1", [new("pool_renamed", typeof(PoolRenamed), new Upcaster(1, Same), new Upcaster(1, Same))] },
        { "the name 'pool_renamed' stands there twice", [new("pool_renamed", typeof(PoolRenamed)), new("pool_renamed", typeof(PoolObserved))] },
        { "PoolRenamed stands there twice, as 'pool_renamed' and as 'pool_called'", [new("pool_renamed", typeof(PoolRenamed)), new("pool_called", typeof(PoolRenamed))] },
        { "'pool_renamed_v2' is no event's name", [new("pool_renamed", typeof(PoolRenamed)), new("pool_renamed_v2", typeof(PoolObserved))] },
        { "'PoolRenamed' is no event's name", [new("PoolRenamed", typeof(PoolRenamed))] },
        { "'' is no event's name", [new("", typeof(PoolRenamed))] },
    };

    [Theory]
    [MemberData(nameof(Wrong), DisableDiscoveryEnumeration = true)]
    public void A_catalogue_that_would_read_or_write_something_wrong_is_not_made(string said, EventType[] types) =>
        Should.Throw<ArgumentException>(() => new EventCatalog(types)).Message.ShouldContain(said);

    [Fact]
    public void Upcasters_may_be_given_in_any_order() =>
        new EventCatalog([new("pool_renamed", typeof(PoolRenamed), Two, One)]).ReadPoolEvent(Stored("pool_renamed", """{"Names":["old","new"]}""")).Event.ShouldBe(Renamed);
}
