using System.ComponentModel;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace ZfsHaEvents.Server;

/// <summary>
/// The process that a cluster's own <c>postmaster.pid</c> names. After a crash the file stays, and its pid may by now be any other process, another
/// PostgreSQL's too: so the process must also work in this data directory, as a postmaster does all its life.
/// </summary>
static partial class Postmaster
{
    /// <summary>PATH_MAX of limits.h.</summary>
    const int PathMax = 4096;

    /// <param name="data">The cluster's data directory.</param>
    /// <param name="socket">The directory of its unix socket.</param>
    public static bool Runs(string data, string socket) =>
        PidIn(data) is { } pid && IsPostgres(pid) && (WorkingDirectory(pid) is { } directory ? directory == Physical(data) : IsListenedTo(socket));

    /// <summary>
    /// PostgreSQL does not start while the pid in the file is that of a living process of the same user, whatever process that is; so the file is removed
    /// when it is certain that no process works in the data directory.
    /// </summary>
    /// <returns>The pid that was another's; null when there was nothing to remove.</returns>
    public static int? RemoveStale(string data)
    {
        if (PidIn(data) is not { } pid || WorkingDirectory(pid) is not { } elsewhere || elsewhere == Physical(data)) return null;
        var here = Physical(data);
        foreach (var process in Directory.EnumerateDirectories("/proc"))
            if (int.TryParse(Path.GetFileName(process), CultureInfo.InvariantCulture, out var other) && WorkingDirectory(other) == here) return null; // A child that has outlived its postmaster.

        File.Delete(Path.Combine(data, "postmaster.pid"));
        return pid;
    }

    static int? PidIn(string data)
    {
        try
        {
            return int.TryParse(File.ReadLines(Path.Combine(data, "postmaster.pid")).FirstOrDefault()?.Trim(), CultureInfo.InvariantCulture, out var pid) ? pid : null;
        }
        catch (IOException)
        {
            return null; // No such file.
        }
    }

    static bool IsPostgres(int pid)
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat")); // proc(5): pid, (name), state.
            return stat.Contains("(postgres", StringComparison.Ordinal) && stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X'); // A zombie is not running.
        }
        catch (IOException)
        {
            return false; // No such process.
        }
    }

    /// <summary>Null when there is no such process, or when it is not ours to know: root in a container without CAP_SYS_PTRACE.</summary>
    static string? WorkingDirectory(int pid) => new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/cwd")).LinkTarget;

    /// <summary>Nobody but our PostgreSQL listens in its private directory, and a dead one's socket refuses.</summary>
    static bool IsListenedTo(string directory)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(Path.Combine(directory, ".s.PGSQL.5432")));
            return true;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode == SocketError.WouldBlock; // Its queue is full: it is there, and slow.
        }
    }

    /// <summary>The path without symbolic links, as the kernel tells it.</summary>
    /// <exception cref="PrivateClusterException">There is no such directory.</exception>
    static string Physical(string path)
    {
        var resolved = new byte[PathMax];
        return RealPath(path, resolved) != 0
            ? Encoding.UTF8.GetString(resolved, 0, Array.IndexOf(resolved, (byte)0))
            : throw new PrivateClusterException($"{path}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
    }

    [LibraryImport("libc", EntryPoint = "realpath", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint RealPath(string path, [Out] byte[] resolved);
}
