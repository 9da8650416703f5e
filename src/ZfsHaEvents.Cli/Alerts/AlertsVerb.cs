using System.CommandLine;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Moves;
using ZfsHaEvents.Cli.Text;
using ZfsHaEvents.Domain.Alerts;

namespace ZfsHaEvents.Cli.Alerts;

/// <summary><c>alerts</c>: what somebody was or should be woken for; <c>alerts ack</c>: say that it was seen.</summary>
static class AlertsVerb
{
    public static Command Define()
    {
        var open = new Option<bool>("--open") { Description = "Only what still holds and nobody has acknowledged" };
        return Verb.Of("alerts", "What a person must know, newest first", [open, Acknowledge()], async invocation =>
        {
            var alerts = await invocation.Server.AlertsAsync(all: !invocation.Get(open), invocation.Cancellation);
            if (invocation.Screen.Json) invocation.Screen.Document(alerts, ApiJson.Relaxed.IReadOnlyListAlert);
            else Write(invocation.Screen, alerts, invocation.Get(open));
            return ExitCodes.Done;
        });
    }

    public static void Write(Screen screen, IReadOnlyList<Alert> alerts, bool open)
    {
        if (alerts.Count == 0) screen.Line(open ? "No open alert." : "No alert.");
        foreach (var alert in alerts)
        {
            screen.Hanging(4, [alert.IsOpen() && alert.Severity is AlertSeverity.Critical ? Piece.Bad("CRITICAL") : alert.Severity.ToString().ToLowerInvariant()], [" ", Piece.Strong(alert.Summary)]);
            // What was decided, and not seen, bears the time of the decision.
            var delay = (alert.RaisedAt - alert.ObservedAt).TotalSeconds is > 0 and var late ? $", {Human.Duration(late)} after it was seen" : "";
            screen.Hanging(4, [], [$"    raised {screen.Instant(alert.RaisedAt)} {screen.ZoneName(alert.RaisedAt)}{delay}; ", StateOf(screen, alert)]);
            screen.Line(Piece.Dim($"    {alert.Id}"));
        }
    }

    static Piece StateOf(Screen screen, Alert alert)
    {
        var seen = alert.AcknowledgedBy is { } by ? $"acknowledged by {by}: {alert.Comment}" : "not acknowledged";
        return alert.ClearedAt is { } cleared ? $"over since {screen.Instant(cleared)}, {seen}" : alert.IsOpen() ? Piece.Warning($"still so, {seen}") : $"still so, {seen}";
    }

    static Command Acknowledge()
    {
        var alert = new Argument<string>("ID") { Description = "The alert's id, as zfsha alerts lists it" };
        var comment = Parsers.RequiredText("--comment", "TEXT", "What is being done about it, for the audit");
        var (id, by) = (Parsers.Id(), Parsers.By());
        return Verb.Of("ack", "Say that an alert was seen", [alert, comment, id, by], async invocation =>
        {
            var body = new AcknowledgeBody(invocation.Get(by)!, invocation.Get(comment)!, invocation.Get(id) ?? Ids.New("seen"));
            return RequestAnswer.Write(invocation, await invocation.Server.AcknowledgeAlertAsync(invocation.Get(alert)!, body, invocation.Cancellation));
        });
    }
}
