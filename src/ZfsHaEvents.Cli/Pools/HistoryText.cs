using System.Globalization;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Text;

namespace ZfsHaEvents.Cli.Pools;

/// <summary>Events line by line, a date above each day's; may go on for ever.</summary>
sealed class HistoryText(Screen screen)
{
    const int HostWidthMin = 4;

    string? _date;
    int _hostWidth = HostWidthMin;

    public void Write(IReadOnlyList<HistoryEntry> events)
    {
        _hostWidth = events.Select(e => e.Host?.Length ?? 0).Append(_hostWidth).Max();
        foreach (var entry in events)
        {
            if (screen.Date(entry.ObservedAt) is var date && date != _date)
            {
                screen.Line(Piece.Dim($"{date}, times in {screen.ZoneName(entry.ObservedAt)}"));
                _date = date;
            }

            var head = string.Create(CultureInfo.InvariantCulture, $"{entry.Version,5}  {screen.TimeOfDay(entry.ObservedAt)}  {(entry.Host ?? "").PadRight(_hostWidth)}  ");
            screen.Hanging(head.Length, [Piece.Dim(head)], [new(EventSentence.Of(entry), ToneOf(entry.Type)), entry.Late ? Piece.Dim(" (arrived late)") : ""]);
        }
    }

    static Tone ToneOf(string type) => type switch
    {
        "conflict_detected" or "pool_halted" or "switchover_halted" or "failover_halted" or "ownership_disputed" => Tone.Bad,
        "switchover_completed" or "failover_completed" or "conflict_cleared" or "ownership_verified" => Tone.Good,
        _ when type.EndsWith("_refused", StringComparison.Ordinal) || type.EndsWith("_failed", StringComparison.Ordinal) || type.EndsWith("_aborted", StringComparison.Ordinal)
            || type is "ownership_unverified" or "pool_lock_timed_out" or "pool_lock_broken" => Tone.Warning,
        _ when type.StartsWith("pool_lock_", StringComparison.Ordinal) => Tone.Dim,
        _ => Tone.Plain,
    };
}
