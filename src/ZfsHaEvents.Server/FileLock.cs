using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ZfsHaEvents.Server;

/// <summary>flock(2): freed by the kernel when its holder dies, however it dies.</summary>
static partial class FileLock
{
    const int LockShared = 1, LockExclusive = 2, LockNonBlocking = 4;

    public static void Shared(SafeFileHandle file) => Check(Flock(file, LockShared));

    public static void Exclusive(SafeFileHandle file) => Check(Flock(file, LockExclusive));

    public static bool TryExclusive(SafeFileHandle file) => Flock(file, LockExclusive | LockNonBlocking) == 0;

    static void Check(int result)
    {
        if (result != 0) throw new PrivateClusterException("flock failed: " + Marshal.GetLastPInvokeErrorMessage());
    }

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeFileHandle file, int operation);
}
