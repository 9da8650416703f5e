using System.Globalization;

namespace ZfsHaEvents.Zfs.Locks;

/// <summary>
/// Which lock files are locked, asked of the kernel. Trying the lock would tell as well, and would for that moment keep it from somebody
/// who does not wait.
/// </summary>
sealed class KernelLocks
{
    readonly HashSet<string> _locked;
    readonly ILookup<string, (LockProcess Process, bool Has)> _users;

    KernelLocks(HashSet<string> locked, ILookup<string, (LockProcess, bool)> users) => (_locked, _users) = (locked, users);

    /// <summary>
    /// Looks once at the locks of the files in a directory. Both sources are needed: <c>/proc/locks</c> leaves out locks of other pid
    /// namespaces, and from one process to the next a lock may pass unseen from a parent to its child.
    /// </summary>
    public static KernelLocks Look(string directory)
    {
        using var opened = Libc.OpenDirectory(directory, followLink: false);
        var real = new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{opened.DangerousGetHandle()}")).LinkTarget ?? directory; // Without links above it, as the kernel names it.
        var locked = LockedFiles();
        var users = LockHeirs.FindAll(path => path.StartsWith(real + "/", StringComparison.Ordinal));
        return new(locked, users.Where(user => user.Process.Pid != Environment.ProcessId || user.Has).ToLookup(user => Path.GetFileName(user.Path), user => (user.Process, user.Has)));
    }

    /// <summary>Whether anybody has the lock.</summary>
    public bool IsHeld(LockFile file, string name) =>
        _users[name].Any(user => user.Has) || (Libc.Status(file.Handle) is { } status && _locked.Contains(Written(status)));

    public IReadOnlyList<LockProcess> Holding(string name) => [.. _users[name].Where(user => user.Has).Select(user => user.Process)];

    public IReadOnlyList<LockProcess> Waiting(string name) => [.. _users[name].Where(user => !user.Has).Select(user => user.Process)];

    /// <summary>As proc_locks(5) writes a file: major and minor number of its device in hexadecimal, inode number.</summary>
    static string Written(Libc.FileStatus file) => string.Create(CultureInfo.InvariantCulture, $"{file.DeviceMajor:x2}:{file.DeviceMinor:x2}:{file.Inode}");

    /// <summary>A line is "1: FLOCK ADVISORY WRITE pid device:inode 0 EOF"; one that waits has "->" after its number.</summary>
    static HashSet<string> LockedFiles()
    {
        const int kind = 1, file = 5;
        try
        {
            return [.. File.ReadLines("/proc/locks").Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(fields => fields.Length > file && fields[kind] == "FLOCK").Select(fields => fields[file])];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // Not in every container; the processes are asked as well.
        {
            return [];
        }
    }
}
