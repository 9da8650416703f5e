using System.Text;
using Microsoft.Win32.SafeHandles;

namespace ZfsHaEvents.Zfs.Locks;

/// <summary>
/// A file to lock, on an open file description of its own: flock(2) then excludes other threads of this process as it excludes other
/// processes. It is never deleted: a waiter would lock the deleted file while a newcomer locks a new one.
/// </summary>
sealed class LockFile : IDisposable
{
    /// <summary>Longer than any record; a longer text is not ours.</summary>
    const int TextBytesMax = 16 * 1024;

    LockFile(SafeFileHandle handle) => Handle = handle;

    public SafeFileHandle Handle { get; }

    /// <summary>Opens or creates the file in a directory that is made if need be, and must be ours alone and no symbolic link.</summary>
    /// <exception cref="HostException">It cannot be had safely.</exception>
    public static LockFile Open(string directory, string name, uint directoryMode)
    {
        try
        {
            Libc.MakeDirectory(directory, directoryMode);
            return OpenIn(directory, name);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // A full or read-only disk, a symbolic link, not root.
        {
            throw HostException.At(directory, $"The lock {Path.Join(directory, name)} cannot be opened", e);
        }
    }

    /// <summary>Opens a file that is there already, to read it. Nothing is made but, should it have gone meanwhile, the file.</summary>
    /// <exception cref="HostException">It cannot be had safely.</exception>
    public static LockFile OpenExisting(string directory, string name)
    {
        try
        {
            return OpenIn(directory, name);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // A symbolic link, not root, a failing disk.
        {
            throw HostException.At(directory, $"The lock {Path.Join(directory, name)} cannot be read", e);
        }
    }

    static LockFile OpenIn(string directory, string name)
    {
        using var opened = Libc.OpenDirectory(directory, followLink: false);
        const ushort writableByOthers = 0x12;
        if (Libc.Status(opened) is not { } status || status.User != Libc.EffectiveUser() || (status.Mode & writableByOthers) != 0)
            throw new HostException($"{directory} belongs to another user or can be written by others: locks in it protect nothing. Remove it.");
        return new(Libc.OpenFileIn(opened, name));
    }

    /// <summary>Another handle on an open file description that already is this process's: it was inherited.</summary>
    public static LockFile Adopt(SafeFileHandle inherited) => new(inherited);

    /// <returns>False when somebody else has it.</returns>
    public bool TryLock() => Libc.TryLock(Handle);

    /// <summary>Waits for the lock, a short time only, for what is held for microseconds.</summary>
    /// <exception cref="HostException">It was not to be had: somebody is stopped while holding it.</exception>
    public void LockBriefly(string what)
    {
        var giveUp = Environment.TickCount64 + 10_000;
        while (!TryLock())
        {
            if (Environment.TickCount64 > giveUp) throw new HostException($"{what} has been locked for 10 s by another process, which must be stopped (SIGSTOP) or hung.");
            Thread.Sleep(1);
        }
    }

    public string ReadText()
    {
        var buffer = new byte[TextBytesMax];
        return Encoding.UTF8.GetString(buffer, 0, RandomAccess.Read(Handle, buffer, 0));
    }

    /// <summary>Makes the text the file's whole content.</summary>
    public void WriteText(string text)
    {
        RandomAccess.SetLength(Handle, 0);
        Overwrite(text);
    }

    /// <summary>Writes over the beginning of the file, in one system call.</summary>
    public void Overwrite(string text) => RandomAccess.Write(Handle, Encoding.UTF8.GetBytes(text), 0);

    public void Clear() => RandomAccess.SetLength(Handle, 0);

    /// <summary>
    /// Closes our descriptor. The kernel frees the lock with the last descriptor of the description, so a child that
    /// inherited it keeps it; an explicit unlock would take it from that child.
    /// </summary>
    public void Dispose() => Handle.Dispose();
}
