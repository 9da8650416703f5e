using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.Protocol;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>Makes new pools (spa_create).</summary>
sealed class PoolCreation(HostKernel kernel)
{
    /// <summary>A new pool's first transaction group is number 4 (TXG_INITIAL); this is the one before.</summary>
    const ulong TxgBeforeFirst = 3;

    public Errno Create(NvList request)
    {
        var name = request.Text("pool");
        if (kernel.Find(name) is not null) return Errno.EEXIST;

        var now = SimulatedTime.UnixSeconds();
        var contents = new PoolContents
        {
            PoolGuid = RandomNumbers.NewGuid(),
            Name = name,
            Vdevs = [.. request.Lists("vdevs").Select((vdev, at) => TopLevel(vdev, (ulong)at))],
        };
        var properties = PoolStatus.Texts(request.List("properties"));
        var mode = new ImportMode(ReadOnly: false, Taken(properties, "altroot"), Taken(properties, "cachefile"));
        foreach (var (key, value) in properties) contents.Properties[key] = value;
        contents.Datasets.Add(new("", RandomNumbers.NewGuid(), CreateTxg: 1, now, PoolStatus.Texts(request.List("dataset_properties"))));
        contents.Remember(new(now, kernel.Host.Name, TxgBeforeFirst + 1, $"create {Version(kernel.Host.Name)}"));

        var devices = new PoolDevices(kernel.Host, contents.Vdevs);
        if (!devices.Leaves.All(leaf => leaf.Format())) return Errno.ENXIO;

        var before = new Uberblock(TxgBeforeFirst, contents.GuidSum(), now, Birth: 0, MmpDelay: 0, Mmp: null);
        var pool = new ImportedPool(kernel, contents, devices, before, mode);
        pool.Activate(TruthOperation.Create, forced: request.Flag("force"), () => true);
        // The command logs itself once the pool is there: a transaction group of its own.
        pool.LogHistory(request.Text("command"));
        pool.Mount(name: null);
        return Errno.None;
    }

    /// <summary>What a pool's history says of the software that created or imported it.</summary>
    public static string Version(string hostName) =>
        $"pool version 5000; software version zfs-2.3.9-0-g4c0eb72-dist; uts {hostName} 6.12.117+deb13-cloud-amd64 #1 SMP PREEMPT_DYNAMIC " +
        "Debian 6.12.117-1 (2026-11-12) x86_64";

    /// <summary>A property of the import, not of the pool: it is not stored.</summary>
    static string? Taken(Dictionary<string, string> properties, string name) => properties.Remove(name, out var value) ? value : null;

    static Vdev TopLevel(NvList vdev, ulong id)
    {
        var leaves = vdev.Lists("children").Select((leaf, at) => Leaf(leaf, (ulong)at)).ToList();
        return leaves.Count > 0
            ? new(Vdev.Mirror, id, RandomNumbers.NewGuid(), Path: null, Faulted: false, leaves)
            : Leaf(vdev, id);
    }

    static Vdev Leaf(NvList leaf, ulong id) => new(Vdev.Disk, id, RandomNumbers.NewGuid(), leaf.Text("path"), Faulted: false, []);
}
