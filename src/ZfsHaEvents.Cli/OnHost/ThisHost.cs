using ZfsHaEvents.Domain;
using ZfsHaEvents.Zfs;
using ZfsHaEvents.Zfs.Operations;
using ZfsHaEvents.Zfs.Spooling;

namespace ZfsHaEvents.Cli.OnHost;

/// <summary>The storage host on which the command was typed.</summary>
sealed class ThisHost
{
    readonly Kstats _kstats;

    public ThisHost()
    {
        Environment = HostEnvironment.FromVariables();
        _kstats = new(Environment);
        Reports = new SpooledReports(Environment, new(Environment), TimeProvider.System);
        Operations = new(Environment, Reports, TimeProvider.System);
        Disks = new(Environment);
    }

    public HostEnvironment Environment { get; }

    public HostName Name => Environment.Name;

    /// <summary>What is reported waits on this host's disk until its agent has forwarded it.</summary>
    public IReportSink Reports { get; }

    public PoolOperations Operations { get; }

    public LabelSearch Disks { get; }

    /// <summary>Which pool is meant: by GUID, by the name of an imported one, by the name on the labels of this host's disks.</summary>
    /// <param name="known">The GUID that the server knows for the name, when it was asked.</param>
    /// <exception cref="CommandFailedException">None, or several, go by that name here.</exception>
    public async Task<PoolGuid> ResolveAsync(PoolReference pool, PoolGuid? known, CancellationToken cancellation)
    {
        if (pool.AsGuid() is { } guid) return guid;
        if (_kstats.Read().FirstOrDefault(p => p.Name.Value == pool.Text)?.PoolGuid is { } imported) return imported;
        if (known is { } told) return told;

        var found = await Disks.RunAsync(cancellation);
        return found.Pools.Where(p => p.Name == pool.Text).Select(p => p.Pool).ToList() switch
        {
            [var one] => one,
            [] => throw CommandFailedException.Refused(
                "NotVisible", $"no pool named {pool} is imported on {Name}, and none of the {found.DevicesRead} devices read carries a label of one", "Give its GUID, or see zfsha scan."),
            var several => throw CommandFailedException.Refused("AmbiguousPool", $"{several.Count} pools on the disks of {Name} are named {pool}: {string.Join(", ", several)}", "Give the GUID."),
        };
    }

    /// <summary>What the kernel says of the import that it is at, the reading of the pool's configuration included; null when it is at none.</summary>
    public ImportProgress? ImportOf(PoolGuid pool) => _kstats.ReadImportProgress().FirstOrDefault(import => import.Pool == pool);

    /// <summary>The names of the pools that are imported here.</summary>
    public IReadOnlyDictionary<PoolGuid, PoolName> Names() => _kstats.Read().Where(p => p.PoolGuid is not null).ToDictionary(p => p.PoolGuid!.Value, p => p.Name);

    public bool IsImported(PoolGuid pool) => _kstats.Read().Any(p => p.PoolGuid == pool);

    /// <summary>On behalf of whoever typed the command.</summary>
    public static OperationTerms Terms(string purpose, TimeSpan limit, TimeSpan lockWait, string? reason) => new(purpose, User.Name(), limit, lockWait) { Reason = reason };
}
