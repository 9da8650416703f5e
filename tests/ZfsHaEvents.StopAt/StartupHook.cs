using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

/// <summary>
/// Stops the process it is loaded into (SIGSTOP) exactly at a point that the product announces on a DiagnosticListener, so that a
/// test can send its SIGKILL there. Armed by the file that ZFSHA_STOP_AT names: "POINT N" means at the N-th time that the point is
/// reached from now on.
/// </summary>
/// <remarks>The runtime looks for this very type, in no namespace (docs/design/features/host-startup-hook.md of dotnet/runtime).</remarks>
#pragma warning disable CA1050 // Declare types in namespaces: the runtime looks for this very name.
public static partial class StartupHook
{
    const int SigStop = 19;

    static readonly Lock Gate = new();
    static string? _armed;
    static int _left;

    /// <summary>Called by the runtime before the program's Main.</summary>
    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable("ZFSHA_STOP_AT") is { Length: > 0 } file) DiagnosticListener.AllListeners.Subscribe(new Listeners(file));
    }

    static void Reached(string file, string point)
    {
        lock (Gate)
        {
            var text = File.Exists(file) ? File.ReadAllText(file).Trim() : "";
            if (text.Length == 0) return;
            if (text != _armed)
            {
                _armed = text;
                _left = int.Parse(text.Split(' ')[1], CultureInfo.InvariantCulture);
            }

            if (text.Split(' ')[0] != point || --_left > 0) return;
            File.Delete(file); // Once: whoever takes our place must not stop too.
            _ = Kill(Environment.ProcessId, SigStop);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);

    sealed class Listeners(string file) : IObserver<DiagnosticListener>
    {
        public void OnNext(DiagnosticListener value)
        {
            if (value.Name.StartsWith("ZfsHaEvents.", StringComparison.Ordinal)) value.Subscribe(new Points(file));
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }
    }

    sealed class Points(string file) : IObserver<KeyValuePair<string, object?>>
    {
        public void OnNext(KeyValuePair<string, object?> value) => Reached(file, value.Key);

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }
    }
}
