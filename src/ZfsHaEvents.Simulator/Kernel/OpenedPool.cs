using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.Protocol;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>A pool read from its disks and not imported: its newest uberblock and label, and the contents they lead to.</summary>
sealed record OpenedPool(PoolDevices Devices, PoolContents Contents, VdevLabel Label, Uberblock Best) : IDisposable
{
    public ulong PoolGuid => Contents.PoolGuid;

    /// <param name="host">The host that opens it.</param>
    /// <param name="poolGuid">The pool.</param>
    /// <param name="paths">The devices a command found, by leaf GUID; other leaves are looked for where the pool says.</param>
    /// <returns>Nothing when no disk that can be reached has all it takes.</returns>
    public static OpenedPool? Open(HostDirectory host, ulong poolGuid, IReadOnlyDictionary<ulong, string> paths)
    {
        if (Newest(host, poolGuid, paths.Values) is not { } found) return null;

        var contents = PoolContents.From(found);
        contents.Vdevs = [.. contents.Vdevs.Select(vdev => vdev.WithPaths(paths))];
        // A leaf that no path was given for may know more than the others.
        if (Newest(host, poolGuid, contents.Leaves.Select(leaf => leaf.Path).OfType<string>()) is { } newest)
        {
            contents = PoolContents.From(newest);
            contents.Vdevs = [.. contents.Vdevs.Select(vdev => vdev.WithPaths(paths))];
        }
        var devices = new PoolDevices(host, contents.Vdevs);
        if (devices.Best() is { } best && devices.Label() is { } label) return new(devices, contents, label, best);

        devices.Dispose();
        return null;
    }

    public bool NeedsCheck(uint hostId) => ActivityCheck.Required(Best, Label.State, Label.HostId, hostId);

    /// <summary>The pool as a command may show it or decide to import it.</summary>
    public ImportConfig Config(MmpState? mmp) => new()
    {
        Name = Contents.Name,
        PoolGuid = PoolGuid,
        State = Label.State,
        Comment = Contents.Comment,
        HostId = Label.HostId,
        HostName = Label.HostName,
        Timestamp = Best.Timestamp,
        Health = Devices.HealthWord(),
        Mmp = mmp,
        Seen = mmp is null ? null : SeenUberblock.Of(Best),
        Vdevs = Devices.Report(),
    };

    public void Dispose() => Devices.Dispose();

    /// <summary>The contents the newest uberblock on these devices refers to.</summary>
    static NvList? Newest(HostDirectory host, ulong poolGuid, IEnumerable<string> paths)
    {
        (Uberblock Best, NvList Contents)? newest = null;
        foreach (var path in paths)
        {
            using var disk = FakeDisk.Open(host.In(path), FileAccess.Read);
            if (disk?.ReadLabel() is not { } label || label.Number("pool_guid") != poolGuid) continue;
            if (disk.Best() is not { } best || disk.ReadContents(best.Birth) is not { } contents) continue;
            if (newest is null || best > newest.Value.Best) newest = (best, contents);
        }
        return newest?.Contents;
    }
}
