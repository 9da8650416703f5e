using System.Text.Json;
using System.Text.Json.Serialization;

namespace ZfsHaEvents.Domain;

/// <summary>
/// Writes an identifier as its text. It stands on the types themselves, not in options: stored events must read with
/// System.Text.Json's defaults in any program.
/// </summary>
public sealed class TextConverter<T> : JsonConverter<T> where T : struct, IParsable<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String ? FromText(reader.GetString()) : throw new JsonException($"Expected {typeof(T).Name} as a string.");

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());

    public override T ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => FromText(reader.GetString());

    public override void WriteAsPropertyName(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WritePropertyName(value.ToString()!);

    static T FromText(string? text)
    {
        try
        {
            return T.Parse(text ?? "", null);
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            throw new JsonException(e.Message, e); // The reader adds the path, so that the sender learns which member is wrong.
        }
    }
}

/// <summary>Writes an enum's value as its name, and takes no number for one: a number that names no value would be stored as it is.</summary>
public sealed class NameConverter<T>() : JsonStringEnumConverter<T>(namingPolicy: null, allowIntegerValues: false) where T : struct, Enum;

/// <summary>Writes an epoch as a JSON number.</summary>
public sealed class EpochConverter : JsonConverter<Epoch>
{
    public override Epoch Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetInt64());

    public override void Write(Utf8JsonWriter writer, Epoch value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Value);
}
