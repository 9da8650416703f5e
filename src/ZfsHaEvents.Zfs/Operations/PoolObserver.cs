using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Commands;

namespace ZfsHaEvents.Zfs.Operations;

/// <summary>What was seen of one pool, and when in the order of all looks of this host's boot.</summary>
/// <param name="Name">The pool's name here; null when it is not imported.</param>
/// <param name="ZpoolSeconds">Time inside external commands.</param>
public sealed record HostLook(long Sequence, DateTimeOffset ObservedAt, PoolSight Sight, PoolName? Name, double ZpoolSeconds);

/// <summary>All imported pools at one moment, as the kernel shows them.</summary>
/// <param name="Importing">Pools that the kernel is importing: neither imported nor absent.</param>
public sealed record HostSurvey(long Sequence, DateTimeOffset ObservedAt, IReadOnlyList<KstatPool> Pools, IReadOnlySet<PoolGuid> Importing);

/// <summary>Looks at this host's pools.</summary>
public sealed class PoolObserver(HostEnvironment host, TimeProvider time)
{
    /// <summary>For each reading command: it blocks while any activity check runs on the host.</summary>
    static readonly TimeSpan ReadLimit = TimeSpan.FromSeconds(2);

    readonly Kstats _kstats = new(host);
    readonly HostSequence _sequence = new(host);
    readonly Zpool _zpool = new(host);

    /// <summary>All pools, numbered and seen in the same moment. Starts no process.</summary>
    /// <exception cref="HostException"/>
    public HostSurvey Survey() => _sequence.Draw(number =>
    {
        var (at, read) = (time.GetUtcNow(), _kstats.ReadAll());
        var importing = read.Importing.Select(import => import.Pool).Except(read.Pools.Select(pool => pool.PoolGuid).OfType<PoolGuid>());
        return new HostSurvey(number, at, read.Pools, importing.ToHashSet());
    });

    /// <summary>Whether one pool is imported and by what name, without what only a command would tell; no command is run since OpenZFS 2.2.</summary>
    /// <exception cref="HostException"/>
    public Task<HostLook> GlanceAsync(PoolGuid pool, CancellationToken cancellation = default) => LookAsync(pool, detailed: false, cancellation);

    /// <summary>One pool. Whether it is imported is seen in the moment that the number orders; the rest is read just before, if it can be.</summary>
    /// <exception cref="HostException"/>
    public Task<HostLook> LookAsync(PoolGuid pool, CancellationToken cancellation = default) => LookAsync(pool, detailed: true, cancellation);

    async Task<HostLook> LookAsync(PoolGuid pool, bool detailed, CancellationToken cancellation)
    {
        var first = _kstats.Read();
        var (resolved, oldName) = await ResolveAsync(pool, first, cancellation);
        KstatPool? Find(IReadOnlyList<KstatPool> pools) => pools.FirstOrDefault(seen => seen.PoolGuid is { } guid ? guid == pool : seen.Name == oldName);

        // Read before the number is drawn: between the number and its report there should be no command that takes seconds, while
        // other looks overtake it.
        var details = detailed && Find(first) is { } present ? await ReadDetailsAsync(pool, present.Name, cancellation) : Details.None;
        var survey = Survey();
        if (Find(survey.Pools) is not { } found)
        {
            // In doubt it is neither held nor absent: the kernel is importing it and may yet refuse, as of an orphan of ours; or OpenZFS
            // before 2.2 shows no GUIDs, and zpool list did not answer.
            var sight = !survey.Importing.Contains(pool) && (resolved || survey.Pools.Count == 0) ? PoolSight.Absent : PoolSight.Unknown;
            return new(survey.Sequence, survey.ObservedAt, sight, null, details.Seconds);
        }

        if (detailed && details.Name != found.Name) details = await ReadDetailsAsync(pool, found.Name, cancellation); // It appeared in between.
        var health = found.Health == PoolHealth.Unknown ? details.Properties?.Health ?? PoolHealth.Unknown : found.Health;
        var presence = details.Properties switch
        {
            null => PoolPresence.Imported,
            { ReadOnly: true } => PoolPresence.ReadOnly,
            _ => PoolPresence.ReadWrite,
        };
        return new(
            survey.Sequence, survey.ObservedAt, new(presence, health, details.Properties?.Multihost, details.Leaves), found.Name, details.Seconds);
    }

    /// <returns>Whether the names of all pools are known to be or not to be this pool's; and its name where the kernel shows no GUIDs.</returns>
    async Task<(bool Resolved, PoolName? Name)> ResolveAsync(PoolGuid pool, IReadOnlyList<KstatPool> seen, CancellationToken cancellation)
    {
        if (seen.All(kstat => kstat.PoolGuid is not null)) return (true, null);
        var list = await _zpool.ListAsync(ReadLimit, cancellation);
        return (list.Value is not null, list.Value?.FirstOrDefault(listed => listed.PoolGuid == pool)?.Name);
    }

    async Task<Details> ReadDetailsAsync(PoolGuid pool, PoolName name, CancellationToken cancellation)
    {
        var properties = _zpool.ReadPropertiesAsync(name, ReadLimit, cancellation);
        var leaves = _zpool.ReadLeavesAsync(name, ReadLimit, cancellation);
        await Task.WhenAll(properties, leaves);
        var (read, seconds) = ((await properties).Value, Math.Max((await properties).Run.Seconds, (await leaves).Run.Seconds));
        return read is not null && read.PoolGuid != pool
            ? new(name, null, [], seconds) // The name has passed to another pool since the kernel was read.
            : new(name, read, (await leaves).Value ?? [], seconds);
    }

    sealed record Details(PoolName? Name, PoolProperties? Properties, IReadOnlyList<string> Leaves, double Seconds)
    {
        public static readonly Details None = new(null, null, [], 0);
    }
}
