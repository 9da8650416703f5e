using System.Diagnostics;

namespace ZfsHaEvents.Server;

/// <summary>
/// Points at which a crash matters, announced to whoever subscribes to the <see cref="DiagnosticListener"/> of this name; nobody
/// does in production. Tests stop the process exactly there and send it a real SIGKILL.
/// </summary>
static class Seams
{
    static readonly DiagnosticListener Listener = new("ZfsHaEvents.Server");

    public static void Reached(string point)
    {
        if (Listener.IsEnabled(point)) Listener.Write(point, null);
    }
}
