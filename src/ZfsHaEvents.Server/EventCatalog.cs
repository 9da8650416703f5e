using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Server;

/// <summary>Leads from one version of a stored shape to the next.</summary>
/// <param name="From">The version that it reads, from 1; it makes <c>From + 1</c>.</param>
/// <param name="Up">
/// The stored body as that version wrote it, to be changed or replaced. Pure: it sees nothing but the body, and runs each time the event is read.
/// Whatever it throws makes the event unknown.
/// </param>
public sealed record Upcaster(int From, Func<JsonObject, JsonObject> Up);

/// <summary>An event type and every shape in which it was ever stored.</summary>
/// <param name="Alias">The stored name of the first shape. The second is <c>{alias}_v2</c>, and so on: Marten's names for schema versions.</param>
/// <param name="Type">The record; its shape is the newest.</param>
/// <param name="Upcasters">One for each older shape; none as long as the shape has never changed.</param>
public sealed record EventType(string Alias, Type Type, params IReadOnlyList<Upcaster> Upcasters)
{
    /// <summary>The version of the newest shape.</summary>
    public int Version => Upcasters.Count + 1;

    /// <summary>What an event of this type is stored as.</summary>
    public string StoredName => NameOf(Version);

    /// <summary>Every name that events of this type have in the store, oldest first.</summary>
    public IReadOnlyList<string> StoredNames => [.. Enumerable.Range(1, Version).Select(NameOf)];

    /// <summary>The stored name of one version.</summary>
    public string NameOf(int version) => version == 1 ? Alias : string.Create(CultureInfo.InvariantCulture, $"{Alias}_v{version}");
}

/// <summary>
/// The stored names of events, and the bridge between the domain's records and the store's JSON. What was stored once is readable for ever: the newest
/// shape is what is written, and older ones are led up to it, one version after the other, as they are read.
/// </summary>
public sealed partial class EventCatalog
{
    readonly Dictionary<string, Shape> _byName = new(StringComparer.Ordinal);
    readonly Dictionary<Type, EventType> _byType = [];

    /// <summary>
    /// Bodies are written with System.Text.Json's defaults and read more strictly: by default a body that lacks members, or has them in
    /// camelCase, is read as half an event without any error, and the fold trips over it.
    /// </summary>
    static readonly StoredJson Strict = new(new JsonSerializerOptions { RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true });

    /// <exception cref="ArgumentException">A name or type stands there twice, a name is not one of an event, or a version is missing or there twice; the message says which.</exception>
    public EventCatalog(IReadOnlyList<EventType> types)
    {
        Types = types;
        foreach (var type in types)
        {
            if (!Alias().IsMatch(type.Alias)) throw Wrong($"'{type.Alias}' is no event's name: small letters with single underscores between them, and no digits, for those are the versions'");
            if (!_byType.TryAdd(type.Type, type)) throw Wrong($"{type.Type.Name} stands there twice, as '{_byType[type.Type].Alias}' and as '{type.Alias}'");

            var from = type.Upcasters.Select(u => u.From).Order().ToList();
            if (from.Distinct().Count() < from.Count) throw Wrong($"'{type.Alias}' has two upcasters from one version: {string.Join(", ", from)}");
            if (!from.SequenceEqual(Enumerable.Range(1, from.Count))) throw Wrong($"'{type.Alias}' lacks an upcaster: it has those from {string.Join(", ", from)}, and needs one from each version but the newest, from 1 on");

            for (var version = 1; version <= type.Version; version++)
                if (!_byName.TryAdd(type.NameOf(version), new(type, Strict.GetTypeInfo(type.Type), [.. type.Upcasters.Where(u => u.From >= version).OrderBy(u => u.From)]))) throw Wrong($"the name '{type.NameOf(version)}' stands there twice");
        }
    }

    /// <summary>Every event type, in the order in which they were given.</summary>
    public IReadOnlyList<EventType> Types { get; }

    /// <summary>Every name that an event may have in the store.</summary>
    public IReadOnlyCollection<string> StoredNames => _byName.Keys;

    /// <summary>The names under which events of a type are found in the store, whichever of them is asked by.</summary>
    /// <returns>Null when it is no event's name.</returns>
    public IReadOnlyList<string>? NamesOf(string name) => _byName.TryGetValue(name, out var found) ? found.Type.StoredNames : null;

