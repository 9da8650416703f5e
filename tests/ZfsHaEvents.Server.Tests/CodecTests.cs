using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Server.Tests;

/// <summary>The stored format and the format on the bus: frozen, complete, readable by anybody.</summary>
public sealed partial class CodecTests
{
    static readonly Stamp Stamp = (Stamp)Sample.Of(typeof(Stamp));

    public static IEnumerable<TheoryDataRow<string, Type>> Events => Codec.Catalog.Types.Select(e => new TheoryDataRow<string, Type>(e.StoredName, e.Type));

    public static IEnumerable<TheoryDataRow<string, Type>> Messages => MessageTypes.All.Select(m => new TheoryDataRow<string, Type>(m.Name, m.Type));

    // ---- complete ----------------------------------------------------------------------------------------------------

    [Fact]
    public void Every_event_type_of_the_domain_has_a_stored_name_and_is_written_by_StoredJson()
    {
        Type[] read = [typeof(UnknownEvent), typeof(UnknownHostEvent)]; // What a foreign event is read as; never stored.
        var events = typeof(PoolEvent).Assembly.GetTypes().Where(t => !t.IsAbstract && (t.IsSubclassOf(typeof(PoolEvent)) || t.IsSubclassOf(typeof(HostEvent)))).Except(read).ToList();

        events.Count.ShouldBeGreaterThan(50);
        events.Except(Codec.Catalog.Types.Select(e => e.Type)).ShouldBeEmpty("types without a stored name");
        Codec.Catalog.Types.Select(e => e.Type).Except(events).ShouldBeEmpty("stored names of types that are no events");
        foreach (var type in events) StoredJson.Default.GetTypeInfo(type).ShouldNotBeNull($"StoredJson lacks {type.Name}");
    }

    [Fact]
    public void Every_message_type_of_the_domain_has_a_name_on_the_bus_and_is_written_by_BusJson()
    {
        Type[] inside = [typeof(LeaseExpired)]; // The lease watch decides it itself; it is on no queue.
        var messages = typeof(IPoolMessage).Assembly.GetTypes()
            .Where(t => t is { IsClass: true, IsAbstract: false } && (t.IsAssignableTo(typeof(IPoolMessage)) || t.IsAssignableTo(typeof(IHostMessage)) || t.IsAssignableTo(typeof(IOrder)))).Except(inside).ToList();

        messages.Count.ShouldBeGreaterThan(10);
        messages.Except(MessageTypes.All.Select(m => m.Type)).ShouldBeEmpty("types without a name on the bus");
        MessageTypes.All.Select(m => m.Type).Except(messages).ShouldBeEmpty("names of types that are no messages");
        foreach (var type in messages) BusJson.Default.GetTypeInfo(type).ShouldNotBeNull($"BusJson lacks {type.Name}");
    }

    [Fact]
    public void Every_fact_of_a_host_has_its_kind_on_the_wire()
    {
        var facts = typeof(HostFact).Assembly.GetTypes().Where(t => !t.IsAbstract && t.IsSubclassOf(typeof(HostFact))).ToList();
        var kinds = typeof(HostFact).GetCustomAttributes(typeof(System.Text.Json.Serialization.JsonDerivedTypeAttribute), inherit: false)
            .Cast<System.Text.Json.Serialization.JsonDerivedTypeAttribute>().Select(a => a.DerivedType);

        kinds.ShouldBe(facts, ignoreOrder: true);
    }

    [Fact]
    public void Stored_names_follow_Martens_rule_and_are_unique_and_without_digits()
    {
        foreach (var e in Codec.Catalog.Types) e.Alias.ShouldBe(Capital().Replace(e.Type.Name, "_$0").TrimStart('_').ToLowerInvariant());
        Codec.Catalog.Types.Select(e => e.Alias).ShouldBeUnique();
        Codec.Catalog.Types.ShouldAllBe(e => !e.Alias.Any(char.IsDigit));
    }

    [GeneratedRegex("[A-Z]")]
    private static partial Regex Capital();

