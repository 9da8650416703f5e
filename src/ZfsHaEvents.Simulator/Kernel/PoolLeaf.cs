using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>A disk of a pool as one host's kernel has it open.</summary>
sealed class PoolLeaf(HostDirectory host, Vdev vdev) : IDisposable
{
    FakeDisk? _disk;

    public Vdev Vdev => vdev;

    public ulong LeafGuid => vdev.VdevGuid;

    /// <summary>Taken out of service for errors, here or by an earlier holder.</summary>
    public bool Faulted { get; set; } = vdev.Faulted;

    /// <summary>I/O errors since the import or the last clear.</summary>
    public ulong ReadErrors { get; set; }

    public ulong WriteErrors { get; set; }

    /// <summary>The disk, when the host sees it and it is this pool's; a hidden disk is gone at once, open or not.</summary>
    public FakeDisk? Reach()
    {
        if (vdev.Path is not { } path || !File.Exists(host.In(path)))
        {
            Forget();
            return null;
        }
        if (_disk is not null) return _disk;

        var disk = FakeDisk.Open(host.In(path), FileAccess.ReadWrite);
        if (disk?.ReadLabel() is not { } label || label.Number("guid") != LeafGuid)
        {
            disk?.Dispose();
            return null;
        }
        return _disk = disk;
    }

    /// <summary>Takes a disk that has no label of this leaf yet: the pool is being created on it.</summary>
    public bool Format()
    {
        if (vdev.Path is not { } path) return false;

        _disk = FakeDisk.Open(host.In(path), FileAccess.ReadWrite);
        _disk?.Wipe();
        return _disk is not null;
    }

    public void Dispose() => Forget();

    void Forget()
    {
        _disk?.Dispose();
        _disk = null;
    }
}
