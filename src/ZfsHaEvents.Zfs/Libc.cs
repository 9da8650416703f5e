using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ZfsHaEvents.Zfs;

/// <summary>
/// The system calls that .NET does not offer. Its own file streams lock behind the caller's back (FileShare is a flock), cannot open
/// a directory to fsync it, and cannot refuse a symbolic link.
/// </summary>
static partial class Libc
{
    public const int SignalHangUp = 1;
    public const int SignalInterrupt = 2;
    public const int SignalQuit = 3;
    public const int SignalTerminate = 15;

    // errno(3): the HResult of an IOException, ours or .NET's.
    public const int NotPermitted = 1;
    public const int AccessDenied = 13;
    public const int Exists = 17;
    public const int NotADirectory = 20;
    public const int NoSpace = 28;
    public const int ReadOnlyFileSystem = 30;
    public const int TooManyLinks = 40;
    public const int QuotaExceeded = 122;

    const int ReadOnly = 0;
    const int ReadWrite = 2;
    const int Create = 0x40;
    const int CloseOnExec = 0x80000;
    const int LockExclusive = 2;
    const int LockNonBlocking = 4;
    const int SetDescriptorFlags = 2;
    const int DescriptorCloseOnExec = 1;
    const int EmptyPath = 0x1000;
    const uint StatxBasicStats = 0x7ff;
    const int WouldBlock = 11;
    const int Interrupted = 4;
    const int ClockBootTime = 7;

    // These two differ between architectures (asm-generic/fcntl.h against arch/arm64/include/uapi/asm/fcntl.h).
    static readonly int NoFollow = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x8000 : 0x20000;
    static readonly int DirectoryOnly = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x4000 : 0x10000;

    /// <summary>Opens a directory, close-on-exec.</summary>
    /// <exception cref="IOException">Also for a symbolic link to one, unless links are followed.</exception>
    public static SafeFileHandle OpenDirectory(string path, bool followLink) =>
        Handle(open(path, ReadOnly | DirectoryOnly | CloseOnExec | (followLink ? 0 : NoFollow), 0), path);

    /// <summary>Makes a directory, with its parents if need be, unless it is there already.</summary>
    /// <exception cref="IOException"/>
    /// <exception cref="UnauthorizedAccessException"/>
    public static void MakeDirectory(string path, uint mode)
    {
        if (Path.GetDirectoryName(path) is { } parent) Directory.CreateDirectory(parent);
        if (mkdir(path, mode) != 0 && Marshal.GetLastPInvokeError() is not Exists and var error) throw Failure(path, error);
    }

    /// <summary>Opens or creates (0600) a file in the directory, close-on-exec; a symbolic link in its place is refused.</summary>
    /// <exception cref="IOException"/>
    public static SafeFileHandle OpenFileIn(SafeFileHandle directory, string name) =>
        Handle(openat(directory, name, ReadWrite | Create | NoFollow | CloseOnExec, 0x180), name);

    /// <summary>flock(2), exclusive, without waiting.</summary>
    /// <returns>False when another open file description has it.</returns>
    /// <exception cref="IOException"/>
    public static bool TryLock(SafeFileHandle file)
    {
        while (flock(file, LockExclusive | LockNonBlocking) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error == WouldBlock) return false;
            if (error != Interrupted) throw Failure("flock", error);
        }
        return true;
    }

    /// <summary>Whether the descriptor is closed in children.</summary>
    /// <exception cref="IOException"/>
    public static void SetCloseOnExec(SafeFileHandle file, bool close)
    {
        if (fcntl(file, SetDescriptorFlags, close ? DescriptorCloseOnExec : 0) != 0) throw Failure("fcntl", Marshal.GetLastPInvokeError());
    }

    /// <exception cref="IOException"/>
    public static void Sync(SafeFileHandle file)
    {
        if (fsync(file) != 0) throw Failure("fsync", Marshal.GetLastPInvokeError());
    }

    /// <returns>False when there is no such process any more.</returns>
    public static bool Signal(int pid, int signal) => kill(pid, signal) == 0;

    /// <summary>What an open descriptor refers to; null when it refers to nothing.</summary>
    public static FileStatus? Status(SafeFileHandle file) =>
        statx(file, "", EmptyPath, StatxBasicStats, out var status) == 0 ? status : null;

    public static uint EffectiveUser() => geteuid();

    /// <summary>CLOCK_BOOTTIME: the same for every process of the host, never set, and running on while the host sleeps.</summary>
    /// <exception cref="IOException"/>
    public static long MicrosecondsSinceBoot() =>
        clock_gettime(ClockBootTime, out var time) == 0
            ? ((long)time.Seconds * 1_000_000) + ((long)time.Nanoseconds / 1000)
            : throw Failure("clock_gettime", Marshal.GetLastPInvokeError());

    static SafeFileHandle Handle(int descriptor, string path) =>
        descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failure(path, Marshal.GetLastPInvokeError());

    static IOException Failure(string what, int error) => new($"{what}: {new Win32Exception(error).Message}", error);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int openat(SafeFileHandle directory, string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkdir(string path, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(SafeFileHandle file, int operation);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(SafeFileHandle file, int command, nint argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(SafeFileHandle file);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);

    [LibraryImport("libc")]
    private static partial uint geteuid();

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(SafeFileHandle directory, string path, int flags, uint mask, out FileStatus status);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int clock_gettime(int clock, out TimeSpec time);

    /// <summary>struct timespec, whose members are as wide as a pointer on the architectures that ZFS runs on.</summary>
    [StructLayout(LayoutKind.Sequential)]
    readonly struct TimeSpec
    {
        public readonly nint Seconds;
        public readonly nint Nanoseconds;
    }

    /// <summary>The part of struct statx (statx(2)) that we read; its layout is the same on every architecture, unlike struct stat's.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    public readonly record struct FileStatus
    {
        [FieldOffset(20)] public readonly uint User;
        [FieldOffset(28)] public readonly ushort Mode;
        [FieldOffset(32)] public readonly ulong Inode;
        [FieldOffset(136)] public readonly uint DeviceMajor;
        [FieldOffset(140)] public readonly uint DeviceMinor;

        public bool SameFileAs(FileStatus other) => (Inode, DeviceMajor, DeviceMinor) == (other.Inode, other.DeviceMajor, other.DeviceMinor);
    }
}
