using System.Globalization;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Zfs.Locks;

namespace ZfsHaEvents.Zfs;

/// <summary>
/// Numbers that order what the host's processes see: a look that happened later has the higher number, whichever process looked.
/// </summary>
/// <remarks>
/// A number is the microseconds since boot, or one more than the last where that is higher. So it grows even over a lost file: a number
/// that came again would make later observations look older than those already reported. The run directory should survive a restart of
/// the agent all the same (systemd: <c>RuntimeDirectoryPreserve=yes</c>), and be kept from cleaners of temporary files: the locks are in it.
/// </remarks>
public sealed class HostSequence(HostEnvironment host)
{
    const string FileName = "sequence";

    /// <summary>Draws the next number and looks while no other process can draw one.</summary>
    /// <param name="look">Given the number; must take microseconds and start no process, for everybody waits for it.</param>
    /// <exception cref="HostException">The number cannot be drawn.</exception>
    public T Draw<T>(Func<long, T> look)
    {
        const uint everybodyMayLook = 0x1ed; // 0755
        using var file = LockFile.Open(host.RunDirectory, FileName, everybodyMayLook);
        file.LockBriefly(Path.Join(host.RunDirectory, FileName));
        return look(Next(file));
    }

    /// <summary>The next number, for what is no look: a lock taken, a command about to be started.</summary>
    public long Next() => Draw(number => number);

    long Next(LockFile file)
    {
        var boot = host.ReadBootId();
        try
        {
            var next = checked(Math.Max(Last(file.ReadText(), boot), Libc.MicrosecondsSinceBoot()) + 1);
            // Of constant length, so that there is never less than a whole number in the file; needs no fsync, for it ends with the boot.
            file.Overwrite(string.Create(CultureInfo.InvariantCulture, $"{boot} {next:D19}\n"));
            return next;
        }
        catch (IOException e) // A full or failing disk: without its number written down a look is not ordered.
        {
            throw new HostException($"No number can be drawn from {Path.Join(host.RunDirectory, FileName)} ({e.Message}): is {host.RunDirectory} full?", e);
        }
    }

    /// <summary>The last number of this boot; 0 when the file was lost, or is damaged, which the clock makes good.</summary>
    static long Last(string text, BootId boot) =>
        text.TrimEnd('\n').Split(' ') is [var bootText, var number]
        && BootId.TryParse(bootText, null, out var writtenIn) && writtenIn == boot
        && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var last)
            ? last
            : 0;
}
