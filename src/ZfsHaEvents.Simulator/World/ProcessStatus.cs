using System.Globalization;

namespace ZfsHaEvents.Simulator.World;

/// <summary>A process of this machine as the real /proc has it (proc_pid_stat(5)).</summary>
/// <param name="State">R, S, D, T (stopped), Z (a zombie, so gone) ...</param>
/// <param name="StartTime">Ticks after the machine's boot; with the process id it names one process for ever.</param>
readonly record struct ProcessStatus(char State, long StartTime)
{
    const int StateField = 0;
    const int StartTimeField = 19;

    public bool Stopped => State is 'T' or 't';

    /// <summary>The process, or nothing when it is gone.</summary>
    public static ProcessStatus? Of(int pid)
    {
        try
        {
            // The name is in parentheses and may hold anything; the fields go on after the last one.
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            var status = new ProcessStatus(fields[StateField][0], long.Parse(fields[StartTimeField], CultureInfo.InvariantCulture));
            return status.State is 'Z' or 'X' ? null : status;
        }
        catch (IOException)
        {
            // No such process, or it ended between the opening and the reading.
            return null;
        }
    }
}
