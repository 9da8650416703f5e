using System.Globalization;

namespace ZfsHaEvents.Cli.Text;

/// <summary>Times, durations and command lines as people read them.</summary>
static class Human
{
    /// <summary>An instant to the millisecond, in its own offset.</summary>
    public static string Instant(DateTimeOffset at) => at.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture);

    public static string Date(DateTimeOffset at) => at.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    public static string TimeOfDay(DateTimeOffset at) => at.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);

    /// <summary>A duration: <c>0.61 s</c>, <c>36.1 s</c>, <c>2 min 5 s</c>, <c>3 h 12 min</c>, <c>4 d 2 h</c>.</summary>
    public static string Duration(double seconds) => seconds switch
    {
        < 0 => "0.00 s",
        < 9.995 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.00} s"),
        < 99.95 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s"),
        < 3_600 => string.Create(CultureInfo.InvariantCulture, $"{(int)seconds / 60} min {(int)seconds % 60} s"),
        < 86_400 => string.Create(CultureInfo.InvariantCulture, $"{(int)seconds / 3_600} h {(int)seconds % 3_600 / 60} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(long)seconds / 86_400} d {(long)seconds % 86_400 / 3_600} h"),
    };

    /// <summary>How long ago: one unit, for that is all anybody wants.</summary>
    public static string Ago(DateTimeOffset at, DateTimeOffset now) => (now - at).TotalSeconds switch
    {
        < 1 => "just now",
        < 100 and var s => string.Create(CultureInfo.InvariantCulture, $"{s:0} s ago"),
        < 6_000 and var s => string.Create(CultureInfo.InvariantCulture, $"{s / 60:0} min ago"),
        < 172_800 and var s => string.Create(CultureInfo.InvariantCulture, $"{s / 3_600:0} h ago"),
        var s => string.Create(CultureInfo.InvariantCulture, $"{s / 86_400:0} d ago"),
    };

    /// <summary>A word as it must be typed into a shell.</summary>
    public static string Shell(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or ':' or '/' or ',' or '=' or '@' or '+')
            ? word
            : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>Words as they must be typed into a shell.</summary>
    public static string Shell(IEnumerable<string> words) => string.Join(' ', words.Select(Shell));
}
