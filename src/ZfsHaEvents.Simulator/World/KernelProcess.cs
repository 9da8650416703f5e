using System.Globalization;

namespace ZfsHaEvents.Simulator.World;

/// <summary>The process that is a fake host's kernel.</summary>
static class KernelProcess
{
    /// <summary>The process id of the host's running kernel. A process that took over the number of a dead one is not it.</summary>
    public static int? Find(HostDirectory host)
    {
        if (LastPid(host) is not { } pid || ProcessStatus.Of(pid) is not { } status) return null;

        var boot = TruthLog.Read(host.World).LastOrDefault(entry => entry.Op == TruthOperation.Boot && entry.Host == host.Name);
        return boot?.Pid == pid && boot.StartTime == status.StartTime ? pid : null;
    }

    /// <summary>The process id of the host's last kernel, running or not.</summary>
    public static int? LastPid(HostDirectory host) => File.Exists(host.PidFile)
        ? int.Parse(File.ReadAllText(host.PidFile), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture)
        : null;
}
