using System.Globalization;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Tests;

/// <summary>What a process of this machine is at.</summary>
static class Processes
{
    const int UserTimeField = 11;
    const int SystemTimeField = 12;
    const int QuietSamples = 15;

    static readonly TimeSpan SampleEvery = TimeSpan.FromMilliseconds(60);
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Waits until the process, which is told to do nothing for ever, has come to that point: it sleeps and uses no processor. One
    /// that only waits for its turn is runnable, not asleep. A process that ended is settled too.
    /// </summary>
    public static async Task SettledAsync(RunningCommand command)
    {
        var until = DateTimeOffset.UtcNow + Limit;
        var before = -1L;
        for (var quiet = 0; quiet < QuietSamples && !command.HasExited; await Task.Delay(SampleEvery))
        {
            if (DateTimeOffset.UtcNow > until) throw new TimeoutException($"Process {command.Pid} does not come to rest.");
            var used = ProcessorTicks(command.Pid);
            quiet = used == before && ProcessStatus.Of(command.Pid) is { State: 'S' } ? quiet + 1 : 0;
            before = used;
        }
    }

    static long ProcessorTicks(int pid)
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return long.Parse(fields[UserTimeField], CultureInfo.InvariantCulture) + long.Parse(fields[SystemTimeField], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return -1; // It ended at this moment.
        }
    }
}