    /// <summary>Events that say what happened and change nothing that is decided on.</summary>
    static readonly Type[] HistoryOnly =
    [
        typeof(ExportStarted), typeof(PoolLockTimedOut), typeof(PoolLockBroken), typeof(DisksWatched), typeof(PoolHealthChanged), typeof(OwnershipDisputed),
        typeof(SwitchoverRefused), typeof(FailoverRefused), typeof(HostReturned),
    ];

    [Theory]
    [MemberData(nameof(Events), DisableDiscoveryEnumeration = true)]
    public void Every_event_has_its_place_in_the_fold_and_changes_what_it_folds_into_or_is_history_only(string alias, Type type)
    {
        var changes = Sample.Of(type) switch
        {
            PoolEvent e => BusyPool.Evolve(Now(e)) with { Version = BusyPool.Version } != BusyPool,
            HostEvent e => LiveHost.Evolve(Now(e)) with { Version = LiveHost.Version } != LiveHost,
            _ => throw new InvalidOperationException($"{alias} is of no stream"),
        };

        changes.ShouldBe(!HistoryOnly.Contains(type));
    }

    static Recorded<T> Now<T>(T e) => new(new(Guid.NewGuid()), 9, Stamp.ObservedAt, Stamp with { Late = false }, e);

    static readonly Domain.Hosts.Host LiveHost = Domain.Hosts.Host.Initial(Stamp.Host!.Value) with { Status = HostStatus.Live };

    /// <summary>A pool about which everything is under way that an event may end or go on with.</summary>
    static readonly Pool BusyPool = Pool.Initial((PoolGuid)Sample.Of(typeof(PoolGuid))) with
    {
        Claimant = new("other"),
        Awaited = [new("other")],
        Conflict = [new("other")],
        Halt = new("halted", null, new(1)),
        OutstandingImport = new(Stamp.Host!.Value, SampleOrder, new(1), new(Guid.NewGuid()), Stamp.Boot!.Value, Begun: false),
        TypedImports = ImmutableSortedDictionary<HostName, TypedImport>.Empty.Add(Stamp.Host!.Value, new("root", Stamp.Boot!.Value, Stamp.Sequence!.Value - 1)),
        Move = new()
        {
            Id = SampleOrder.Request(),
            Kind = MoveKind.Failover,
            From = new("other"),
            To = Stamp.Host!.Value,
            RequestedBy = "alice",
            Reason = null,
            StartedAt = Stamp.ObservedAt,
            Steps = [new(MoveStep.ReadLabels, Stamp.Host, SampleOrder, null, 1, Stamp.ObservedAt, null, null, 0, "")],
        },
    };

    static OrderId SampleOrder => (OrderId)Sample.Of(typeof(OrderId));

    [Fact]
    public void The_bus_page_names_every_message_type()
    {
        var page = File.ReadAllText(Path.Combine(Golden.Folder(), "../../../docs/bus.md"));

        MessageTypes.All.Select(m => m.Name).Where(name => !page.Contains($"`{name}`", StringComparison.Ordinal)).ShouldBeEmpty();
        MessageTypes.All.Where(m => m.Type.IsAssignableTo(typeof(IRequest))).Select(m => m.Name).Where(name => !page.Contains($"\n| `{name}` | ", StringComparison.Ordinal)).ShouldBeEmpty("requests without a line in the table");
    }

    // ---- frozen ------------------------------------------------------------------------------------------------------

    [Theory]
    [MemberData(nameof(Events), DisableDiscoveryEnumeration = true)]
    public void An_event_is_stored_as_it_always_was(string alias, Type type)
    {
        var written = Write(Sample.Of(type));

        written.Type.ShouldBe(alias);
        written.DotnetType.ShouldBe($"{type.FullName}, ZfsHaEvents.Domain");
        Golden.ShouldBe($"events/{alias}.json", written.Json);
    }

    [Theory]
    [MemberData(nameof(Events), DisableDiscoveryEnumeration = true)]
    public void What_was_stored_is_read_in_full(string alias, Type type)
    {
        var read = Read(Golden.Read($"events/{alias}.json"), alias);

        read.Event.ShouldBeOfType(type);
        Write(read.Event).Json.ShouldBe(Write(Sample.Of(type)).Json);
    }

