using System.Globalization;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Text;

namespace ZfsHaEvents.Cli.Projections;

/// <summary>Readers of events as people read them.</summary>
static class ProjectionsText
{
    /// <summary>Where the server stops counting.</summary>
    const long CountedMax = 10_000;

    const string RebuildSuffix = ":Rebuild";

    /// <summary>Whether a reader is the one that makes a projection's view anew; it is there as long as that lasts.</summary>
    /// <param name="projection">Its name, or that of its own reader.</param>
    public static bool IsRebuildOf(string projection, string reader) =>
        reader.Split(':')[0] == projection.Split(':')[0] && reader.EndsWith(RebuildSuffix, StringComparison.Ordinal);

    /// <param name="serverOption"><c>--server …</c> for commands to type next.</param>
    public static void Write(Screen screen, ProjectionsState state, string serverOption)
    {
        if (state.Readers.Count == 0)
        {
            screen.Line("No reader has begun yet.");
            return;
        }

        var table = new Table("READER", "EVENTS BEHIND", "BEHIND FOR", "STATE");
        foreach (var reader in state.Readers)
        {
            table.Add(
                Piece.Strong(reader.Name), reader.EventsBehind >= CountedMax ? $"{Number(CountedMax)} or more" : Number(reader.EventsBehind),
                reader.EventsBehind > 0 ? Human.Duration(reader.SecondsBehind) : "-", StateOf(screen, reader, state.LastSeqId));
        }

        table.WriteTo(screen);
        foreach (var reader in state.Readers) WriteParked(screen, reader, serverOption);
        WriteHolding(screen, state.HoldingBack);
    }

    /// <summary>How far a rebuild is, by the numbers of events: <c>41200 of 50000 (82 %)</c>.</summary>
    public static string Progress(ReaderState rebuild, long last) =>
        string.Create(CultureInfo.InvariantCulture, $"{rebuild.LastSeqId} of {last} ({Percent(rebuild, last)} %)");

    public static int Percent(ReaderState rebuild, long last) => last <= 0 ? 100 : (int)Math.Clamp(rebuild.LastSeqId * 100 / last, 0, 100);

    static Piece StateOf(Screen screen, ReaderState reader, long last)
    {
        var rebuild = reader.Name.EndsWith(RebuildSuffix, StringComparison.Ordinal) ? $"; makes the view anew: {Progress(reader, last)}" : "";
        var parked = reader.Parked.Count > 0 ? $"; {Number(reader.Parked.Count)} {(reader.Parked.Count == 1 ? "stream" : "streams")} parked" : "";
        if (reader.PausedAt is { } at) return Piece.Warning($"paused by {reader.PausedBy} since {screen.Instant(at)} {screen.ZoneName(at)}{rebuild}{parked}");
        if (!reader.Running) return Piece.Bad($"not running: no server has it{rebuild}{parked}");
        return parked.Length > 0 ? Piece.Warning($"running{rebuild}{parked}") : Piece.Good($"running{rebuild}");
    }

    static void WriteParked(Screen screen, ReaderState reader, string serverOption)
    {
        foreach (var parked in reader.Parked)
        {
            screen.Line();
            screen.Hanging(4, [], [Piece.Warning(string.Create(CultureInfo.InvariantCulture, $"{reader.Name} skips {parked.Stream} from version {parked.Version} on")), $", since {screen.Instant(parked.ParkedAt)} {screen.ZoneName(parked.ParkedAt)}"]);
            screen.Hanging(4, [], [$"    {parked.Type}: {parked.Error}"]);
            screen.Line(Piece.Dim($"    when the cause is gone: zfsha projections replay {Human.Shell(reader.Name)} {Human.Shell(parked.Stream)}{serverOption}"));
        }
    }

    static void WriteHolding(Screen screen, IReadOnlyList<HoldingBack> holding)
    {
        if (holding.Count == 0) return;
        screen.Line();
        screen.Line("No reader goes past the oldest of these transactions:");
        var table = new Table("PID", "AGE", "APPLICATION", "LOGIN", "DATABASE", "STATE", "QUERY");
        foreach (var h in holding)
            table.Add(h.Pid is { } pid ? Number(pid) : "-", Human.Duration(h.Seconds), Or(h.Application), Or(h.Login), Or(h.Database), Or(h.State), OnOneLine(Or(h.Query)));
        table.WriteTo(screen, "  ");
    }

    static string Or(string? text) => text is null or "" ? "-" : text;

    static string OnOneLine(string query) => string.Join(' ', query.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
