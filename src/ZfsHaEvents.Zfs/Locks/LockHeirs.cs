namespace ZfsHaEvents.Zfs.Locks;

/// <summary>Finds the processes that really have a lock: after its holder died, the orphans that inherited it.</summary>
static class LockHeirs
{
    /// <summary>Each as "pid N (command line)". A process that merely waits has the file open, but no lock on it.</summary>
    public static IReadOnlyList<string> Find(LockFile file)
    {
        if (PathOf($"/proc/self/fd/{file.Handle.DangerousGetHandle()}") is not { } path) return [];

        var heirs = new List<string>();
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            var pid = Path.GetFileName(process);
            if (char.IsAsciiDigit(pid[0]) && HasLocked(process, path)) heirs.Add($"pid {pid} ({CommandLine(process)})");
        }
        return heirs;
    }

    static bool HasLocked(string process, string path)
    {
        try
        {
            // fdinfo shows the locks of just that open file description (proc(5), /proc/pid/fdinfo).
            return Directory.EnumerateFiles(Path.Join(process, "fd")).Any(descriptor => PathOf(descriptor) == path
                && File.ReadAllText(Path.Join(process, "fdinfo", Path.GetFileName(descriptor))).Contains("FLOCK", StringComparison.Ordinal));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // It ended meanwhile, or is another user's.
        {
            return false;
        }
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
