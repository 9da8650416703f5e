using System.Diagnostics;

namespace ZfsHaEvents.Zfs;

/// <summary>
/// The points around an effect, announced synchronously on a <see cref="DiagnosticListener"/>: whoever subscribes can look at, or
/// end, the process exactly there. Without a subscriber they cost nothing.
/// </summary>
public static class HostDiagnostics
{
    public const string ListenerName = "ZfsHaEvents.Zfs";

    /// <summary>Immediately before a command with an effect is started. The payload is its argument list.</summary>
    public const string ChildStart = "child-start";

    /// <summary>Immediately after the exit of a command with an effect was seen. The payload is its argument list.</summary>
    public const string ChildExit = "child-exit";

    /// <summary>Right before an operation's final report is handed to the sink. The payload is the report.</summary>
    public const string BeforeReport = "report-before";

    /// <summary>Right after an operation's final report is durable. The payload is the report.</summary>
    public const string Report = "report";

    static readonly DiagnosticListener Listener = new(ListenerName);

    internal static void Announce(string point, object payload)
    {
        if (Listener.IsEnabled(point)) Listener.Write(point, payload);
    }
}
