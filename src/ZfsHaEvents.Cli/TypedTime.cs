using System.Globalization;

namespace ZfsHaEvents.Cli;

/// <summary>Times as people type them.</summary>
static class TypedTime
{
    /// <summary>The forms that are understood, for messages.</summary>
    public const string Forms = "ISO 8601 (2026-11-20T02:14:00Z), HH:MM[:SS] today, or relative (-90s, -15m, -2h, -1d)";

    static readonly string[] OfToday = ["HH:mm", "HH:mm:ss", "HH:mm:ss.fff"];

    static readonly string[] Iso = ["yyyy-MM-dd", "yyyy-MM-ddTHH:mm", "yyyy-MM-ddTHH:mm:ss", "yyyy-MM-ddTHH:mm:ss.FFFFFFF"];

    static readonly string[] IsoWithOffset = [.. Iso.Skip(1).Select(f => f + "K")];

    /// <summary>Null for what is none of the forms.</summary>
    /// <param name="zone">Of a time without an offset.</param>
    public static DateTimeOffset? Parse(string text, DateTimeOffset now, TimeZoneInfo zone)
    {
        if (text is ['-', .. var amount, 's' or 'm' or 'h' or 'd'])
        {
            if (!double.TryParse(amount, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) || value > 100_000) return null;
            return now - text[^1] switch
            {
                's' => TimeSpan.FromSeconds(value),
                'm' => TimeSpan.FromMinutes(value),
                'h' => TimeSpan.FromHours(value),
                _ => TimeSpan.FromDays(value),
            };
        }

        if (TimeOnly.TryParseExact(text, OfToday, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
            return In(zone, TimeZoneInfo.ConvertTime(now, zone).Date + time.ToTimeSpan());

        // A space between date and time is how logs write it, and what a person copies.
        var iso = text.Replace(' ', 'T');
        if (DateTime.TryParseExact(iso, Iso, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local)) return In(zone, local);
        return DateTimeOffset.TryParseExact(iso, IsoWithOffset, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var instant)
            ? instant
            : null;
    }

    static DateTimeOffset In(TimeZoneInfo zone, DateTime local) => new DateTimeOffset(local, zone.GetUtcOffset(local)).ToUniversalTime();
}
