using System.Diagnostics;
using System.Globalization;

namespace ZfsHaEvents.Testing;

/// <summary>
/// A file system of a few mebibytes, in memory and in a mount namespace of its own: only who enters that sees it, and it goes with the test
/// process, however that dies.
/// </summary>
public sealed class SmallDisk : IAsyncDisposable
{
    const string UntilInputEnds =
        """
        mount -t tmpfs -o "size=$2" tmpfs "$1" || exit
        [ "$(id -u)" = 0 ] && chown postgres:postgres "$1"
        echo mounted
        read -r word
        """;

    static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    static int _numbers;

    readonly Process _holder;

    SmallDisk(string directory, Process holder) => (Directory, _holder) = (directory, holder);

    /// <summary>Whether this user may mount one here.</summary>
    public static bool IsPossible { get; } = Environment.UserName == "root" && TryToMount();

    /// <summary>Where it is mounted, for who has entered its namespace.</summary>
    public string Directory { get; }

    /// <summary>What to put before a path within the namespace to reach it from outside.</summary>
    public string Seen => $"/proc/{_holder.Id}/root";

    /// <summary>What to put before a command so that it runs in the namespace.</summary>
    public IReadOnlyList<string> Enter => ["nsenter", $"--mount=/proc/{_holder.Id}/ns/mnt", "--"];

    /// <summary>Bytes that are free.</summary>
    public long Free => new DriveInfo(Seen + Directory).AvailableFreeSpace;

    /// <exception cref="InvalidOperationException">It could not be mounted; see <see cref="IsPossible"/>.</exception>
    public static async Task<SmallDisk> MountAsync(int mebibytes)
    {
        var directory = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"zfsha-disk-{Environment.ProcessId}-{Interlocked.Increment(ref _numbers)}"));
        System.IO.Directory.CreateDirectory(directory);
        string[] command = ["unshare", "--mount", "--propagation", "private", "--", "/bin/sh", "-c", UntilInputEnds, "sh", directory, $"{mebibytes}m"];
        var disk = new SmallDisk(directory, Process.Start(new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardInput = true, RedirectStandardOutput = true })!);
        using var limit = new CancellationTokenSource(Limit);
        if (await disk._holder.StandardOutput.ReadLineAsync(limit.Token) == "mounted") return disk;

        await disk.DisposeAsync();
        throw new InvalidOperationException("no tmpfs could be mounted in a mount namespace");
    }

    /// <summary>Makes it larger or smaller; what is on it stays.</summary>
    public async Task ResizeAsync(int mebibytes)
    {
        string[] command = [.. Enter, "mount", "-o", $"remount,size={mebibytes}m", Directory];
        using var process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1)))!;
        using var limit = new CancellationTokenSource(Limit);
        await process.WaitForExitAsync(limit.Token);
        if (process.ExitCode != 0) throw new InvalidOperationException($"{string.Join(' ', command)} exited with {process.ExitCode}");
    }

    public async ValueTask DisposeAsync()
    {
        _holder.StandardInput.Close();
        using var limit = new CancellationTokenSource(Limit);
        await _holder.WaitForExitAsync(limit.Token);
        _holder.Dispose();
        System.IO.Directory.Delete(Directory);
    }

    static bool TryToMount()
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("unshare", ["--mount", "--", "mount", "-t", "tmpfs", "tmpfs", Path.GetTempPath()]) { RedirectStandardError = true })!;
            return process.WaitForExit(Limit) && process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false; // No such program.
        }
    }
}
