using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ZfsHaEvents.Simulator.World;

/// <summary>The few system calls .NET has no name for.</summary>
static partial class Posix
{
    public const int Kill = 9;
    public const int Term = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    const int WriteOnly = 1;
    const int ReadWrite = 2;
    const int Create = 0x40;
    const int Append = 0x400;
    const int CloseOnExec = 0x80000;
    const int OwnerReadWrite = 0x1A4;
    const int LockExclusive = 2;
    const int Unlock = 8;
    const int NoSuchProcess = 3;

    /// <exception cref="Win32Exception">The file cannot be opened.</exception>
    public static SafeFileHandle OpenForAppend(string file) => Open(file, WriteOnly | Append | Create | CloseOnExec);

    /// <summary>Opens a file that is only locked, never read or written.</summary>
    /// <exception cref="Win32Exception">The file cannot be opened.</exception>
    public static SafeFileHandle OpenForLock(string file) => Open(file, ReadWrite | Create | CloseOnExec);

    /// <summary>One write(2) at the descriptor's own position.</summary>
    /// <exception cref="Win32Exception">Nothing or too little was written.</exception>
    public static void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes)
    {
        if (write(file, bytes, (nuint)bytes.Length) != bytes.Length) throw new Win32Exception();
    }

    /// <summary>Waits for the advisory lock that belongs to the open file, and takes it.</summary>
    public static void Lock(SafeFileHandle file) => Check(flock(file, LockExclusive));

    public static void Release(SafeFileHandle file) => Check(flock(file, Unlock));

    /// <summary>Sends a signal; false when there is no such process.</summary>
    public static bool Signal(int pid, int signal)
    {
        if (kill(pid, signal) == 0) return true;

        return Marshal.GetLastPInvokeError() == NoSuchProcess ? false : throw new Win32Exception();
    }

    static SafeFileHandle Open(string file, int flags)
    {
        var descriptor = open(file, flags, OwnerReadWrite);
        return descriptor >= 0 ? new(descriptor, ownsHandle: true) : throw new Win32Exception();
    }

    static void Check(int result)
    {
        if (result != 0) throw new Win32Exception();
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, int mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(SafeFileHandle file, ReadOnlySpan<byte> bytes, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(SafeFileHandle file, int operation);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);
}
