using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Bus;

/// <summary>The text on the bus is not a message we can take in. The message says what is wrong with it and where.</summary>
public sealed class MalformedMessageException(string message, Exception? inner = null) : FormatException(message, inner);

/// <summary>
/// A message on the bus: CloudEvents 1.0 in structured JSON (github.com/cloudevents/spec), with the <c>traceparent</c> extension.
/// <c>data</c> has camelCase members. <c>source</c> and <c>id</c> together say which message it is, however often it arrives.
/// </summary>
/// <param name="Subject">The pool or host it is about; messages on one subject are handled in order.</param>
/// <param name="TraceParent">W3C trace context.</param>
/// <param name="Message">The record in <c>data</c>.</param>
public sealed record BusMessage(string Id, string Source, string? Subject, string? TraceParent, object Message)
{
    /// <summary>What a repeat is noticed by.</summary>
    public string Key() => $"{Source}#{Id}";

    /// <summary>The identity of the message's row on a queue: derived, so that putting it there again is noticed.</summary>
    public static Guid RowId(string queue, string source, string id) => Derived.Uuid($"message\n{queue}\n{source}#{id}");

    /// <summary>The message as it goes on the bus.</summary>
    public string Write(DateTimeOffset time)
    {
        var type = Message.GetType();
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("specversion", "1.0");
            json.WriteString("id", Id);
            json.WriteString("source", Source);
            json.WriteString("type", MessageTypes.NameOf(type));
            if (Subject is not null) json.WriteString("subject", Subject);
            json.WriteString("time", time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
            json.WriteString("datacontenttype", "application/json");
            if (TraceParent is not null) json.WriteString("traceparent", TraceParent);
            json.WritePropertyName("data");
            JsonSerializer.Serialize(json, Message, BusJson.Default.GetTypeInfo(type)!);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>More than any report of a host, and more than anybody has to say in a request: all of it is kept for ever.</summary>
    public const int LengthMax = 1_000_000;

    /// <summary>Id and source together are what a message is known again by.</summary>
    public const int KeyLengthMax = 1000;

    /// <exception cref="MalformedMessageException">Not a CloudEvents 1.0 message, or not of a type we know, or its data does not fit the type.</exception>
    public static BusMessage Read(string text)
    {
        if (text.Length > LengthMax) throw new MalformedMessageException($"too long: {text.Length} characters, and {LengthMax} at most are taken");
        using var document = Parse(text);
        var root = document.RootElement;
        if (root.ValueKind is not JsonValueKind.Object) throw new MalformedMessageException("expected a CloudEvents 1.0 message: a JSON object");

        var version = Required(root, "specversion");
        if (version != "1.0") throw new MalformedMessageException($"specversion is '{version}'; only CloudEvents 1.0 is understood");
        var id = Required(root, "id");
        var source = Required(root, "source");
        if (id.Length + source.Length > KeyLengthMax) throw new MalformedMessageException($"id and source have {id.Length + source.Length} characters, and {KeyLengthMax} at most are taken");
        var typeName = Required(root, "type");
        var type = MessageTypes.TypeOf(typeName) ?? throw new MalformedMessageException($"type '{typeName}' is not one of ours; see the list in docs/bus.md");
        if (!root.TryGetProperty("data", out var data)) throw new MalformedMessageException("data is missing; data_base64 is not understood");

        var message = Deserialize(data, type, typeName);
        if (message is IRequest request)
        {
            if (!RequestId.TryParse(id, null, out var requestId)) throw new MalformedMessageException($"id '{id}' cannot be a request's id: letters, digits, '.', '_', ':' and '-' only, {RequestId.LengthMax} characters at most");
            if (string.IsNullOrWhiteSpace(request.By)) throw new MalformedMessageException($"data of a {typeName} message: {IRequest.NobodyAsks}");
            message = request.WithId(requestId);
        }

        return new(id, source, Optional(root, "subject"), Optional(root, "traceparent"), message);
    }

    static JsonDocument Parse(string text)
    {
        try
        {
            return JsonDocument.Parse(text);
        }
        catch (JsonException e)
        {
            throw new MalformedMessageException($"not JSON: {e.Message}", e);
        }
    }

    static object Deserialize(JsonElement data, Type type, string typeName)
    {
        try
        {
            return data.Deserialize(BusReading.Of(type)) ?? throw new MalformedMessageException($"data of a {typeName} message is null");
        }
        catch (JsonException e)
        {
            // A converter's own words come without the place.
            var place = e.Path is { Length: > 0 } path && !e.Message.Contains(path, StringComparison.Ordinal) ? $"{path}: " : "";
            throw new MalformedMessageException($"data of a {typeName} message: {place}{e.Message}", e);
        }
        catch (NotSupportedException e)
        {
            // System.Text.Json's word for a "kind" that is not one of a fact's.
            throw new MalformedMessageException($"data of a {typeName} message: {e.Message}", e);
        }
    }

    static string Required(JsonElement root, string name) =>
        Optional(root, name) is { Length: > 0 } value ? value : throw new MalformedMessageException($"{name} is missing: CloudEvents 1.0 requires it, as a string that is not empty");

    static string? Optional(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;
}
