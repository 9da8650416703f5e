using System.Collections.Concurrent;
using System.Diagnostics;

namespace ZfsHaEvents.Zfs.Tests;

/// <summary>Notes the announced points of this process, with what is found out at each of them.</summary>
sealed class AnnouncedPoints : IDisposable, IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
{
    readonly ConcurrentQueue<(string Point, object? Payload, string Noted, AnnouncedPoints? Flow)> _points = [];
    static readonly AsyncLocal<AnnouncedPoints?> Present = new();

    readonly Func<string, string> _note;
    readonly IDisposable _listeners;
    IDisposable? _subscription;

    public AnnouncedPoints(Func<string, string> note)
    {
        _note = note;
        Present.Value = this;
        _listeners = DiagnosticListener.AllListeners.Subscribe(this);
    }

    /// <summary>What was noted at the points of the command with just these words; other tests run commands as well.</summary>
    public IReadOnlyList<string> Of(params string[] commandLine) =>
        [.. _points.Where(point => point.Payload is IReadOnlyList<string> words && words.SequenceEqual(commandLine)).Select(point => point.Noted)];

    /// <summary>What was noted at the points that the flow of the test reached, in order.</summary>
    public IReadOnlyList<string> OfThisFlow() => [.. _points.Where(point => point.Flow == this).Select(point => point.Noted)];

    public void OnNext(DiagnosticListener value)
    {
        if (value.Name == HostDiagnostics.ListenerName) _subscription = value.Subscribe(this);
    }

    public void OnNext(KeyValuePair<string, object?> value) => _points.Enqueue((value.Key, value.Value, _note(value.Key), Present.Value));

    public void OnCompleted()
    {
    }

    public void OnError(Exception error)
    {
    }

    public void Dispose()
    {
        _subscription?.Dispose();
        _listeners.Dispose();
    }
}
