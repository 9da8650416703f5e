using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace ZfsHaEvents.Zfs.Posture;

/// <summary>Reads the files that a host's posture shows in. Starts no process, writes nothing.</summary>
sealed partial class HostFiles(HostEnvironment host)
{
    /// <summary>More than any of them holds, but for the cache of many big pools.</summary>
    const int TextBytesMax = 64 * 1024;
    const int CacheBytesMax = 16 * 1024 * 1024;

    const string CommandLineFile = "/proc/cmdline";
    const string HostIdFileName = "/etc/hostid";
    const string CacheFile = "/etc/zfs/zpool.cache";

    /// <summary>Masks a unit, or a link to one (systemd.unit(5)).</summary>
    const string MaskTarget = "/dev/null";

    /// <summary>Where systemd looks for units, what counts most first (systemd.unit(5)).</summary>
    static readonly string[] UnitDirectories =
        ["/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

    static readonly string[] ImportingUnits = ["zfs.target", "zfs-import-cache.service", "zfs-import-scan.service"];

    /// <summary>SPL takes the lowest 32 bits of what it is given (HW_HOSTID_MASK).</summary>
    public Fact<uint> ReadHostIdParameter()
    {
        const string file = "/sys/module/spl/parameters/spl_hostid";
        var read = ReadNumber(file);
        return read.IsKnown ? Fact.Known((uint)read.Value) : Fact.Unknown<uint>(read.Unknown!);
    }

    /// <summary>As SPL reads it (hostid_read, module/os/linux/spl/spl-generic.c): the first four bytes, or nothing.</summary>
    public Fact<HostIdFile> ReadHostIdFile()
    {
        var read = ReadBytes(HostIdFileName, TextBytesMax);
        return read switch
        {
            { IsKnown: false } => Fact.Unknown<HostIdFile>(read.Unknown!),
            { Value: null } => Fact.Known(new HostIdFile(null, 0)),
            { Value: { Length: < sizeof(uint) } few } => Fact.Known(new HostIdFile(few.Length, 0)),
            { Value: var bytes } => Fact.Known(new HostIdFile(bytes.Length, BitConverter.ToUInt32(bytes))),
        };
    }

    public Fact<uint?> ReadHostIdOnCommandLine()
    {
        var read = ReadText(CommandLineFile);
        if (!read.IsKnown) return Fact.Unknown<uint?>(read.Unknown!);

        // The last one counts; dashes are underscores; what follows "--" is for init (the kernel's admin-guide/kernel-parameters).
        var given = read.Value.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).TakeWhile(word => word != "--")
            .Select(word => word.Replace("\"", "", StringComparison.Ordinal).Split('=', 2))
            .LastOrDefault(pair => pair.Length == 2 && pair[0].Replace('-', '_') == "spl.spl_hostid")?[1];
        if (given is null) return Fact.Known<uint?>(null);
        return KernelNumber(given) is { } number
            ? Fact.Known<uint?>((uint)number)
            : Fact.Unknown<uint?>($"{host.PathOf(CommandLineFile)} gives spl.spl_hostid as '{Shortened(given)}', which is not a number");
    }

    public Fact<ZfsVersion> ReadVersion()
    {
        const string file = "/sys/module/zfs/version";
        var read = ReadText(file);
        if (!read.IsKnown) return Fact.Unknown<ZfsVersion>(read.Unknown!);
        return ZfsVersion.Parse(read.Value) is { } version
            ? Fact.Known(version)
            : Fact.Unknown<ZfsVersion>($"{host.PathOf(file)} holds '{Shortened(read.Value)}', which is not a release's version");
    }

    public MmpParameters ReadMmpParameters() => new(
        ReadNumber("/sys/module/zfs/parameters/zfs_multihost_interval"),
        ReadNumber("/sys/module/zfs/parameters/zfs_multihost_fail_intervals"),
        ReadNumber("/sys/module/zfs/parameters/zfs_multihost_import_intervals"));

    public Fact<IReadOnlyList<CachedPool>> ReadCachedPools()
    {
        var read = ReadBytes(CacheFile, CacheBytesMax);
        if (!read.IsKnown) return Fact.Unknown<IReadOnlyList<CachedPool>>(read.Unknown!);
        if (read.Value is not { Length: > 0 } bytes) return Fact.Known<IReadOnlyList<CachedPool>>([]);
        return NvPairs.Pools(bytes) is { } pools
            ? Fact.Known(pools)
            : Fact.Unknown<IReadOnlyList<CachedPool>>($"{host.PathOf(CacheFile)} holds something else than a list of pools");
    }

