using System.CommandLine;
using System.Globalization;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Text;
using ZfsHaEvents.Zfs;
using ZfsHaEvents.Zfs.Posture;

namespace ZfsHaEvents.Cli.OnHost;

/// <summary><c>posture</c>: whether this host and its pools are set up so that a pool is never imported twice, and can be taken over.</summary>
static class PostureVerb
{
    /// <summary>For each command: longer than any answers on a host that is well.</summary>
    static readonly TimeSpan CommandLimit = TimeSpan.FromSeconds(10);

    public static Command Define() => Verb.Of("posture", "On a storage host: whether it and its pools are set up safely; changes nothing", [], async invocation =>
    {
        var host = HostEnvironment.FromVariables();
        invocation.Screen.Status($"  looking at the posture of {host.Name} …");
        var report = PostureChecks.Of(await new PostureReader(host, CommandLimit).ReadAsync(invocation.Cancellation));
        if (invocation.Screen.Json) invocation.Screen.Document(PostureDocument.Of(host.Name, report), ApiJson.Relaxed.PostureDocument);
        else Write(invocation.Screen, host.Name.Value, report);
        return ExitCodeOf(report);
    });

    /// <summary>What is known to be wrong outweighs what is not known.</summary>
    public static int ExitCodeOf(PostureReport report) => report.IsViolated() ? ExitCodes.Unsafe : report.IsUncertain() ? ExitCodes.Undetermined : ExitCodes.Done;

    public static void Write(Screen screen, string host, PostureReport report)
    {
        foreach (var finding in report.Findings)
        {
            screen.Hanging(4, [Severity(finding.Severity), " ", Piece.Strong($"{(finding.Pool is { } pool ? $"{pool}" : host)}: {finding.What}")], [Piece.Dim($"  [{finding.Check}]")]);
            screen.Hanging(4, [], [$"    {finding.Why}"]);
            if (finding.Mend.Count > 0) screen.Line("    mend: ", Piece.Strong(Human.Shell(finding.Mend)));
            if (finding.Advice.Length > 0) screen.Hanging(4, [], [$"    {finding.Advice}"]);
        }

        screen.Line($"{host}: hostid {report.HostId?.ToString() ?? "unknown"}, OpenZFS {report.Version ?? "unknown"}, {report.Pools.Count} {(report.Pools.Count == 1 ? "pool" : "pools")} imported");
        screen.Hanging(4, [], [TakeoverSentence(report.TakeoverTime)]);
        screen.Line(Verdict(report));
    }

    static Piece Verdict(PostureReport report)
    {
        int Count(PostureSeverity severity) => report.Findings.Count(finding => finding.Severity == severity);
        var counts = $"{Count(PostureSeverity.Critical)} critical, {Count(PostureSeverity.Warning)} warning, {Count(PostureSeverity.Unknown)} unknown";
        return report.IsViolated() ? Piece.Bad($"not safe: {counts}") : report.IsUncertain() ? Piece.Warning($"not determined: {counts}") : Piece.Good("posture is fine");
    }

    static Piece Severity(PostureSeverity severity) => severity switch
    {
        PostureSeverity.Critical => Piece.Bad("CRITICAL"),
        PostureSeverity.Warning => Piece.Warning("warning"),
        PostureSeverity.Unknown => Piece.Warning("unknown"),
        PostureSeverity.Note or _ => Piece.Dim("note"),
    };

    static string TakeoverSentence(TakeoverTime? time) => time switch
    {
        null => "how long a take-over of a multihost pool from this host waits is not known",
        { SecondsMax: { } max, SuspendSeconds: { } suspend } => string.Create(
            CultureInfo.InvariantCulture,
            $"a take-over of a multihost pool from this host waits {time.SecondsMin:0.#} to {max:0.#} s; cut off from its disks, this host suspends the pool after {suspend:0.#} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"a take-over of a multihost pool from this host waits {time.SecondsMin:0.#} s or longer; cut off from its disks, this host never suspends the pool"),
    };
}
