using System.Globalization;

namespace ZfsHaEvents.Zfs.Locks;

/// <summary>A process that has a lock, or waits for it.</summary>
public sealed record LockProcess(int Pid, string CommandLine)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"pid {Pid} ({CommandLine})");
}

/// <summary>Finds the processes that really have a lock: after its holder died, the orphans that inherited it.</summary>
static class LockHeirs
{
    /// <summary>A process that merely waits has the file open, but no lock on it.</summary>
    public static IReadOnlyList<LockProcess> Find(LockFile file) =>
        PathOf($"/proc/self/fd/{file.Handle.DangerousGetHandle()}") is { } path ? [.. FindAll(other => other == path).Where(user => user.Has).Select(user => user.Process)] : [];

    /// <summary>Every process that has a file open whose path is wanted, and whether it has the lock on it.</summary>
    public static IReadOnlyList<(string Path, LockProcess Process, bool Has)> FindAll(Predicate<string> isWanted)
    {
        var found = new List<(string, LockProcess, bool)>();
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(process), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)) continue;
            var used = Uses(process, isWanted);
            if (used.Count == 0) continue;
            var user = new LockProcess(pid, CommandLine(process));
            found.AddRange(used.Select(file => (file.Key, user, file.Value)));
        }
        return found;
    }

    static Dictionary<string, bool> Uses(string process, Predicate<string> isWanted)
    {
        var used = new Dictionary<string, bool>();
        try
        {
            foreach (var descriptor in Directory.EnumerateFiles(Path.Join(process, "fd")))
            {
                if (PathOf(descriptor) is not { } path || !isWanted(path)) continue;
                // fdinfo shows the locks of just that open file description (proc(5), /proc/pid/fdinfo).
                var has = File.ReadAllText(Path.Join(process, "fdinfo", Path.GetFileName(descriptor))).Contains("FLOCK", StringComparison.Ordinal);
                used[path] = has || used.GetValueOrDefault(path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // It ended meanwhile, or is another user's.
        {
        }
        return used;
    }

    static string? PathOf(string descriptor) => new FileInfo(descriptor).LinkTarget;

    static string CommandLine(string process)
    {
        const int wordsMax = 4;
        try
        {
            return string.Join(' ', File.ReadAllText(Path.Join(process, "cmdline")).Split('\0', StringSplitOptions.RemoveEmptyEntries).Take(wordsMax));
        }
        catch (IOException) // It ended meanwhile.
        {
            return "ended";
        }
    }
}
