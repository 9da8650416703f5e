using System.Collections.Immutable;
using System.Reflection;
using System.Text.Json;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Hosts;

namespace ZfsHaEvents.Server.Tests;

/// <summary>A record of any of the domain's types with every member filled, the same each time.</summary>
static class Sample
{
    static readonly Guid Uuid = Guid.Parse("0197a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b");

    static readonly ImmutableDictionary<Type, object> Leaves = new Dictionary<Type, object>
    {
        [typeof(string)] = "text with \"quotes\", a \\ and 'ü'",
        [typeof(bool)] = true,
        [typeof(int)] = 2,
        [typeof(long)] = 17L,
        [typeof(ulong)] = ulong.MaxValue,
        [typeof(double)] = 25.125,
        [typeof(Guid)] = Uuid,
        [typeof(TimeSpan)] = TimeSpan.FromSeconds(90.5),
        [typeof(DateTimeOffset)] = new DateTimeOffset(2026, 3, 1, 12, 30, 15, 123, 456, TimeSpan.Zero),
        [typeof(PoolGuid)] = new PoolGuid(ulong.MaxValue - 1), // More than a double holds exactly.
        [typeof(PoolName)] = new PoolName("tank 1"),
        [typeof(PoolReference)] = new PoolReference("tank 1"),
        [typeof(HostName)] = new HostName("oss-1.example"),
        [typeof(ZfsHostId)] = new ZfsHostId(0x00bab10c),
        [typeof(BootId)] = new BootId(Uuid),
        [typeof(SessionId)] = new SessionId(Uuid),
        [typeof(Incarnation)] = new Incarnation(Uuid),
        [typeof(Epoch)] = new Epoch(7),
        [typeof(RequestId)] = new RequestId("move-1"),
        [typeof(OrderId)] = new OrderId("move-1/9001/Import/1"),
        [typeof(EventId)] = new EventId(Uuid),
    }.ToImmutableDictionary();

    public static object Of(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } underlying) return Of(underlying);
        if (Leaves.TryGetValue(type, out var leaf)) return leaf;
        if (type.IsEnum) return Enum.GetValues(type).GetValue(1)!; // Not the default, and the same one when a value is added.
        if (type == typeof(IReadOnlyList<HostFact>)) return Facts();
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>)) return List(type.GetGenericArguments()[0]);

        var constructor = type.GetConstructors().Single(c => c.GetParameters() is not [var only] || only.ParameterType != type);
        return constructor.Invoke([.. constructor.GetParameters().Select(p => Of(p.ParameterType))]);
    }

    static Array List(Type of)
    {
        var list = Array.CreateInstance(of, 1);
        list.SetValue(Of(of), 0);
        return list;
    }

    /// <summary>One of each kind.</summary>
    static HostFact[] Facts() => [.. typeof(HostFact).GetNestedTypes(BindingFlags.Public).Where(t => t.IsSubclassOf(typeof(HostFact))).OrderBy(t => t.Name, StringComparer.Ordinal).Select(t => (HostFact)Of(t))];

    /// <summary>The same JSON, spread over lines for people to compare. The order of members stays.</summary>
    public static string Spread(string json)
    {
        using var document = JsonDocument.Parse(json);
        return JsonSerializer.Serialize(document.RootElement, Indented) + "\n";
    }

    static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
