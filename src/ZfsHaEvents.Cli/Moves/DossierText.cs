using System.Globalization;
using ZfsHaEvents.Cli.Pools;
using ZfsHaEvents.Cli.Text;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Domain.Views;

namespace ZfsHaEvents.Cli.Moves;

/// <summary>Switchovers and failovers as people read them.</summary>
static class DossierText
{
    public static void WriteAll(Screen screen, IReadOnlyList<Dossier> moves)
    {
        if (moves.Count == 0)
        {
            screen.Line("There was no switchover or failover yet.");
            return;
        }

        var table = new Table($"STARTED ({screen.ZoneName(moves[0].StartedAt)})", "POOL", "FROM", "TO", "STATE", "TOOK", "ID");
        foreach (var move in moves)
        {
            table.Add(
                screen.Instant(move.StartedAt)[..^4], PoolOf(move), move.From?.Value ?? "-", move.To.Value, StateOf(move.State),
                move.Seconds is { } seconds ? Human.Duration(seconds) : "-", $"{move.Id} ({Kind(move)})");
        }

        table.WriteTo(screen);
    }

    /// <summary>The whole record of a move.</summary>
    public static void Write(Screen screen, Dossier move)
    {
        WriteHeading(screen, move);
        void Field(string name, params Piece[] text) => PoolText.Field(screen, name, text);
        Field("state", StateOf(move.State), move.Outcome is { } outcome ? $": {outcome}" : "");
        Field("asked by", move.RequestedBy, move.Reason is { } reason ? $", because: {reason}" : "");
        Field("started", $"{screen.Instant(move.StartedAt)} {screen.ZoneName(move.StartedAt)}");
        if (move.EndedAt is { } ended) Field("ended", $"{screen.Instant(ended)} {screen.ZoneName(ended)}");
        if (move.Label is { } label)
        {
            Field("label", $"{label.State.ToString().ToUpperInvariant()}, hostid {label.HostId} ({label.HostName}), txg {label.Txg}, MMP {(label.MmpActive ? "on" : "off")}, {label.LeavesRead} of {label.LeavesAsked} devices");
        }

        if (move.FencedBy is { } fenced) Field("fenced by", $"event {fenced}");
        if (move.ForceAskedBy is { } force) Field("force", $"asked for by event {force}");
        screen.Line();
        WriteSteps(screen, move);
        WriteTimes(screen, move);
    }

    public static void WriteHeading(Screen screen, Dossier move) =>
        screen.Hanging(2, [], [$"{Kind(move)} of ", Piece.Strong(PoolOf(move)), $" from {move.From?.Value ?? "nobody"} to {move.To}: ", Piece.Strong(move.Id.Value)]);

    /// <summary>One line for a step that has ended, for <c>--wait</c>.</summary>
    public static void WriteStep(Screen screen, DossierStep step)
    {
        var head = $"  {StepWords.Of(step.Step),-12}{On(step),-10}{Human.Duration(step.Seconds ?? 0),8}  {Zpool(step),-14}";
        screen.Hanging(head.Length, [head], [Result(step), DetailOf(step)]);
    }

    /// <summary>How a move ended, in a sentence, and what it cost.</summary>
    public static void WriteEnd(Screen screen, Dossier move)
    {
        screen.Hanging(2, [], [StateOf(move.State), move.State is MoveState.Completed ? $": {move.To} holds {PoolOf(move)}" : $": {move.Outcome}"]);
        WriteTimes(screen, move);
    }

    /// <summary>What is going on, for a line that is replaced by the next.</summary>
    public static string Doing(Dossier move, DateTimeOffset now)
    {
        if (move.Steps is not [.., { EndedAt: null } step]) return $"  {Kind(move)} …";
        return step.Host is null
            ? $"  {StepWords.Of(step.Step)}: waits for a person, {Human.Duration((now - step.StartedAt).TotalSeconds)}"
            : $"  {StepWords.Of(step.Step)} on {step.Host} … {Human.Duration((now - step.StartedAt).TotalSeconds)}";
    }

    public static string Kind(Dossier move) => move.Kind is MoveKind.Switchover ? "switchover" : "failover";

    public static string PoolOf(Dossier move) => move.PoolName?.Value ?? move.Pool.ToString();

    static void WriteSteps(Screen screen, Dossier move)
    {
        var table = new Table("STEP", "HOST", "STARTED", "TOOK", "ZPOOL", "RESULT");
        foreach (var step in move.Steps)
        {
            var result = DetailOf(step);
            table.Add(
                StepWords.Of(step.Step), step.Host?.Value ?? "-", screen.TimeOfDay(step.StartedAt), step.Seconds is { } seconds ? Human.Duration(seconds) : "-",
                step.ZpoolSeconds > 0 ? Human.Duration(step.ZpoolSeconds) : "-", Result(step) with { Text = Result(step).Text + result });
        }

        table.WriteTo(screen, "  ");
    }

    /// <summary>Overhead is all that is neither ZFS nor people: deciding, committing, carrying, locking, looking.</summary>
    static void WriteTimes(Screen screen, Dossier move)
    {
        if (move.Seconds is not { } seconds) return;
        var waited = move.Steps.Where(s => s.Host is null).Sum(s => s.Seconds ?? 0);
        var people = waited > 0 ? $"{Human.Duration(waited)} waiting for a person, " : "";
        screen.Line($"  {Human.Duration(seconds)} in all: {people}{Human.Duration(move.ZpoolSeconds)} in ZFS commands, {Human.Duration(seconds - waited - move.ZpoolSeconds)} overhead");
    }

    static string On(DossierStep step) => step.Host is { } host ? $"on {host}" : "";

    static string Zpool(DossierStep step) => step.ZpoolSeconds > 0 ? $"zpool {Human.Duration(step.ZpoolSeconds)}" : "";

    static string DetailOf(DossierStep step)
    {
        var attempt = step.Attempt > 1 ? string.Create(CultureInfo.InvariantCulture, $" (attempt {step.Attempt})") : "";
        return attempt + (step.Detail.Length > 0 ? $": {step.Detail}" : "");
    }

    static Piece Result(DossierStep step) => step.Done switch { true => Piece.Good("done"), false => Piece.Bad("failed"), null => Piece.Warning("under way") };

    static Piece StateOf(MoveState state) => state switch
    {
        MoveState.Completed => Piece.Good("completed"),
        MoveState.Aborted => Piece.Warning("aborted"),
        MoveState.Halted => Piece.Bad("HALTED"),
        MoveState.Running => Piece.Strong("running"),
        _ => state.ToString(),
    };
}