    /// <summary>Every name under which events of these types are found in the store.</summary>
    public string[] NamesOf(IReadOnlyList<Type> types) => [.. types.SelectMany(t => _byType[t].StoredNames)];

    /// <summary>The name of the first shape, by whichever name of the type an event was stored.</summary>
    /// <returns>Null when it is no event's name.</returns>
    public string? AliasOf(string name) => _byName.TryGetValue(name, out var found) ? found.Type.Alias : null;

    /// <summary>The event as it is stored.</summary>
    /// <param name="trace">The W3C trace context it belongs to.</param>
    public NewEvent Write<TEvent>(Recorded<TEvent> recorded, string? correlation, string? trace) where TEvent : notnull
    {
        var type = recorded.Event.GetType();
        var stamp = recorded.Stamp;
        var headers = new EventHeaders(stamp.Host, stamp.Boot, stamp.Sequence, stamp.Late ? true : null, trace);
        return new(
            recorded.Id.Value, _byType[type].StoredName, $"{type.FullName}, {type.Assembly.GetName().Name}",
            JsonSerializer.Serialize(recorded.Event, StoredJson.Default.GetTypeInfo(type)!),
            JsonSerializer.Serialize(headers, StoredJson.Default.EventHeaders), stamp.ObservedAt, stamp.Actor, correlation);
    }

    /// <summary>A stored event of a pool; of a type unknown to this version, an <see cref="UnknownEvent"/>.</summary>
    public Recorded<PoolEvent> ReadPoolEvent(StoredEvent stored) => Read<PoolEvent>(stored, alias => new UnknownEvent(alias));

    /// <summary>A stored event of a host; of a type unknown to this version, an <see cref="UnknownHostEvent"/>.</summary>
    public Recorded<HostEvent> ReadHostEvent(StoredEvent stored) => Read<HostEvent>(stored, alias => new UnknownHostEvent(alias));

    Recorded<TEvent> Read<TEvent>(StoredEvent stored, Func<string, TEvent> unknown) where TEvent : class
    {
        var headers = HeadersOf(stored);
        var stamp = new Stamp(stored.ObservedAt, headers?.Host, headers?.Boot, headers?.Sequence, stored.Actor ?? "", headers?.Late is true);
        return new(new(stored.Id), stored.Version, stored.RecordedAt, stamp, (headers is null ? null : Body(stored) as TEvent) ?? unknown(stored.Type));
    }

    /// <summary>An event's metadata; null when a foreign writer uses our names for something else.</summary>
    public static EventHeaders? HeadersOf(StoredEvent stored)
    {
        try
        {
            return JsonSerializer.Deserialize(stored.HeadersJson, StoredJson.Default.EventHeaders) ?? new(null, null, null, null, null);
        }
        catch (JsonException)
        {
            return null; // It must not keep the rest of the stream from being read.
        }
    }

    /// <summary>The event; null when we cannot read it.</summary>
    object? Body(StoredEvent stored)
    {
        if (!_byName.TryGetValue(stored.Type, out var shape)) return null;
        try
        {
            if (shape.Upcasters.Count == 0) return JsonSerializer.Deserialize(stored.Json, shape.Newest!);
            return JsonNode.Parse(stored.Json) is JsonObject body ? shape.Upcasters.Aggregate(body, (b, upcaster) => upcaster.Up(b)).Deserialize(shape.Newest!) : null;
        }
        catch (Exception e) when (e is JsonException || shape.Upcasters.Count > 0)
        {
            return null; // A foreign writer's body under our name, or one that an upcaster trips over: we cannot read it, so it is unknown to us.
        }
    }

    /// <summary>What stands behind a stored name.</summary>
    /// <param name="Newest">How the newest shape is read; null for a type that is stored nowhere, as tests make them.</param>
    /// <param name="Upcasters">From the shape of this name on to the newest one.</param>
    sealed record Shape(EventType Type, JsonTypeInfo? Newest, IReadOnlyList<Upcaster> Upcasters);

    static ArgumentException Wrong(string what) => new($"the catalogue of events: {what}");

    [GeneratedRegex("^[a-z]+(_[a-z]+)*$")]
    private static partial Regex Alias();
}
