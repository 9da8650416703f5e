using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.Protocol;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>How a vdev does (vdev_state_t, as far as it is simulated).</summary>
enum VdevHealth
{
    Unavailable,
    Faulted,
    Degraded,
    Online,
}

/// <summary>The disks of one pool, opened by one host's kernel.</summary>
sealed class PoolDevices(HostDirectory host, IReadOnlyList<Vdev> vdevs) : IDisposable
{
    readonly PoolLeaf[] _leaves = [.. vdevs.SelectMany(vdev => vdev.Leaves).Select(vdev => new PoolLeaf(host, vdev))];
    int _nextLeaf;

    public IReadOnlyList<PoolLeaf> Leaves => _leaves;

    public VdevHealth Health(Vdev vdev)
    {
        if (vdev.IsLeaf)
        {
            var leaf = _leaves.First(leaf => leaf.LeafGuid == vdev.VdevGuid);
            return leaf.Faulted ? VdevHealth.Faulted : leaf.Reach() is null ? VdevHealth.Unavailable : VdevHealth.Online;
        }
        var healths = vdev.Children.Select(Health).ToList();
        if (healths.TrueForAll(health => health == VdevHealth.Online)) return VdevHealth.Online;
        return healths.Contains(VdevHealth.Online) ? VdevHealth.Degraded : VdevHealth.Unavailable;
    }

    /// <summary>The pool's own health: as good as its worst top-level vdev.</summary>
    public VdevHealth Health()
    {
        var healths = vdevs.Select(Health).ToList();
        if (healths.Exists(health => health is VdevHealth.Unavailable or VdevHealth.Faulted)) return VdevHealth.Unavailable;
        return healths.Contains(VdevHealth.Degraded) ? VdevHealth.Degraded : VdevHealth.Online;
    }

    public string HealthWord() => Word(Health());

    /// <summary>The top-level vdevs as their kernel reports them.</summary>
    public IReadOnlyList<VdevStatus> Report() => [.. vdevs.Select(Report)];

    /// <summary>The top-level vdevs as the pool records them: with what is out of service now.</summary>
    public IReadOnlyList<Vdev> Recorded()
    {
        var faulted = _leaves.Where(leaf => leaf.Faulted).Select(leaf => leaf.LeafGuid).ToHashSet();
        return [.. vdevs.Select(vdev => vdev.WithFaulted(faulted))];
    }

    /// <summary>The newest uberblock on the disks the host sees (vdev_uberblock_load).</summary>
    public Uberblock? Best()
    {
        Uberblock? best = null;
        foreach (var leaf in _leaves)
        {
            if (leaf.Reach()?.Best() is { } found && (best is null || found > best)) best = found;
        }
        return best;
    }

    /// <summary>The newest label on the disks the host sees.</summary>
    public VdevLabel? Label()
    {
        VdevLabel? newest = null;
        foreach (var leaf in _leaves)
        {
            if (leaf.Reach()?.ReadLabel() is not { } list) continue;
            var label = VdevLabel.From(list);
            if (newest is null || label.Txg > newest.Txg) newest = label;
        }
        return newest;
    }

    /// <summary>Whether the disks hold an uberblock that is newer than the newest of this holder: then another host wrote it.</summary>
    /// <param name="synced">The holder's last transaction group.</param>
    /// <param name="newest">Its newest uberblock, multihost writes included.</param>
    public bool HasNewerThan(Uberblock synced, Uberblock newest)
    {
        foreach (var leaf in InService())
        {
            // Another holder's first transaction group goes where this holder's next one would.
            if (leaf.Reach() is not { } disk) continue;
            if (disk.ReadSlot(synced.Txg + 1) is { } next && next.Txg > synced.Txg) return true;
            foreach (var slot in disk.ReadMmp())
            {
                if (slot is { } found && found > newest) return true;
            }
        }
        return false;
    }

