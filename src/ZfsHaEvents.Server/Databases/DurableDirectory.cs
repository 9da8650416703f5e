using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ZfsHaEvents.Server.Databases;

/// <summary>Makes the names in a directory survive a power loss, as fsync(2) of a file alone does not. .NET opens no directories.</summary>
static partial class DurableDirectory
{
    const int CloseOnExec = 0x80000; // open(2); read only is 0.

    /// <exception cref="IOException">A failing disk.</exception>
    public static void Sync(string path)
    {
        var descriptor = Open(path, CloseOnExec);
        using var directory = new SafeFileHandle(descriptor, ownsHandle: descriptor >= 0);
        if (descriptor < 0 || Fsync(directory) != 0) throw new IOException($"{path} cannot be made durable: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(SafeFileHandle file);
}
