using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.Protocol;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>The pool's file systems: which there are, and which are mounted.</summary>
sealed partial class ImportedPool
{
    readonly HashSet<string> _mounted = [];
    string? _busy;

    /// <summary>Mounts what is to be mounted by itself: all, or the one dataset. Nothing happens to what is mounted already.</summary>
    public void Mount(string? name)
    {
        lock (_gate)
        {
            foreach (var status in DatasetStatuses())
            {
                if (name is not null ? status.Name == name : status.MountsByItself) _mounted.Add(status.Dataset.Path);
            }
        }
    }

    /// <summary>Unmounts one dataset; false when somebody sits in it.</summary>
    public bool Unmount(string name)
    {
        lock (_gate)
        {
            foreach (var status in DatasetStatuses())
            {
                if (status.Name != name) continue;
                if (status.Dataset.Path == _busy) return false;
                _mounted.Remove(status.Dataset.Path);
            }
            return true;
        }
    }

    /// <summary>Creates a file system and mounts it.</summary>
    /// <param name="path">Its name below the pool's.</param>
    /// <param name="properties">Properties given at its creation.</param>
    public Errno CreateDataset(string path, IReadOnlyDictionary<string, string> properties)
    {
        lock (_gate)
        {
            var parent = path.Contains('/') ? path[..path.LastIndexOf('/')] : "";
            if (_contents.Datasets.Exists(dataset => dataset.Path == path)) return Errno.EEXIST;
            if (!_contents.Datasets.Exists(dataset => dataset.Path == parent)) return Errno.ENOENT;
        }
        var error = Commit(TruthOperation.Txg, (contents, txg) => contents.Datasets.Add(
            new(path, RandomNumbers.NewGuid(), txg, SimulatedTime.UnixSeconds(), properties)));
        if (error != Errno.None) return error;

        lock (_gate)
        {
            if (DatasetStatuses().First(status => status.Dataset.Path == path).MountsByItself) _mounted.Add(path);
        }
        return Errno.None;
    }

    /// <summary>Sets properties of a dataset; a property the pool's host holds for the product is one like any other.</summary>
    public Errno SetDatasetProperties(string path, IReadOnlyDictionary<string, string> properties)
    {
        lock (_gate)
        {
            if (!_contents.Datasets.Exists(dataset => dataset.Path == path)) return Errno.ENOENT;
        }
        return Commit(TruthOperation.Txg, (contents, _) =>
        {
            var at = contents.Datasets.FindIndex(dataset => dataset.Path == path);
            var changed = new Dictionary<string, string>(contents.Datasets[at].Properties);
            foreach (var (name, value) in properties) changed[name] = value;
            contents.Datasets[at] = contents.Datasets[at] with { Properties = changed };
        });
    }

    /// <summary>Somebody sits down in a file system, or leaves.</summary>
    /// <param name="path">Which, below the pool; without one the first that is mounted, or the pool itself when none is.</param>
    /// <param name="on">Down or up.</param>
    public void SetBusy(string? path, bool on)
    {
        lock (_gate) _busy = on ? path ?? _mounted.Order(StringComparer.Ordinal).FirstOrDefault("") : null;
    }

    /// <summary>
    /// Unmounts in the order zpool_disable_datasets does, last mountpoint first, and stops at the first busy one: those it came
    /// by stay unmounted.
    /// </summary>
    /// <returns>The mountpoint of the busy file system, or nothing.</returns>
    string? UnmountAll()
    {
        var mounted = DatasetStatuses().Where(status => status.Mounted).OrderByDescending(status => status.Mountpoint, StringComparer.Ordinal);
        foreach (var status in mounted)
        {
            if (status.Dataset.Path == _busy) return status.Mountpoint;
            _mounted.Remove(status.Dataset.Path);
        }
        return null;
    }

    List<DatasetStatus> DatasetStatuses() =>
    [
        .. _contents.Datasets.OrderBy(dataset => dataset.Path, StringComparer.Ordinal).Select(dataset => new DatasetStatus(
            dataset.NameIn(Name), Mountpoint(dataset), _mounted.Contains(dataset.Path), dataset)),
    ];

    /// <summary>A dataset's own mountpoint property, or its nearest ancestor's with the rest of the name below it.</summary>
    string Mountpoint(Dataset dataset)
    {
        var nearest = _contents.Datasets
            .Where(other => other.Properties.ContainsKey("mountpoint") && Contains(other.Path, dataset.Path))
            .MaxBy(other => other.Path.Length);
        var given = nearest?.Properties["mountpoint"] ?? $"/{Name}";
        if (given is "none" or "legacy") return given;

        var below = dataset.Path[(nearest?.Path.Length ?? 0)..].Trim('/');
        var point = below.Length == 0 ? given : $"{given.TrimEnd('/')}/{below}";
        return _mode.AltRoot is { } root ? root.TrimEnd('/') + point : point;
    }

    static bool Contains(string ancestor, string path) =>
        ancestor.Length == 0 || path == ancestor || path.StartsWith(ancestor + "/", StringComparison.Ordinal);
}