    /// <summary>By the links that enable units, as <c>systemctl is-enabled</c> goes by them.</summary>
    public Fact<IReadOnlyList<BootUnit>> ReadBootImports()
    {
        try
        {
            var directories = UnitDirectories.Where(directory => Directory.Exists(host.PathOf(directory))).ToList();
            if (directories.Count == 0)
                return Fact.Unknown<IReadOnlyList<BootUnit>>($"there is no systemd here (no {host.PathOf(UnitDirectories[0])}), and what else imports pools at boot is not looked at");

            return Fact.Known<IReadOnlyList<BootUnit>>([.. ImportingUnits.Where(unit => !IsMasked(directories, unit)).SelectMany(unit => Links(directories, unit).Select(link => new BootUnit(unit, link)))]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // Not for us, or a broken disk.
        {
            return Fact.Unknown<IReadOnlyList<BootUnit>>($"systemd's units cannot be read ({e.Message})");
        }
    }

    /// <summary>The unit's file that counts is empty or a link to nothing.</summary>
    bool IsMasked(IEnumerable<string> directories, string unit)
    {
        foreach (var file in directories.Select(directory => new FileInfo(host.PathOf($"{directory}/{unit}"))))
        {
            if (file.LinkTarget is { } target) return target == MaskTarget;
            if (file.Exists) return file.Length == 0;
        }
        return false;
    }

    /// <summary>The links in folders <c>*.wants</c> and <c>*.requires</c>; one in a directory that counts more hides its namesakes.</summary>
    List<string> Links(IEnumerable<string> directories, string unit)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var links = new List<string>();
        foreach (var directory in directories)
        {
            foreach (var folder in Directory.EnumerateDirectories(host.PathOf(directory)).Order(StringComparer.Ordinal))
            {
                var name = Path.GetFileName(folder);
                if (!name.EndsWith(".wants", StringComparison.Ordinal) && !name.EndsWith(".requires", StringComparison.Ordinal)) continue;

                var link = new FileInfo(Path.Join(folder, unit));
                if ((link.LinkTarget is not null || link.Exists) && seen.Add(name) && link.LinkTarget != MaskTarget) links.Add($"{directory}/{name}/{unit}");
            }
        }
        return links;
    }

    Fact<ulong> ReadNumber(string path)
    {
        var read = ReadText(path);
        if (!read.IsKnown) return Fact.Unknown<ulong>(read.Unknown!);
        return ulong.TryParse(read.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? Fact.Known(number)
            : Fact.Unknown<ulong>($"{host.PathOf(path)} holds '{Shortened(read.Value)}', which is not a decimal number");
    }

    Fact<string> ReadText(string path)
    {
        var read = ReadBytes(path, TextBytesMax);
        return read switch
        {
            { IsKnown: false } => Fact.Unknown<string>(read.Unknown!),
            { Value: null } => Fact.Unknown<string>($"{host.PathOf(path)} is not there{(path.StartsWith("/sys/module/", StringComparison.Ordinal) ? ": is the ZFS module loaded? Try 'modprobe zfs'" : "")}"),
            { Value: var bytes } => Fact.Known(Encoding.Latin1.GetString(bytes).Trim()),
        };
    }

    /// <summary>Null when the file is not there.</summary>
    Fact<byte[]?> ReadBytes(string path, int bytesMax)
    {
        var file = host.PathOf(path);
        try
        {
            using var handle = File.OpenHandle(file);
            using var content = new MemoryStream();
            var buffer = new byte[16 * 1024];
            // The kernel's files tell no length.
            for (int read; (read = RandomAccess.Read(handle, buffer, content.Length)) > 0;)
            {
                content.Write(buffer, 0, read);
                if (content.Length > bytesMax) return Fact.Unknown<byte[]?>($"{file} holds more than {bytesMax} bytes, which it never should");
            }
            return Fact.Known<byte[]?>(content.ToArray());
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException) // Said as such.
        {
            return Fact.Known<byte[]?>(null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // A directory, not for us, a broken disk.
        {
            return Fact.Unknown<byte[]?>($"{file} cannot be read ({e.Message})");
        }
    }

    /// <summary>A number as the kernel takes it: hexadecimal after 0x, octal after 0, or decimal (kstrtoul with base 0).</summary>
    static ulong? KernelNumber(string text)
    {
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
            return ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hexadecimal) ? hexadecimal : null;
        if (Octal().IsMatch(text)) return Convert.ToUInt64(text, 8);
        return ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && text[0] != '0' ? number : null;
    }

    /// <summary>Of what should have been short.</summary>
    static string Shortened(string text)
    {
        const int lengthMax = 60;
        return text.Length <= lengthMax ? text : text[..lengthMax] + "…";
    }

    [GeneratedRegex("^0[0-7]{0,21}$")]
    private static partial Regex Octal();
}
