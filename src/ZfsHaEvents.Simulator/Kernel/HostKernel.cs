using System.Collections.Immutable;
using System.Globalization;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>A fake host's kernel: the pools it has imported, and what they share.</summary>
sealed class HostKernel(HostDirectory host) : IDisposable
{
    readonly Lock _gate = new();

    public HostDirectory Host { get; } = host;

    public LiveSettings Settings { get; } = new(host.World);

    public DiskGate DiskGate { get; } = new(host);

    public KstatTree Kstats { get; } = new(host);

    public EventLog Events { get; } = new();

    /// <summary>
    /// spa_namespace_lock: held by an import from its first look at the disks to its end, and taken by everything that looks a pool
    /// up. That is why <c>zpool list</c> waits for another pool's activity check.
    /// </summary>
    public SemaphoreSlim Namespace { get; } = new(1, 1);

    public SimulatedTime Time => field ??= new(Settings);

    public string BootId { get; private set; } = "";

    /// <summary>The SPL's hostid at this moment: it can be set while the host runs.</summary>
    public uint HostId => Host.ReadHostId();

    public ImmutableList<ImportedPool> Pools { get; private set; } = [];

    /// <summary>A new boot: another boot id, default module parameters, nothing imported.</summary>
    public void Boot()
    {
        BootId = Guid.NewGuid().ToString();
        Host.Replace(Host.BootIdFile, BootId + "\n");
        WorldCreation.WriteModuleParameters(Host, Settings.Current);
        Kstats.Reset();
        Host.Replace(Host.PidFile, Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
        Log(Entry(TruthOperation.Boot) with { StartTime = ProcessStatus.Of(Environment.ProcessId)?.StartTime });
    }

    /// <summary>Power off in order, but as a reset does it: whatever is imported stays so on the disks, and nothing is written any more.</summary>
    public void PowerOff()
    {
        foreach (var pool in Pools) pool.Dispose();
        DiskGate.Close();
        Log(Entry(TruthOperation.PowerOff));
    }

    public MmpTunables Tunables() => new MmpTunables(
        Host.ReadModuleParameter("zfs_multihost_interval", 1000),
        Host.ReadModuleParameter("zfs_multihost_fail_intervals", 10),
        Host.ReadModuleParameter("zfs_multihost_import_intervals", 20)).Bounded();

    public ImportedPool? Find(string name) => Pools.Find(pool => pool.Name == name);

    public void Add(ImportedPool pool)
    {
        lock (_gate) Pools = Pools.Add(pool);
    }

    public void Remove(ImportedPool pool)
    {
        lock (_gate) Pools = Pools.Remove(pool);
    }

    public TruthEntry Entry(TruthOperation operation) =>
        new(DateTimeOffset.UtcNow, Host.Name, BootId, Environment.ProcessId, operation);

    public void Log(TruthEntry entry) => TruthLog.Append(Host.World, entry);

    public void Dispose()
    {
        DiskGate.Dispose();
        Namespace.Dispose();
    }
}
