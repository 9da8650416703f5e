using System.Globalization;
using ZfsHaEvents.Domain;

namespace ZfsHaEvents.Zfs;

/// <summary>Where a host's kernel files, ZFS programs and our own files are.</summary>
/// <param name="Name">The name the host's agent registers with.</param>
public sealed record HostEnvironment(HostName Name)
{
    const long Mebibyte = 1024 * 1024;

    /// <summary>Where programs are looked for when <see cref="Sbin"/> is not given; not <c>PATH</c>, which differs between a daemon and a shell.</summary>
    static readonly string[] ProgramDirectories = ["/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin", "/bin"];

    /// <summary>The prefix under which the host's <c>/proc</c>, <c>/sys</c> and <c>/dev</c> are read.</summary>
    public string Root { get; init; } = "/";

    /// <summary>The folder of <c>zpool</c>, <c>zfs</c> and <c>zdb</c>; null to look in the usual ones.</summary>
    public string? Sbin { get; init; }

    /// <summary>What must survive a reboot: the epochs obeyed, the spool.</summary>
    public string StateDirectory { get; init; } = "/var/lib/zfsha";

    /// <summary>What must not survive a reboot: the locks, the sequence.</summary>
    public string RunDirectory { get; init; } = "/run/zfsha";

    /// <summary>How much of the state directory's disk the spool may take; a mebibyte is 256 entries of ordinary size.</summary>
    public long SpoolBytesMax { get; init; } = 128 * Mebibyte;

    /// <summary>
    /// The environment that the variables <c>ZFSHA_HOST</c>, <c>ZFSHA_HOST_ROOT</c>, <c>ZFSHA_SBIN</c>, <c>ZFSHA_STATE_DIR</c>,
    /// <c>ZFSHA_RUN_DIR</c> and <c>ZFSHA_SPOOL_LIMIT_MB</c> describe; the host name defaults to the machine's, up to the first dot.
    /// </summary>
    /// <exception cref="HostException">A variable holds something unusable.</exception>
    public static HostEnvironment FromVariables()
    {
        var text = Variable("ZFSHA_HOST") ?? Environment.MachineName.Split('.')[0];
        if (!HostName.TryParse(text, null, out var name))
            throw new HostException($"'{text}' cannot be this host's name (letters, digits, '.', '_' and '-', {HostName.LengthMax} at most): set ZFSHA_HOST.");

        var host = new HostEnvironment(name) { Sbin = Directory("ZFSHA_SBIN") };
        return host with
        {
            Root = Directory("ZFSHA_HOST_ROOT") ?? host.Root,
            StateDirectory = AbsolutePath("ZFSHA_STATE_DIR") ?? host.StateDirectory,
            RunDirectory = AbsolutePath("ZFSHA_RUN_DIR") ?? host.RunDirectory,
            SpoolBytesMax = Mebibytes("ZFSHA_SPOOL_LIMIT_MB") ?? host.SpoolBytesMax,
        };
    }

    /// <summary>The path under <see cref="Root"/> of a file that every host has at the given absolute path.</summary>
    public string PathOf(string absolutePath) => Path.Join(Root, absolutePath.TrimStart('/'));

    /// <summary>Whether this host has a device node at the path.</summary>
    public bool HasDevice(string absolutePath) => Path.Exists(PathOf(absolutePath));

    /// <summary>The file of one of ZFS's programs. It need not exist: starting it then fails with the system's words.</summary>
    public string ProgramFile(string program)
    {
        if (Sbin is not null) return Path.Join(Sbin, program);
        var candidates = ProgramDirectories.Select(directory => Path.Join(directory, program)).ToList();
        return candidates.Find(File.Exists) ?? candidates[0];
    }

    /// <exception cref="HostException">The kernel's boot id cannot be read.</exception>
    public BootId ReadBootId()
    {
        var (file, text) = ReadKernelFile("/proc/sys/kernel/random/boot_id", "is /proc mounted?");
        return BootId.TryParse(text, null, out var boot) ? boot : throw new HostException($"{file} holds '{text}', which is not a boot id.");
    }

    /// <summary>SPL's active hostid, the one that ZFS writes into labels; not what <c>hostid</c>(1) prints.</summary>
    /// <exception cref="HostException">It cannot be read, as when the module is not loaded.</exception>
    public ZfsHostId ReadHostId()
    {
        var (file, text) = ReadKernelFile("/sys/module/spl/parameters/spl_hostid", "is the ZFS module loaded? Try 'modprobe zfs'.");
        return uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var hostId)
            ? new ZfsHostId(hostId)
            : throw new HostException($"{file} holds '{text}', which is not a decimal 32-bit hostid.");
    }

    (string File, string Text) ReadKernelFile(string path, string hint)
    {
        var file = PathOf(path);
        try
        {
            return (file, File.ReadAllText(file).Trim());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // Absent, or not for us: said with what to do about it.
        {
            throw new HostException($"{file} cannot be read ({e.Message}): {hint}", e);
        }
    }

    static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    static string? AbsolutePath(string variable)
    {
        if (Variable(variable) is not { } path) return null;
        return Path.IsPathFullyQualified(path) ? Path.TrimEndingDirectorySeparator(path) : throw new HostException($"{variable} is '{path}': expected an absolute path.");
    }

    static long? Mebibytes(string variable)
    {
        const int max = 1024 * 1024; // A tebibyte.
        if (Variable(variable) is not { } text) return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= max
            ? number * Mebibyte
            : throw new HostException($"{variable} is '{text}': expected a whole number of mebibytes from 1 to {max}.");
    }

    static string? Directory(string variable)
    {
        if (AbsolutePath(variable) is not { } path) return null;
        return System.IO.Directory.Exists(path) ? path : throw new HostException($"{variable} is '{path}', which is not a directory.");
    }
}
