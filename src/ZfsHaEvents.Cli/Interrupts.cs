using System.Runtime.InteropServices;

namespace ZfsHaEvents.Cli;

/// <summary>While it lives, Ctrl-C and SIGTERM cancel a token instead of ending the process.</summary>
sealed class Interrupts : IDisposable
{
    readonly CancellationTokenSource _cancelled = new();
    readonly PosixSignalRegistration[] _registrations;

    public Interrupts(params ReadOnlySpan<PosixSignal> signals)
    {
        _registrations = new PosixSignalRegistration[signals.Length];
        for (var i = 0; i < signals.Length; i++)
        {
            _registrations[i] = PosixSignalRegistration.Create(signals[i], context =>
            {
                context.Cancel = true;
                _cancelled.Cancel();
            });
        }
    }

    public CancellationToken Token => _cancelled.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _cancelled.Dispose();
    }
}
