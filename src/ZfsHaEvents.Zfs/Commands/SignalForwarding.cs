using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ZfsHaEvents.Zfs.Commands;

/// <summary>
/// While it lives, the signals that would end this process are passed on to a child instead, whose exit then ends ours. One that
/// comes while the child is being started waits for it: nobody may end and leave the child behind.
/// </summary>
sealed class SignalForwarding : IDisposable
{
    readonly List<PosixSignalRegistration> _registrations = [];
    readonly Lock _gate = new();
    readonly List<int> _early = [];
    Process? _child;

    public SignalForwarding()
    {
        // A terminal sends the last two to the whole foreground group, the child included: passed on, they would arrive twice.
        var fromTerminal = !Console.IsInputRedirected;
        Forward(PosixSignal.SIGTERM, Libc.SignalTerminate, reachesChild: false);
        Forward(PosixSignal.SIGHUP, Libc.SignalHangUp, reachesChild: false);
        Forward(PosixSignal.SIGINT, Libc.SignalInterrupt, fromTerminal);
        Forward(PosixSignal.SIGQUIT, Libc.SignalQuit, fromTerminal);
    }

    public void To(Process child)
    {
        lock (_gate)
        {
            _child = child;
            _early.ForEach(signal => Send(child, signal)); // Those of a terminal too: the child may not have been there yet.
        }
    }

    public void Dispose() => _registrations.ForEach(registration => registration.Dispose());

    void Forward(PosixSignal signal, int number, bool reachesChild) => _registrations.Add(PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        lock (_gate)
        {
            if (_child is null) _early.Add(number);
            else if (!reachesChild) Send(_child, number);
        }
    }));

    static void Send(Process child, int signal)
    {
        if (!child.HasExited) Libc.Signal(child.Id, signal);
    }
}
