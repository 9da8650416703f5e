using System.Diagnostics;

namespace ZfsHaEvents.Zfs.Tests;

/// <summary>A cgroup of the v1 freezer: frozen, a process takes no signal, not even SIGKILL, as in an uninterruptible wait.</summary>
sealed class FrozenProcesses : IDisposable
{
    readonly string _directory;

    FrozenProcesses(string directory) => _directory = directory;

    public string ProcessesFile => Path.Join(_directory, "cgroup.procs");

    public string StateFile => Path.Join(_directory, "freezer.state");

    public static FrozenProcesses? TryCreate()
    {
        var directory = $"/sys/fs/cgroup/freezer/zfs-tests-{Environment.ProcessId}-{Stopwatch.GetTimestamp()}";
        try
        {
            Directory.CreateDirectory(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // No such controller here, or not root.
        {
            return null;
        }
        var frozen = new FrozenProcesses(directory);
        if (File.Exists(frozen.StateFile)) return frozen;
        Directory.Delete(directory);
        return null;
    }

    public void Thaw() => File.WriteAllText(StateFile, "THAWED");

    public void Dispose()
    {
        foreach (var id in File.ReadAllLines(ProcessesFile)) Process.GetProcessById(int.Parse(id, null)).Kill();
        Thaw();
        var giveUp = Stopwatch.StartNew();
        while (File.ReadAllText(ProcessesFile).Length > 0 && giveUp.Elapsed < TimeSpan.FromSeconds(5)) Thread.Sleep(10);
        Directory.Delete(_directory);
    }
}
