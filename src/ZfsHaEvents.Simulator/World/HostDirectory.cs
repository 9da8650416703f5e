using System.Globalization;

namespace ZfsHaEvents.Simulator.World;

/// <summary>
/// A fake host's folder: its own <c>/proc</c>, <c>/sys</c>, <c>/dev</c> and <c>/etc</c>, its <c>sbin</c> with the stand-ins, and its
/// kernel's socket. A path on the host, such as a device node, is that path below this folder.
/// </summary>
/// <param name="Path">The folder, absolute.</param>
sealed record HostDirectory(string Path)
{
    /// <summary>Names the host a stand-in runs on; the wrappers in <c>sbin</c> set it.</summary>
    public const string Variable = "ZFS_SIMULATOR_HOST";

    public string Name => System.IO.Path.GetFileName(Path);

    public WorldDirectory World => new(System.IO.Path.GetDirectoryName(System.IO.Path.GetDirectoryName(Path))
        ?? throw new InvalidOperationException($"{Path} is not the folder of a host in a world."));

    public string Sbin => In("sbin");

    public string Kstat => In("proc/spl/kstat/zfs");

    public string BootIdFile => In("proc/sys/kernel/random/boot_id");

    public string HostIdFile => In("sys/module/spl/parameters/spl_hostid");

    public string ModuleParameters => In("sys/module/zfs/parameters");

    /// <summary>Unix socket of the kernel.</summary>
    public string Socket => In(SocketName);

    /// <summary>The socket's name relative to the folder; a kernel and its clients change into it, for socket paths are at most 107 bytes long.</summary>
    public const string SocketName = "kernel.sock";

    public string PidFile => In("kernel.pid");

    /// <summary>Switched-on faults, one empty file each.</summary>
    public string Faults => In("faults");

    /// <summary>Half-made files and folders on their way into or out of the host's trees, on the same file system.</summary>
    public string Scratch => In("scratch");

    /// <summary>Held by the kernel around disk writes and by a freeze: a machine is never frozen in the middle of one.</summary>
    public string DiskGate => In("disk.gate");

    /// <summary>When the host was frozen last, as <see cref="System.Diagnostics.Stopwatch"/> counts, which is one clock for all processes.</summary>
    public string FrozenAtFile => In("frozen-at");

    /// <summary>Whether the host was frozen at some time since then.</summary>
    public bool WasFrozenSince(long timestamp) =>
        File.Exists(FrozenAtFile) && long.Parse(File.ReadAllText(FrozenAtFile), CultureInfo.InvariantCulture) >= timestamp;

    /// <summary>Where an absolute path on the host is in reality.</summary>
    public string In(string path) => System.IO.Path.Combine(Path, path.TrimStart('/'));

    /// <summary>The SPL's active hostid; 0 when none is set. The module parameter is decimal.</summary>
    /// <exception cref="FormatException">The file does not hold a number.</exception>
    public uint ReadHostId() => uint.Parse(File.ReadAllText(HostIdFile), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);

    public string ReadBootId() => File.ReadAllText(BootIdFile).TrimEnd();

    /// <summary>A zfs module parameter as the host's kernel has it now; what cannot be read is as if never changed.</summary>
    public uint ReadModuleParameter(string name, uint otherwise)
    {
        try
        {
            var text = File.ReadAllText(System.IO.Path.Combine(ModuleParameters, name));
            return uint.TryParse(text, NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var value) ? value : otherwise;
        }
        catch (IOException)
        {
            // The file is being replaced by whoever tunes the host.
            return otherwise;
        }
    }

    /// <summary>Puts a whole file in place at once, as a reader of a real /proc sees it.</summary>
    public void Replace(string file, string text)
    {
        var half = System.IO.Path.Combine(Scratch, Guid.NewGuid().ToString("N"));
        File.WriteAllText(half, text);
        File.Move(half, file, overwrite: true);
    }
}
