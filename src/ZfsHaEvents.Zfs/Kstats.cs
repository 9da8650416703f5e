using System.Text;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Zfs;

/// <summary>A pool as the kernel shows it in <c>/proc/spl/kstat/zfs/POOL/</c>.</summary>
/// <param name="PoolGuid">Null on OpenZFS before 2.2, which has no <c>guid</c> file there.</param>
/// <param name="Health"><see cref="PoolHealth.Unknown"/> for an empty, changing or unknown word: it flickers for up to 100 ms.</param>
public sealed record KstatPool(PoolName Name, PoolGuid? PoolGuid, PoolHealth Health);

/// <summary>What the kernel shows at one moment.</summary>
/// <param name="Pools">The pools that are imported, in the order of their names.</param>
/// <param name="Importing">
/// The imports, past the mere reading of a configuration, that were in progress meanwhile. A pool that is here and not among
/// <paramref name="Pools"/> is neither imported nor absent.
/// </param>
public sealed record KstatReading(IReadOnlyList<KstatPool> Pools, IReadOnlyList<ImportProgress> Importing);

/// <summary>
/// The imported pools as the kernel's statistics show them. Reading takes microseconds, starts no process and never blocks, whereas
/// <c>zpool list</c> blocks while any import's activity check runs on the host.
/// </summary>
public sealed class Kstats(HostEnvironment host)
{
    readonly string _directory = host.PathOf("/proc/spl/kstat/zfs");

    /// <summary>The pools that are imported, in the order of their names; none when the module is not loaded.</summary>
    /// <exception cref="HostException">The statistics are there and cannot be read: not knowing is not the same as nothing.</exception>
    public IReadOnlyList<KstatPool> Read() => ReadAll().Pools;

    /// <summary>The pools that are imported, and those about to be.</summary>
    /// <remarks>
    /// Two kinds of entries are no imported pools although they carry a GUID and say ONLINE: those named <c>$import…</c>, while a
    /// configuration is being read, and a pool in the last part of its activity check, when the import may still be refused.
    /// The progress is read after the directories, and the directories are looked at once more after it: an import that
    /// began or failed in between is then never taken for one that succeeded. It is read before them as well: one that
    /// succeeded in between is never taken for a pool that is absent.
    /// </remarks>
    /// <exception cref="HostException">The statistics are there and cannot be read: not knowing is not the same as nothing.</exception>
    public KstatReading ReadAll()
    {
        try
        {
            var before = ReadImports();
            var pools = Directories().Select(Pool).OfType<KstatPool>().ToList();
            if (pools.Count == 0) return new(pools, before);

            var importing = ReadImports();
            pools.RemoveAll(pool =>
                importing.Exists(import => import.Pool == pool.PoolGuid || (pool.PoolGuid is null && import.Name == pool.Name.Value))
                || !Directory.Exists(Path.Join(_directory, pool.Name.Value)));
            return new(pools, [.. before, .. importing]);
        }
        catch (UnauthorizedAccessException e) // Only root reads them on some distributions.
        {
            throw new HostException($"{_directory} cannot be read ({e.Message}): run as root.", e);
        }
    }

    /// <summary>The imports and scans that are in progress on this host; none when the file is not there.</summary>
    public IReadOnlyList<ImportProgress> ReadImportProgress() =>
        (ReadText(Path.Join(_directory, "import_progress")) ?? "").Split('\n').Skip(1).Select(ImportProgress.Parse).OfType<ImportProgress>().ToList();

    /// <summary>The import of this pool that the kernel is at, past the mere reading of its configuration; null when there is none.</summary>
    public ImportProgress? ReadImportOf(PoolGuid pool) => ReadImports().Find(import => import.Pool == pool);

    List<ImportProgress> ReadImports() => [.. ReadImportProgress().Where(import => !import.IsScan())];

    internal static PoolHealth Health(string word) => word.Trim() switch
    {
        "ONLINE" => PoolHealth.Online,
        "DEGRADED" => PoolHealth.Degraded,
        "FAULTED" => PoolHealth.Faulted,
        "OFFLINE" => PoolHealth.Offline,
        "REMOVED" => PoolHealth.Removed,
        "UNAVAIL" => PoolHealth.Unavail,
        "SUSPENDED" => PoolHealth.Suspended,
        _ => PoolHealth.Unknown, // Empty, TRANSITIONING, SPLIT, or a word of a later release.
    };

    IEnumerable<string> Directories()
    {
        try
        {
            return Directory.GetDirectories(_directory).Order(StringComparer.Ordinal);
        }
        catch (DirectoryNotFoundException) // The module is not loaded: nothing is imported.
        {
            return [];
        }
    }

    KstatPool? Pool(string directory)
    {
        if (!PoolName.TryParse(Path.GetFileName(directory), null, out var name)) return null;

        // No state file: the entry vanished, or the kernel is about to make it a pool's. The next look tells.
        if (ReadText(Path.Join(directory, "state")) is not { } state) return null;

        PoolGuid? guid = PoolGuid.TryParse(ReadText(Path.Join(directory, "guid"))?.Trim(), null, out var id) ? id : null;
        return new(name, guid, Health(state));
    }

    /// <summary>Null when it is not there. Read several times a second for every pool, so with as little as it takes.</summary>
    static string? ReadText(string file)
    {
        try
        {
            using var handle = File.OpenHandle(file);
            var text = new StringBuilder();
            Span<byte> buffer = stackalloc byte[1024];
            for (int read, at = 0; (read = RandomAccess.Read(handle, buffer, at)) > 0; at += read) text.Append(Encoding.Latin1.GetString(buffer[..read])); // The kernel writes ASCII, and tells no length.
            return text.ToString();
        }
        catch (IOException) // Vanished before or while it was read, which is what an export looks like from here.
        {
            return null;
        }
    }
}
