using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ZfsHaEvents.Zfs.Commands;

/// <summary>
/// While it lives, the signals that would end this process are passed on to a child instead, whose exit then ends ours.
/// </summary>
sealed class SignalForwarding : IDisposable
{
    readonly List<PosixSignalRegistration> _registrations = [];
    volatile Process? _child;

    public SignalForwarding()
    {
        Forward(PosixSignal.SIGTERM, Libc.SignalTerminate);
        Forward(PosixSignal.SIGHUP, Libc.SignalHangUp);
        // A terminal sends these two to the whole foreground group, the child included: passed on, they would arrive twice.
        Forward(PosixSignal.SIGINT, Console.IsInputRedirected ? Libc.SignalInterrupt : null);
        Forward(PosixSignal.SIGQUIT, Console.IsInputRedirected ? Libc.SignalQuit : null);
    }

    public void To(Process child) => _child = child;

    public void Dispose() => _registrations.ForEach(registration => registration.Dispose());

    void Forward(PosixSignal signal, int? number) => _registrations.Add(PosixSignalRegistration.Create(signal, context =>
    {
        if (_child is not { } child) return; // Nobody to pass it on to yet: it ends us, as it would.
        context.Cancel = true;
        if (number is { } sent && !child.HasExited) Libc.Signal(child.Id, sent);
    }));
}
