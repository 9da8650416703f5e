using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Locks;

namespace ZfsHaEvents.Zfs.Commands;

/// <summary>An external command to run: never a shell string, always with a time limit.</summary>
/// <param name="Program">The program's file.</param>
/// <param name="Arguments">Passed literally, whatever characters they hold.</param>
/// <param name="Limit">How long it may take; past it the command is ended, as far as that can be done.</param>
public sealed record ChildCommand(string Program, IReadOnlyList<string> Arguments, TimeSpan Limit)
{
    /// <summary>The lock the command works under. It inherits the lock's descriptor, so that the lock outlives us if we die first.</summary>
    public HeldLock? Under { get; init; }

    /// <summary>The command changes something: its start and exit are announced (<see cref="HostDiagnostics"/>).</summary>
    public bool HasEffect { get; init; }

    /// <summary>The program's name and its arguments, for people.</summary>
    public IReadOnlyList<string> CommandLine() => [Path.GetFileName(Program), .. Arguments];
}

/// <summary>How a command ran, and what it printed.</summary>
/// <param name="Stdout">Up to 4 MiB of it.</param>
/// <param name="StdoutCut">It printed more than that: the end is missing.</param>
public sealed record ChildResult(ZpoolRun Run, string Stdout, bool StdoutCut)
{
    /// <summary>The command exited with 0 and its output is whole.</summary>
    public bool Succeeded() => Run is { Ended: true, ExitCode: 0 } && !StdoutCut;
}