    /// <summary>One multihost write: the next disk in turn, a label at random (mmp_write_uberblock). False when no disk takes it.</summary>
    public bool WriteMmp(Uberblock uberblock)
    {
        for (var tries = 0; tries < _leaves.Length; tries++)
        {
            var leaf = _leaves[_nextLeaf++ % _leaves.Length];
            if (leaf.Faulted || leaf.Reach() is not { } disk) continue;

            disk.WriteMmp(Random.Shared.Next(FakeDisk.Labels), uberblock);
            return true;
        }
        return false;
    }

    /// <summary>
    /// A claim: the multihost slot of every disk at once, so that whoever else imports sees it. False when a disk that the pool's
    /// configuration expects to be present does not take it (mmp_claim_uberblock, ENODEV).
    /// </summary>
    public bool Claim(Uberblock uberblock)
    {
        var all = true;
        foreach (var leaf in InService())
        {
            if (leaf.Reach() is { } disk) disk.WriteMmp(0, uberblock);
            else all = false;
        }
        return all;
    }

    /// <summary>Writes a transaction group to every disk in service: contents first, the uberblock that refers to them last.</summary>
    public void WriteTxg(Uberblock uberblock, ulong previousBirth, NvList? contents)
    {
        foreach (var leaf in InService())
        {
            if (leaf.Reach() is not { } disk) continue;
            if (contents is not null) disk.WriteContents(uberblock.Txg, previousBirth, contents);
            disk.WriteUberblock(uberblock);
        }
    }

    public void WriteLabels(Func<Vdev, Vdev, VdevLabel> label)
    {
        foreach (var vdev in vdevs)
        {
            foreach (var leaf in vdev.Leaves)
            {
                var open = _leaves.First(candidate => candidate.LeafGuid == leaf.VdevGuid);
                if (!open.Faulted) open.Reach()?.WriteLabel(label(vdev, leaf).ToList());
            }
        }
    }

    /// <summary>
    /// Takes disks that no longer answer out of service; true when there were any. A pool that cannot do without them is not
    /// changed by this: its I/O is suspended instead.
    /// </summary>
    public bool FaultUnreachable()
    {
        var changed = false;
        foreach (var leaf in InService().Where(leaf => leaf.Reach() is null))
        {
            leaf.WriteErrors++;
            leaf.Faulted = true;
            changed = true;
        }
        return changed;
    }

    /// <summary>Whether every top-level vdev has a disk that answers: otherwise a write has nowhere to go.</summary>
    public bool CanWrite() => vdevs.All(vdev => vdev.Leaves.Any(leaf =>
        _leaves.Any(open => open.LeafGuid == leaf.VdevGuid && !open.Faulted && open.Reach() is not null)));

    public void Dispose()
    {
        foreach (var leaf in _leaves) leaf.Dispose();
    }

    VdevStatus Report(Vdev vdev)
    {
        var health = Health(vdev);
        var leaf = vdev.IsLeaf ? _leaves.First(leaf => leaf.LeafGuid == vdev.VdevGuid) : null;
        var aux = health == VdevHealth.Faulted ? "too many errors"
            : health == VdevHealth.Unavailable && !vdev.IsLeaf ? "insufficient replicas"
            : null;
        return new(
            vdev.Type, vdev.Id, vdev.VdevGuid, vdev.Path, Word(health), aux, leaf?.ReadErrors ?? 0, leaf?.WriteErrors ?? 0,
            [.. vdev.Children.Select(Report)]);
    }

    static string Word(VdevHealth health) => health switch
    {
        VdevHealth.Online => VdevStatus.Online,
        VdevHealth.Degraded => VdevStatus.Degraded,
        VdevHealth.Faulted => VdevStatus.Faulted,
        VdevHealth.Unavailable => VdevStatus.Unavailable,
        _ => throw new System.Diagnostics.UnreachableException($"A health without a word: {health}"),
    };

    IEnumerable<PoolLeaf> InService() => _leaves.Where(leaf => !leaf.Faulted);
}
