using System.Globalization;

namespace ZfsHaEvents.Zfs.Locks;

/// <summary>
/// A process of this machine. The start time tells it from a later process with the same id.
/// </summary>
/// <param name="StartTicks">Field 22 of <c>/proc/PID/stat</c> (proc(5)): clock ticks from the machine's boot to the process's start.</param>
public sealed record ProcessIdentity(int Id, ulong StartTicks)
{
    public static ProcessIdentity Current { get; } =
        Of(Environment.ProcessId) ?? throw new HostException("/proc/self/stat cannot be read: is /proc mounted?");

    /// <summary>The process that has the id now; null when there is none, or only its unburied remains, which hold no files.</summary>
    public static ProcessIdentity? Of(int id)
    {
        string stat;
        try
        {
            stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/stat"));
        }
        catch (IOException) // No such process, or it ended while being read.
        {
            return null;
        }

        // The second field is the program's name in brackets, which may itself hold spaces and brackets.
        var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        const int state = 0, startTime = 19;
        if (fields.Length <= startTime || fields[state] is "Z" or "X") return null;
        return new(id, ulong.Parse(fields[startTime], CultureInfo.InvariantCulture));
    }

    /// <summary>Whether the very process is still there.</summary>
    public bool IsAlive() => Of(Id) == this;
}
