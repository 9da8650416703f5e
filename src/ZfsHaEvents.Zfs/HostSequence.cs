using System.Globalization;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Zfs.Locks;

namespace ZfsHaEvents.Zfs;

/// <summary>
/// Numbers that order what the host's processes see: a look that happened later has the higher number, whichever process looked.
/// They start at 1 in every boot.
/// </summary>
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

        var boot = host.ReadBootId();
        var next = checked(Last(file.ReadText(), boot) + 1);
        // Of constant length, so that there is never less than a whole number in the file; needs no fsync, for it ends with the boot.
        file.Overwrite(string.Create(CultureInfo.InvariantCulture, $"{boot} {next:D19}\n"));
        return look(next);
    }

    /// <summary>The next number, for what is no look: a lock taken, a command about to be started.</summary>
    public long Next() => Draw(number => number);

    long Last(string text, BootId boot)
    {
        if (text.Length == 0) return 0;
        if (text.TrimEnd('\n').Split(' ') is [var bootText, var number]
            && BootId.TryParse(bootText, null, out var writtenIn)
            && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var last))
        {
            return writtenIn == boot ? last : 0;
        }

        // Beginning anew within a boot would make every later observation look older than those already reported.
        throw new HostException($"{Path.Join(host.RunDirectory, FileName)} is damaged: reboot the host, or correct it to the boot id, a space and the last number reported.");
    }
}
