using System.Diagnostics;
using System.Globalization;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Zfs.Spooling;

namespace ZfsHaEvents.Zfs.Tests;

/// <summary>
/// A host in a folder of its own: a tree of kernel files, and shell scripts in the places of zpool and zdb, which are real
/// child processes. Importing a pool is making its kstat folder.
/// </summary>
sealed class TestHost : IDisposable
{
    public static readonly PoolGuid Tank = new(5617477934682210394);

    public TestHost(string name = "hosta", uint hostId = 0xa001)
    {
        Folder = Directory.CreateTempSubdirectory("zfs-tests-").FullName;
        Environment = new HostEnvironment(HostName.Parse(name))
        {
            Root = Path.Join(Folder, "root"),
            Sbin = Path.Join(Folder, "sbin"),
            StateDirectory = Path.Join(Folder, "state"),
            RunDirectory = Path.Join(Folder, "run"),
        };
        Boot();
        Write("/sys/module/spl/parameters/spl_hostid", hostId.ToString(CultureInfo.InvariantCulture) + "\n");
        Directory.CreateDirectory(Kstat);
        Directory.CreateDirectory(Environment.Sbin);
        SetZpool("");
        SetZdb("echo \"cannot open '$2': No such file or directory\"; exit 1");
    }

    public string Folder { get; }

    public HostEnvironment Environment { get; }

    public string Kstat => Environment.PathOf("/proc/spl/kstat/zfs");

    public Spool Spool => new(Environment);

    /// <summary>The limit of the spool for other processes; null for the product's own.</summary>
    public int? SpoolMebibytes { get; init; }

    public IEnumerable<(string Name, string Value)> Variables() =>
    [
        ("ZFSHA_HOST", Environment.Name.Value),
        ("ZFSHA_HOST_ROOT", Environment.Root),
        ("ZFSHA_SBIN", Environment.Sbin!),
        ("ZFSHA_STATE_DIR", Environment.StateDirectory),
        ("ZFSHA_RUN_DIR", Environment.RunDirectory),
    ];

    /// <summary>A new boot id, as after a reboot.</summary>
    public void Boot() => Write("/proc/sys/kernel/random/boot_id", Guid.NewGuid() + "\n");

    public void Write(string hostPath, string text)
    {
        var path = Environment.PathOf(hostPath);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    public void Import(string name, PoolGuid guid, string state = "ONLINE")
    {
        Write($"/proc/spl/kstat/zfs/{name}/guid", guid + "\n");
        Write($"/proc/spl/kstat/zfs/{name}/state", state + "\n");
    }

    /// <summary>The kernel is at the activity check of this pool's import; null for none.</summary>
    /// <param name="loadState">2: an import; 3: the mere reading of its configuration.</param>
    public void SetImporting(PoolGuid? pool, int loadState = 2) => Write("/proc/spl/kstat/zfs/import_progress",
        "pool_guid            load_state     multihost_secs max_txg      pool_name        notes\n"
        + (pool is { } guid ? $"{guid,-20} {loadState,-14} {8,-14} {0,-12} {"tank1",-16} Checking MMP activity, waiting 21160 ms\n" : ""));

    public void Export(string name) => Directory.Delete(Path.Join(Kstat, name), recursive: true);

    public bool HasImported(string name) => Directory.Exists(Path.Join(Kstat, name));

    /// <summary>
    /// Puts a zpool in place that imports tank1, exports, and answers get, status and list. The given lines run before that and may do
    /// otherwise and exit. In them <c>$kstat</c> is the kstat folder and <c>$*</c> what zpool was called with.
    /// </summary>
    public void SetZpool(string behaviour) => Script("zpool", $$"""
        kstat='{{Kstat}}'
        echo "$*" >> '{{Folder}}/zpool.log'
        for last; do :; done
        [ "$ZFSHA_LOCKS" ] && echo "$1 $ZFSHA_LOCKS" >> '{{Folder}}/locks.log'
        {{behaviour}}
        case $1 in
        import)
            mkdir "$kstat/tank1" 2> /dev/null || { echo "cannot import 'tank1': a pool with that name already exists" >&2; exit 1; }
            echo $last > "$kstat/tank1/guid"; echo ONLINE > "$kstat/tank1/state";;
        export)
            [ -d "$kstat/$2" ] || { echo "cannot open '$2': no such pool" >&2; exit 1; }
            rm -r "$kstat/$2";;
        get)
            [ -d "$kstat/$last" ] || { echo "Cannot get properties of $last: no such pool available." >&2; exit 1; }
            printf 'guid\t%s\nreadonly\toff\nmultihost\ton\nhealth\tONLINE\n' $(cat "$kstat/$last/guid");;
        status)
            printf '  pool: %s\n state: ONLINE\nconfig:\n\n\tNAME  STATE  READ WRITE CKSUM\n\t%s  ONLINE  0  0  0\n\t  /dev/disk/by-id/virtio-d0-part1  ONLINE  0  0  0\n\n' $last $last;;
        list)
            for pool in "$kstat"/*/; do [ -d "$pool" ] && printf '%s\t%s\tONLINE\n' $(basename "$pool") {{Tank}}; done; exit 0;;
        esac
        """);

    public void SetZdb(string script) => Script("zdb", script);

    /// <summary>What zpool was called with, one line per call.</summary>
    public IReadOnlyList<string> ZpoolCalls() => Log("zpool.log");

    /// <summary>"SUBCOMMAND ZFSHA_LOCKS" for each zpool that ran under a lock.</summary>
    public IReadOnlyList<string> LockedCalls() => Log("locks.log");

    /// <summary>
    /// Written by another process: a file that this one has open for writing is open as well in whatever another test is just
    /// forking, and cannot be executed for that moment (ETXTBSY).
    /// </summary>
    void Script(string name, string body)
    {
        var draft = Path.Join(Folder, name + ".draft");
        File.WriteAllText(draft, "#!/bin/sh\n" + body + "\n");
        using var install = Process.Start("/usr/bin/install", ["-m", "755", draft, Path.Join(Environment.Sbin, name)]);
        install.WaitForExit();
        if (install.ExitCode != 0) throw new IOException($"{name} could not be put in place.");
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    string[] Log(string name)
    {
        var path = Path.Join(Folder, name);
        return File.Exists(path) ? File.ReadAllLines(path) : [];
    }
}
