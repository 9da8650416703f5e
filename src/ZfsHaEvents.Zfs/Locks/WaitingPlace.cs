using System.Globalization;
using System.Text;
using ZfsHaEvents.Domain;

namespace ZfsHaEvents.Zfs.Locks;

/// <summary>
/// A place among those who wait for a host lock, in the order in which they asked: a small file for each, beside the lock's. It says whose turn
/// it is, so that nobody is overtaken for ever; it protects nothing: who has the lock the kernel alone knows.
/// </summary>
/// <remarks>
/// Nothing is locked to read or write a place, so nobody who is killed or stopped while doing so holds up the others. A place counts only as
/// long as it is kept up: one whose process has ended, or is stopped, is passed over, and has its turn back when it goes on.
/// </remarks>
sealed class WaitingPlace : IDisposable
{
    const string Suffix = ".waiting";

    /// <summary>Longer than a busy machine lets a process wait for its turn to run.</summary>
    static readonly long KeptUpMicroseconds = (long)TimeSpan.FromSeconds(2).TotalMicroseconds;

    /// <summary>Until then it is not even asked whether the process lives. Longer than anybody sleeps between two looks.</summary>
    static readonly long FreshMicroseconds = (long)TimeSpan.FromMilliseconds(600).TotalMicroseconds;

    static int _numbers;

    readonly string _directory;
    readonly string _pool;
    readonly string _name;
    bool _taken;

    /// <summary>A place as of now; others see it once it is kept up.</summary>
    public WaitingPlace(string directory, PoolGuid pool)
    {
        (_directory, _pool) = (directory, pool.ToString());
        // Names in order are places in order: of constant width, the time of asking comes first.
        _name = string.Create(CultureInfo.InvariantCulture, $"{pool}.{Libc.MicrosecondsSinceBoot():D19}.{Environment.ProcessId}.{Interlocked.Increment(ref _numbers)}{Suffix}");
    }

    /// <summary>Says that we still wait.</summary>
    /// <exception cref="HostException"/>
    /// <exception cref="IOException"/>
    public void KeepUp()
    {
        using var file = LockFile.OpenExisting(_directory, _name); // By its name each time: after a long stop others may have removed it.
        _taken = true;
        RandomAccess.Write(file.Handle, Encoding.ASCII.GetBytes(Libc.MicrosecondsSinceBoot().ToString("D19", CultureInfo.InvariantCulture)), 0);
    }

    /// <summary>How many asked earlier; none when nobody of them still waits. What the dead left is removed on the way.</summary>
    /// <exception cref="IOException"/>
    public int Ahead()
    {
        var earlier = Directory.EnumerateFiles(_directory, $"{_pool}.*{Suffix}").Select(path => Path.GetFileName(path)).Where(name => string.CompareOrdinal(name, _name) < 0).Order(StringComparer.Ordinal).ToList();
        return earlier.Exists(Waits) ? earlier.Count : 0;
    }

    public void Dispose()
    {
        try
        {
            if (_taken) File.Delete(Path.Join(_directory, _name));
        }
        catch (IOException) // It is passed over in two seconds. The lock that may have been had by now matters more.
        {
        }
    }

    bool Waits(string name)
    {
        if (name.Split('.') is not [_, var asked, var pid, _, _]
            || !long.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out var since) || !int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out var process))
        {
            return false;
        }

        // One that has just been made, or was never written to, counts from its name.
        var age = Libc.MicrosecondsSinceBoot() - Math.Max(since, LastKeptUp(name));
        if (age < FreshMicroseconds) return true;
        if (ProcessIdentity.Of(process) is not null) return age < KeptUpMicroseconds;
        File.Delete(Path.Join(_directory, name));
        return false;
    }

    long LastKeptUp(string name)
    {
        try
        {
            return long.TryParse(File.ReadAllText(Path.Join(_directory, name)), NumberStyles.None, CultureInfo.InvariantCulture, out var at) ? at : 0;
        }
        catch (FileNotFoundException) // It has its turn, or has given up.
        {
            return 0;
        }
    }
}
