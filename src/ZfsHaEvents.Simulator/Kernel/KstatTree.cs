using System.Globalization;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>
/// The host's <c>/proc/spl/kstat/zfs</c>. Every change is put in place at once: who reads a real kstat never sees half a file.
/// </summary>
sealed class KstatTree(HostDirectory host)
{
    const string ProgressHeader = "pool_guid            load_state     multihost_secs max_txg      pool_name        notes\n";

    const string MultihostHeader =
        "id         txg        timestamp  error  duration   mmp_delay    vdev_guid                vdev_label vdev_path\n";

    /// <summary>A new boot: no pool is imported, no import is under way.</summary>
    public void Reset()
    {
        foreach (var scratch in Directory.EnumerateFileSystemEntries(host.Scratch)) Discard(scratch);
        foreach (var pool in Directory.EnumerateDirectories(host.Kstat)) Remove(Path.GetFileName(pool));
        ClearProgress();
    }

    public void Add(string pool, ulong poolGuid, string state)
    {
        var made = Path.Combine(host.Scratch, Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(made);
        File.WriteAllText(Path.Combine(made, "state"), state + "\n");
        File.WriteAllText(Path.Combine(made, "guid"), poolGuid.ToString(CultureInfo.InvariantCulture) + "\n");
        File.WriteAllText(Path.Combine(made, "multihost"), MultihostHeader);
        Directory.Move(made, Path.Combine(host.Kstat, pool));
    }

    public void SetState(string pool, string state) => Show(pool, state + "\n");

    /// <summary>What a reader of the pool's state gets.</summary>
    public void Show(string pool, string text) => host.Replace(Path.Combine(host.Kstat, pool, "state"), text);

    public void Remove(string pool)
    {
        var going = Path.Combine(host.Scratch, Guid.NewGuid().ToString("N"));
        Directory.Move(Path.Combine(host.Kstat, pool), going);
        Discard(going);
    }

    /// <summary>Shows an activity check (spa_import_progress_show).</summary>
    /// <param name="poolGuid">The pool.</param>
    /// <param name="pool">Its name.</param>
    /// <param name="loadState">3 while a pool is only tried (SPA_LOAD_TRYIMPORT), 2 while it is imported (SPA_LOAD_IMPORT).</param>
    /// <param name="left">Nominal time left.</param>
    /// <param name="notes">What is going on.</param>
    public void ShowProgress(ulong poolGuid, string pool, int loadState, TimeSpan left, string notes) => host.Replace(
        Path.Combine(host.Kstat, "import_progress"),
        ProgressHeader + string.Create(
            CultureInfo.InvariantCulture, $"{poolGuid,-20} {loadState,-14} {(long)left.TotalSeconds,-14} {0,-12} {pool,-16} {notes}\n"));

    public void ClearProgress() => host.Replace(Path.Combine(host.Kstat, "import_progress"), ProgressHeader);

    static void Discard(string path)
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        else File.Delete(path);
    }
}
