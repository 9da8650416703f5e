using System.Buffers.Binary;
using System.Globalization;
using ZfsHaEvents.Simulator.Disks;

namespace ZfsHaEvents.Simulator.World;

/// <summary>What a new world consists of.</summary>
/// <param name="Hosts">Names of the fake hosts.</param>
/// <param name="Disks">How many fake disks every host sees.</param>
/// <param name="HostIds">Hostids by name; a host that is not named gets 0xa001, 0xa002 ... by its place.</param>
/// <param name="Settings">How the world runs.</param>
sealed record WorldPlan(
    IReadOnlyList<string> Hosts,
    int Disks,
    IReadOnlyDictionary<string, uint> HostIds,
    WorldSettings Settings);

/// <summary>Makes the files of a new world.</summary>
static class WorldCreation
{
    const uint FirstHostId = 0xa001;

    /// <summary>The release of OpenZFS that the stand-ins behave and print like.</summary>
    const string Version = "2.3.9-0+deb13u1";

    static readonly string[] StandIns = ["zpool", "zfs", "zdb"];

    /// <param name="world">Where; the folder must not hold a world yet.</param>
    /// <param name="plan">What.</param>
    /// <param name="simulator">The executable the stand-ins run.</param>
    public static void Create(WorldDirectory world, WorldPlan plan, string simulator)
    {
        if (File.Exists(world.SettingsFile)) throw new InvalidOperationException($"{world.Path} is a world already.");

        Directory.CreateDirectory(world.Path);
        for (var disk = 0; disk < plan.Disks; disk++) CreateDisk(world, disk);
        for (var at = 0; at < plan.Hosts.Count; at++)
        {
            var name = plan.Hosts[at];
            var hostId = plan.HostIds.TryGetValue(name, out var wanted) ? wanted : FirstHostId + (uint)at;
            CreateHost(world.Host(name), hostId, plan, simulator);
        }
        File.WriteAllText(world.TruthLog, "");
        plan.Settings.Write(world);
    }

    static void CreateDisk(WorldDirectory world, int disk)
    {
        var folder = Path.Combine(world.Disks, $"d{disk}");
        Directory.CreateDirectory(folder);
        foreach (var file in DeviceNodes.Files)
        {
            using var bytes = new FileStream(Path.Combine(folder, file), FileMode.CreateNew);
            bytes.SetLength(FakeDisk.FileSize);
        }
    }

    static void CreateHost(HostDirectory host, uint hostId, WorldPlan plan, string simulator)
    {
        foreach (var folder in (ReadOnlySpan<string>)[host.Kstat, host.ModuleParameters, host.Sbin, host.Faults, host.Scratch])
            Directory.CreateDirectory(folder);
        Write(host.In("proc/sys/kernel/hostname"), host.Name + "\n");
        Write(host.BootIdFile, Guid.NewGuid() + "\n");
        SetHostId(host, hostId);
        WriteModuleParameters(host, plan.Settings);
        Write(host.In("sys/module/zfs/version"), Version + "\n");
        Write(host.In("proc/cmdline"), "BOOT_IMAGE=/boot/vmlinuz root=/dev/vda1 ro\n");
        // No unit is enabled: nothing imports pools when the host boots.
        Directory.CreateDirectory(host.In("etc/systemd/system"));
        for (var disk = 0; disk < plan.Disks; disk++) DeviceNodes.Add(host, disk);
        File.WriteAllText(host.DiskGate, "");
        foreach (var name in StandIns) WriteStandIn(host, name, simulator);
    }

    /// <summary>The host's hostid in every place a host shows it.</summary>
    public static void SetHostId(HostDirectory host, uint hostId)
    {
        Write(host.HostIdFile, hostId.ToString(CultureInfo.InvariantCulture) + "\n");
        Write(host.In("proc/sys/kernel/spl/hostid"), hostId.ToString("x", CultureInfo.InvariantCulture) + "\n");
        var file = host.In("etc/hostid");
        Directory.CreateDirectory(host.In("etc"));
        File.Delete(file);
        if (hostId == 0) return;

        var bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, hostId);
        File.WriteAllBytes(file, bytes);
    }

    /// <summary>Module parameters start anew with every boot.</summary>
    public static void WriteModuleParameters(HostDirectory host, WorldSettings settings)
    {
        foreach (var (name, value) in (ReadOnlySpan<(string, uint)>)
        [
            ("zfs_multihost_interval", settings.MultihostInterval),
            ("zfs_multihost_fail_intervals", settings.MultihostFailIntervals),
            ("zfs_multihost_import_intervals", settings.MultihostImportIntervals),
            ("zfs_multihost_history", 0),
        ])
        {
            Write(Path.Combine(host.ModuleParameters, name), value.ToString(CultureInfo.InvariantCulture) + "\n");
        }
    }

    /// <summary>The wrapper replaces itself by the stand-in: the process keeps its id, its signals and its descriptors.</summary>
    static void WriteStandIn(HostDirectory host, string name, string simulator)
    {
        var file = Path.Combine(host.Sbin, name);
        File.WriteAllText(file, $"#!/bin/sh\n{HostDirectory.Variable}={Quoted(host.Path)} exec {Quoted(simulator)} {name} \"$@\"\n");
        File.SetUnixFileMode(file, Executable);
    }

    const UnixFileMode Executable =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute |
        UnixFileMode.GroupRead | UnixFileMode.GroupExecute |
        UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    static string Quoted(string text) => "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

    static void Write(string file, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
