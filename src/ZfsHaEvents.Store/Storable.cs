using System.Globalization;
using System.Text;

namespace ZfsHaEvents.Store;

/// <summary>
/// What hosts print may hold anything. PostgreSQL's text and jsonb take every character but NUL, and no half of a surrogate pair.
/// The event matters more than the character: U+FFFD stands in for it.
/// </summary>
static class Storable
{
    const char Replacement = '\uFFFD';

    public static string Text(string text) => text.Contains('\0', StringComparison.Ordinal) ? WholePairs(text.Replace('\0', Replacement)) : WholePairs(text);

    /// <summary>A JSON text, in which such characters may be written as escapes too. It is not parsed: whether it is JSON is found out later.</summary>
    public static string Json(string json)
    {
        json = WholePairs(json);
        if (!json.Contains(@"\u", StringComparison.Ordinal)) return json;

        var storable = new StringBuilder(json.Length);
        for (var i = 0; i < json.Length; i++)
        {
            if (json[i] != '\\' || i + 1 == json.Length)
            {
                storable.Append(json[i]);
                continue;
            }

            var length = Escape(json, i) switch
            {
                null => 2, // \n and the like, and \\ above all: a 'u' after it is a letter.
                { } high when char.IsHighSurrogate(high) && Escape(json, i + 6) is { } low && char.IsLowSurrogate(low) => 12,
                '\0' => -6,
                { } alone when char.IsSurrogate(alone) => -6,
                _ => 6,
            };
            if (length > 0) storable.Append(json, i, length);
            else storable.Append(@"\ufffd");
            i += Math.Abs(length) - 1;
        }

        return storable.ToString();
    }

    public static NewMessage Of(NewMessage message) => message with { Json = Json(message.Json) };

    public static Commit Of(Commit commit) => commit with
    {
        Causation = TextOrNull(commit.Causation),
        Events = [.. commit.Events.Select(e => e with { Json = Json(e.Json), HeadersJson = Json(e.HeadersJson), Actor = Text(e.Actor), Correlation = TextOrNull(e.Correlation), ObservedAt = Finite(e.ObservedAt) })],
        Handled = commit.Handled is { } handled ? handled with { Key = TextOrNull(handled.Key) } : null,
        Messages = [.. commit.Messages.Select(Of)],
        Documents = [.. commit.Documents.Select(d => d with { Json = Json(d.Json) })],
        Lease = commit.Lease is LeaseChange.Grant grant ? grant with { Attributes = Json(grant.Attributes) } : commit.Lease,
    };

    public static EventQuery Of(EventQuery query) => query with { Host = TextOrNull(query.Host), Correlation = TextOrNull(query.Correlation) };

    /// <summary>PostgreSQL's infinity, as which the ends of .NET's calendar are stored, is no instant that one could reckon with.</summary>
    static DateTimeOffset Finite(DateTimeOffset at) =>
        at.UtcDateTime == DateTime.MaxValue ? at.AddSeconds(-1) : at.UtcDateTime == DateTime.MinValue ? at.AddSeconds(1) : at;

    static string? TextOrNull(string? text) => text is null ? null : Text(text);

    /// <summary>The UTF-16 unit that a \uXXXX escape at this place stands for; null when there is none.</summary>
    static char? Escape(string json, int at) =>
        at + 6 <= json.Length && json[at] == '\\' && json[at + 1] == 'u' && ushort.TryParse(json.AsSpan(at + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit)
            ? (char)unit
            : null;

    static string WholePairs(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange('\ud800', '\udfff') < 0) return text;

        var whole = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) whole.Append(rune.ToString()); // Half a pair is enumerated as U+FFFD.
        return whole.ToString();
    }
}
