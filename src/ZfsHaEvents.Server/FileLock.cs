using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ZfsHaEvents.Server;

/// <summary>flock(2): freed by the kernel when its holder dies, however it dies.</summary>
static partial class FileLock
{
    static readonly TimeSpan Again = TimeSpan.FromMilliseconds(20);

    const int LockShared = 1, LockExclusive = 2, LockNonBlocking = 4;

    const int Interrupted = 4, WouldBlock = 11; // errno(3)

    const int ReadWrite = 2, Create = 0x40, CloseOnExec = 0x80000; // open(2), the same numbers on x86-64 and arm64.

    /// <summary>A file to lock, made when there is none. .NET's own streams lock what they open, and refuse to open what another has locked.</summary>
    public static SafeFileHandle Open(string path)
    {
        var file = Open(path, ReadWrite | Create | CloseOnExec, 0x1A4 /* rw-r--r-- */);
        return file >= 0 ? new(file, ownsHandle: true) : throw new PrivateClusterException($"{path} cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>Waits for whoever holds it exclusively.</summary>
    public static Task SharedAsync(SafeFileHandle file, CancellationToken cancellation) => TakeAsync(file, LockShared, cancellation);

    /// <summary>Waits for everybody else.</summary>
    public static Task ExclusiveAsync(SafeFileHandle file, CancellationToken cancellation) => TakeAsync(file, LockExclusive, cancellation);

    /// <summary>False when somebody else has it. What this file held before may then be gone: flock(2) converts a lock by giving it up first.</summary>
    public static bool TryExclusive(SafeFileHandle file) => Try(file, LockExclusive);

    /// <summary>Asked again and again, for a wait inside flock(2) could not be cancelled.</summary>
    static async Task TakeAsync(SafeFileHandle file, int operation, CancellationToken cancellation)
    {
        while (!Try(file, operation)) await Task.Delay(Again, cancellation);
    }

    static bool Try(SafeFileHandle file, int operation) => Flock(file, operation | LockNonBlocking) == 0 || Marshal.GetLastPInvokeError() switch
    {
        WouldBlock or Interrupted => false,
        _ => throw new PrivateClusterException("flock failed: " + Marshal.GetLastPInvokeErrorMessage()),
    };

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeFileHandle file, int operation);
}
