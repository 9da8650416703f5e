using System.Globalization;
using System.Text.Json;
using ZfsHaEvents.Domain.Bus;

namespace ZfsHaEvents.Cli.Bus;

/// <summary>Says what is wrong with a message, and where, counting lines and columns from 1 as editors do.</summary>
static class MalformedText
{
    /// <summary>Of System.Text.Json's message about members that are needed and not there, which names our types besides.</summary>
    const string ReaderWords = "JSON deserialization for type", MissingMembers = "missing required properties including: ";

    public static string Of(MalformedMessageException malformed)
    {
        if (malformed.InnerException is not JsonException { LineNumber: { } line } json) return malformed.Message;

        // The reader appends "Path: … | LineNumber: … | BytePositionInLine: …", counting from 0.
        var text = malformed.Message;
        foreach (var marker in (string[])[" Path: ", " LineNumber: "])
        {
            if (text.IndexOf(marker, StringComparison.Ordinal) is > 0 and var end) text = text[..end];
        }

        if (text.IndexOf(MissingMembers, StringComparison.Ordinal) is > 0 and var missing && text.IndexOf(ReaderWords, StringComparison.Ordinal) is > 0 and var said)
            return $"{text[..said]}it lacks {text[(missing + MissingMembers.Length)..].TrimEnd('.')}";
        if (json.Path is { Length: > 1 } path && malformed.Message.StartsWith("data of", StringComparison.Ordinal)) return $"{text} (at data{path[1..]})";
        return string.Create(CultureInfo.InvariantCulture, $"{text} (line {line + 1}, column {(json.BytePositionInLine ?? 0) + 1})");
    }
}