    [Fact]
    public void No_stored_shape_was_ever_taken_away()
    {
        Golden.Files("events").Except(Codec.Catalog.StoredNames).ShouldBeEmpty();
        Golden.Files("messages").Except(MessageTypes.All.Select(m => m.Name)).ShouldBeEmpty();
    }

    /// <summary>The list only ever grows: a name that was stored once stands in somebody's database.</summary>
    [Fact]
    public void Every_name_that_was_ever_stored_is_known_and_has_a_body_that_is_read_in_the_newest_shape()
    {
        var recorded = Golden.Read("aliases.txt").Split('\n', StringSplitOptions.RemoveEmptyEntries);

        recorded.ShouldBeUnique();
        recorded.Except(Codec.Catalog.StoredNames).ShouldBeEmpty("names that events are stored under, and that the catalogue lacks now");
        Codec.Catalog.StoredNames.Except(recorded).ShouldBeEmpty("new names: append them to Golden/aliases.txt");
        Golden.Files("events").ShouldBe(recorded, ignoreOrder: true, "every stored name has its body in Golden/events");
        foreach (var name in recorded)
        {
            var type = Codec.Catalog.Types.Single(t => t.StoredNames.Contains(name));
            Read(Golden.Read($"events/{name}.json"), name).Event.ShouldBeOfType(type.Type, name);
        }
    }

    [Theory]
    [MemberData(nameof(Messages), DisableDiscoveryEnumeration = true)]
    public void A_message_is_sent_as_it_always_was_and_read_in_full(string name, Type type)
    {
        var time = new DateTimeOffset(2026, 3, 1, 12, 30, 15, TimeSpan.Zero);
        var message = new BusMessage("move-1", "/runbooks/patch-day", "tank 1", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Sample.Of(type));
        Golden.ShouldBe($"messages/{name}.json", message.Write(time));

        var read = BusMessage.Read(Golden.Read($"messages/{name}.json"));
        read.Message.ShouldBeOfType(type);
        read.Write(time).ShouldBe(message.Write(time));
        (read.Id, read.Source, read.Subject, read.TraceParent).ShouldBe((message.Id, message.Source, message.Subject, message.TraceParent));
    }

    // ---- readable by anybody -----------------------------------------------------------------------------------------

    [Theory]
    [MemberData(nameof(Events), DisableDiscoveryEnumeration = true)]
    public void An_event_reads_and_writes_with_the_default_options_of_System_Text_Json(string alias, Type type)
    {
        var stored = Golden.Read($"events/{alias}.json");

        var read = JsonSerializer.Deserialize(stored, type);

        JsonSerializer.Serialize(read, type).ShouldBe(Write(Sample.Of(type)).Json);
        Members(JsonNode.Parse(stored)!).ShouldAllBe(m => char.IsUpper(m.Name[0]));
    }

    /// <summary>A stored number would change its meaning with the order of the enum's names.</summary>
    [Fact]
    public void Every_enum_that_is_stored_or_sent_is_written_by_name()
    {
        var enums = typeof(PoolEvent).Assembly.GetTypes().Where(t => t.IsEnum).ToList();

        enums.Count.ShouldBeGreaterThan(10);
        foreach (var type in enums) JsonSerializer.Serialize(Sample.Of(type), type).ShouldBe($"\"{Sample.Of(type)}\"");
    }

    static IEnumerable<(string Name, JsonNode? Value)> Members(JsonNode node) => node switch
    {
        JsonObject o => o.SelectMany(m => Members(m.Value ?? JsonValue.Create(0)).Prepend((m.Key, m.Value))),
        JsonArray a => a.SelectMany(i => Members(i ?? JsonValue.Create(0))),
        _ => [],
    };

    // ---- metadata ----------------------------------------------------------------------------------------------------

    [Fact]
    public void Everything_known_of_an_event_comes_back()
    {
        var stored = Stored(Write(Sample.Of(typeof(PoolObserved))));

        var read = Codec.ReadPoolEvent(stored);

        read.Stamp.ShouldBe(Stamp with { Late = true });
        (read.Id.Value, read.Version, read.RecordedAt).ShouldBe((stored.Id, stored.Version, stored.RecordedAt));
        JsonNode.DeepEquals(JsonNode.Parse(stored.HeadersJson), JsonNode.Parse(
            """{"host":"oss-1.example","boot":"0197a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b","sequence":17,"late":true,"traceparent":"00-trace"}""")).ShouldBeTrue(stored.HeadersJson);
    }

