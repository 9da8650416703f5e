using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ZfsHaEvents.Cli.Api;

namespace ZfsHaEvents.Cli.Text;

/// <summary>Where a command's results go: for people on a terminal, for <c>grep</c> in a pipe, for programs as JSON.</summary>
/// <param name="width">Characters in a line of a terminal; null outside one, where a line is never broken.</param>
/// <param name="colour">Use the terminal's colours.</param>
sealed class Screen(TextWriter output, bool json, int? width, bool colour, TimeZoneInfo zone)
{
    /// <summary>What most terminals have, for one that does not say.</summary>
    const int WidthDefault = 80;

    const string EraseLine = "\r\u001b[K";

    /// <summary>A status may be shown beside what else is said.</summary>
    readonly Lock _gate = new();

    bool _hasStatus;

    /// <summary>The screen of this process.</summary>
    /// <param name="utc">Times in UTC instead of the machine's time zone.</param>
    public static Screen OfProcess(bool json, bool utc)
    {
        int? width = json || Console.IsOutputRedirected ? null : Console.WindowWidth is > 0 and var columns ? columns : WidthDefault;
        var colour = width is not null && Variable("NO_COLOR") is "" && Variable("TERM") is not ("" or "dumb");
        return new(Console.Out, json, width, colour, utc ? TimeZoneInfo.Utc : TimeZoneInfo.Local);
    }

    /// <summary>Results are JSON and nothing else.</summary>
    public bool Json { get; } = json;

    /// <summary>A person is looking.</summary>
    public bool IsTerminal => width is not null;

    /// <summary>The time zone of what is shown, for a heading.</summary>
    public string ZoneName(DateTimeOffset at) =>
        zone.GetUtcOffset(at) is var offset && offset == TimeSpan.Zero ? "UTC" : at.ToOffset(offset).ToString("zzz", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>An instant to the millisecond.</summary>
    public string Instant(DateTimeOffset at) => Human.Instant(TimeZoneInfo.ConvertTime(at, zone));

    public string Date(DateTimeOffset at) => Human.Date(TimeZoneInfo.ConvertTime(at, zone));

    public string TimeOfDay(DateTimeOffset at) => Human.TimeOfDay(TimeZoneInfo.ConvertTime(at, zone));

    /// <summary>Writes one line.</summary>
    public void Line(params ReadOnlySpan<Piece> pieces)
    {
        lock (_gate)
        {
            ClearStatus();
            string? on = null;
            foreach (var piece in pieces)
            {
                var code = colour ? Code(piece.Tone) : null;
                if (code != on) output.Write((on is null ? "" : "\u001b[0m") + (code is null ? "" : $"\u001b[{code}m"));
                output.Write(Printable.Of(piece.Text));
                on = code;
            }

            output.WriteLine(on is null ? "" : "\u001b[0m");
        }
    }

    /// <summary>Writes a head and, from column <paramref name="indent"/> on, a text that is broken to fit a terminal.</summary>
    public void Hanging(int indent, IReadOnlyList<Piece> head, IReadOnlyList<Piece> text)
    {
        const int textWidthMin = 24, indentNarrow = 4;
        var used = head.Sum(p => p.Text.Length);
        if (width is not { } columns || (used <= indent && used + text.Sum(p => p.Text.Length) <= columns))
        {
            Line([.. head, .. text]);
            return;
        }

        if (columns - indent < textWidthMin)
        {
            Line([.. head]);
            (indent, head) = (indentNarrow, []);
        }

        var first = true;
        foreach (var line in Wrapping.Lines(text, Math.Max(1, columns - indent)))
        {
            Line(first && head.Count > 0 ? [.. head, .. line] : [new string(' ', indent), .. line]);
            first = false;
        }
    }

    /// <summary>Writes a document, on one line.</summary>
    public void Document<T>(T document, JsonTypeInfo<T> type)
    {
        output.WriteLine(JsonSerializer.Serialize(document, type));
        output.Flush();
    }

    /// <summary>Shows what is going on, on a terminal, until the next line is written or the status is another.</summary>
    public void Status(string text)
    {
        if (width is not { } columns || !colour) return; // Without control sequences there is no taking it back.
        var line = Printable.Of(text);
        lock (_gate)
        {
            output.Write(EraseLine + (line.Length < columns ? line : line[..(columns - 1)]));
            output.Flush();
            _hasStatus = true;
        }
    }

    public void ClearStatus()
    {
        lock (_gate)
        {
            if (!_hasStatus) return;
            output.Write(EraseLine);
            output.Flush();
            _hasStatus = false;
        }
    }

    /// <summary>Says something beside the results, where a program that reads them does not see it.</summary>
    public void Notice(string text)
    {
        lock (_gate)
        {
            ClearStatus();
            if (Json) Console.Error.WriteLine(JsonSerializer.Serialize(new(text), ApiJson.Relaxed.NoticeDocument));
            else Console.Error.WriteLine(Printable.Of(text));
        }
    }

    static string Variable(string name) => Environment.GetEnvironmentVariable(name) ?? "";

    /// <summary>Parameters of the control sequence SGR (ECMA-48).</summary>
    static string? Code(Tone tone) => tone switch
    {
        Tone.Strong => "1",
        Tone.Dim => "2",
        Tone.Good => "32",
        Tone.Warning => "33",
        Tone.Bad => "1;31",
        Tone.Plain or _ => null,
    };
}
