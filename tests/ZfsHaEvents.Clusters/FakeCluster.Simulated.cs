using System.Globalization;

namespace ZfsHaEvents.Clusters;

/// <summary>What the simulator does to a host.</summary>
sealed partial class FakeCluster
{
    public void Fault(string host, string fault, bool on) => Simulate("fault", HostDirectory(host), fault, on ? "on" : "off");

    /// <summary>The whole machine stands still: its kernel between two writes, and its agent.</summary>
    public void Freeze(string host)
    {
        Agent(host).Signal(Running.SigStop);
        Simulate("freeze", HostDirectory(host));
    }

    public void Thaw(string host)
    {
        Simulate("thaw", HostDirectory(host));
        Agent(host).Signal(Running.SigCont);
    }

    /// <summary>The processes that are a zpool command on the host now, by their pids.</summary>
    public IReadOnlyList<int> Commands(string host, string command) =>
    [
        .. from directory in System.IO.Directory.EnumerateDirectories("/proc")
           let name = Path.GetFileName(directory)
           where char.IsAsciiDigit(name[0]) && CommandLine(directory) is [_, "zpool", var run, ..] && run == command
               && Read(directory, "environ").Split('\0').Contains($"ZFS_SIMULATOR_HOST={HostDirectory(host)}")
           select int.Parse(name, CultureInfo.InvariantCulture),
    ];

    static string[] CommandLine(string process) => Read(process, "cmdline").Split('\0');

    static string Read(string process, string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ""; // Gone, or another user's.
        }
    }
}