    // ---- what we did not write ---------------------------------------------------------------------------------------

    [Fact]
    public void An_event_of_a_type_we_do_not_know_is_read_as_unknown()
    {
        Read("""{"Anything":[1,2]}""", "pool_defragmented").Event.ShouldBe(new UnknownEvent("pool_defragmented"));
        Codec.ReadHostEvent(Stored("{}", "pool_defragmented")).Event.ShouldBe(new UnknownHostEvent("pool_defragmented"));
        Codec.ReadHostEvent(Stored(Write(Sample.Of(typeof(PoolObserved))))).Event.ShouldBe(new UnknownHostEvent("pool_observed")); // In the wrong stream.
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("5")]
    [InlineData("""{"host":"a","sight":{"presence":"ReadWrite","health":"Online","multihost":true,"leaves":[]}}""")] // camelCase.
    [InlineData("""{"Host":"a"}""")]
    [InlineData("""{"Host":"a","Sight":null}""")]
    [InlineData("""{"Host":"not a host","Sight":{"Presence":"ReadWrite","Health":"Online","Multihost":true,"Leaves":[]}}""")]
    [InlineData("""{"Host":"a","Sight":{"Presence":"Sideways","Health":"Online","Multihost":true,"Leaves":[]}}""")]
    [InlineData("""{"Host":"a","Sight":{"Presence":"ReadWrite","Health":"Online","Multihost":true,"Leaves":null}}""")]
    public void A_body_that_does_not_fit_its_type_is_unknown_and_not_half_an_event(string body) =>
        Read(body, "pool_observed").Event.ShouldBe(new UnknownEvent("pool_observed"));

    [Theory]
    [InlineData("null", true)]
    [InlineData("{}", true)]
    [InlineData("""{"tool":"marten","late":false}""", true)]
    [InlineData("[]", false)]
    [InlineData("""{"host":5}""", false)]
    [InlineData("""{"host":"not a host"}""", false)]
    [InlineData("""{"sequence":"many"}""", false)]
    public void Headers_that_are_not_ours_do_not_keep_a_stream_from_being_read(string headers, bool understood)
    {
        var stored = Stored(Golden.Read("events/pool_observed.json"), "pool_observed") with { HeadersJson = headers, Actor = null };

        var read = Codec.ReadPoolEvent(stored);

        if (understood) read.Event.ShouldBeOfType<PoolObserved>();
        else read.Event.ShouldBe(new UnknownEvent("pool_observed"));
        read.Stamp.ShouldBe(new(stored.ObservedAt, null, null, null, "", Late: false));
        Pools.HistoryEntry.Of(stored).Type.ShouldBe("pool_observed");
    }

    static NewEvent Write(object e) => e is HostEvent host
        ? Codec.Write(new Recorded<HostEvent>(new(Guid.NewGuid()), 1, Stamp.ObservedAt, Stamp, host), "move-1", "00-trace")
        : Codec.Write(new Recorded<PoolEvent>(new(Guid.NewGuid()), 1, Stamp.ObservedAt, Stamp, (PoolEvent)e), "move-1", "00-trace");

    static Recorded<object> Read(string json, string alias)
    {
        var stored = Stored(json, alias);
        if (alias.StartsWith("host_", StringComparison.Ordinal))
        {
            var host = Codec.ReadHostEvent(stored);
            return new(host.Id, host.Version, host.RecordedAt, host.Stamp, host.Event);
        }

        var pool = Codec.ReadPoolEvent(stored);
        return new(pool.Id, pool.Version, pool.RecordedAt, pool.Stamp, pool.Event);
    }

    static StoredEvent Stored(string json, string alias) => Stored(Write(Sample.Of(typeof(PoolObserved)))) with { Json = json, Type = alias };

    static StoredEvent Stored(NewEvent e) => new("pool-1", 3, e.Id, e.Type, e.Json, e.HeadersJson, e.ObservedAt.AddSeconds(1), e.ObservedAt, e.Actor, e.Correlation, "http#1");
}
