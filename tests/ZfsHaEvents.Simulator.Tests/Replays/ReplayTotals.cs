using Xunit;
using ZfsHaEvents.Simulator.Tests.Replays;

[assembly: AssemblyFixture(typeof(ReplayTotals))]

namespace ZfsHaEvents.Simulator.Tests.Replays;

/// <summary>Counts the lines of all replays, and says at the end how many were compared how.</summary>
public sealed class ReplayTotals : IDisposable
{
    int _commands;
    int _exact;
    int _masked;
    int _leftOut;

    internal void Add(int commands, int exact, int masked, int leftOut)
    {
        Interlocked.Add(ref _commands, commands);
        Interlocked.Add(ref _exact, exact);
        Interlocked.Add(ref _masked, masked);
        Interlocked.Add(ref _leftOut, leftOut);
    }

    public void Dispose() => Console.Out.WriteLine(
        $"Replays: {_commands} recorded commands; {_exact} lines equal as they stand, {_masked} equal but for times, GUIDs and counters, " +
        $"{_leftOut} of the recorded lines left out (not ZFS's, or not simulated).");
}
