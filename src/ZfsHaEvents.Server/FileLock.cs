using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ZfsHaEvents.Server;

/// <summary>flock(2): freed by the kernel when its holder dies, however it dies.</summary>
static partial class FileLock
{
    const int LockShared = 1, LockExclusive = 2, LockNonBlocking = 4;

    const int ReadWrite = 2, Create = 0x40, CloseOnExec = 0x80000; // open(2), the same numbers on x86-64 and arm64.

    /// <summary>A file to lock, made when there is none. .NET's own streams lock what they open, and refuse to open what another has locked.</summary>
    public static SafeFileHandle Open(string path)
    {
        var file = Open(path, ReadWrite | Create | CloseOnExec, 0x1A4 /* rw-r--r-- */);
        return file >= 0 ? new(file, ownsHandle: true) : throw new PrivateClusterException($"{path} cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    public static void Shared(SafeFileHandle file) => Check(Flock(file, LockShared));

    public static void Exclusive(SafeFileHandle file) => Check(Flock(file, LockExclusive));

    public static bool TryExclusive(SafeFileHandle file) => Flock(file, LockExclusive | LockNonBlocking) == 0;

    static void Check(int result)
    {
        if (result != 0) throw new PrivateClusterException("flock failed: " + Marshal.GetLastPInvokeErrorMessage());
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeFileHandle file, int operation);
}
