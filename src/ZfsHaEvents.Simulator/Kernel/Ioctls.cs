using System.Diagnostics;
using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.Protocol;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>Answers what processes ask of a kernel: reads the arguments, does it, packs the answer.</summary>
sealed class Ioctls(HostKernel kernel)
{
    readonly PoolImport _imports = new(kernel);
    readonly PoolCreation _creations = new(kernel);

    /// <exception cref="OperationCanceledException">The caller died while it slept interruptibly.</exception>
    public async Task<NvList> AnswerAsync(Ioctl ioctl, NvList request, KernelCall call)
    {
        switch (ioctl)
        {
            case Ioctl.PoolTryImport:
                return Answer(await _imports.TryAsync(request.Number("pool_guid"), Paths(request), call.CallerGone));
            case Ioctl.PoolImport:
                return Answer(await _imports.ImportAsync(ImportOf(request), call.CallerGone));
        }
        await PassNamespaceAsync(call);
        switch (ioctl)
        {
            case Ioctl.PoolStats:
                return PoolStats(request);
            case Ioctl.PoolCreate:
                return Answer(_creations.Create(request));
            case Ioctl.EventsNext:
                return Ok(new() { { "events", kernel.Events.After(request.Number("after")) } });
            default:
                return kernel.Find(request.Text("pool")) is { } pool ? await AnswerAsync(ioctl, pool, request, call) : Answer(Errno.ENOENT);
        }
    }

    static async Task<NvList> AnswerAsync(Ioctl ioctl, ImportedPool pool, NvList request, KernelCall call)
    {
        switch (ioctl)
        {
            case Ioctl.PoolUnmount:
                return Answer(pool.UnmountForExport());
            case Ioctl.PoolExport:
                return Answer(await pool.ExportAsync(request.Flag("force"), request.Text("command"), call));
            case Ioctl.PoolSetProperty:
                return Answer(pool.SetProperty(request.Text("name"), request.Text("value")));
            case Ioctl.PoolClear:
                return Answer(await pool.ClearAsync(call.CallerGone));
            case Ioctl.PoolSync:
                return Answer(await pool.SyncAsync(call));
            case Ioctl.LogHistory:
                return Answer(pool.LogHistory(request.Text("command")));
            case Ioctl.DatasetCreate:
                return Answer(pool.CreateDataset(request.Text("path"), PoolStatus.Texts(request.List("properties"))));
            case Ioctl.DatasetSet:
                return Answer(pool.SetDatasetProperties(request.Text("path"), PoolStatus.Texts(request.List("properties"))));
            case Ioctl.Mount:
                pool.Mount(request.TextOrNone("dataset"));
                return Answer(Errno.None);
            case Ioctl.Unmount:
                return Answer(pool.Unmount(request.Text("dataset")) ? Errno.None : Errno.EBUSY);
            case Ioctl.Write:
                return Answer(pool.Write(request.TextOrNone("text")));
            case Ioctl.Read:
                var (writes, text) = pool.Read();
                return Ok(new() { { "writes", writes }, { "text", text } });
            case Ioctl.Workload:
                pool.SetWorkload(request.Flag("on"));
                return Answer(Errno.None);
            case Ioctl.Busy:
                pool.SetBusy(request.TextOrNone("path"), request.Flag("on"));
                return Answer(Errno.None);
            default:
                throw new UnreachableException($"An ioctl that no pool answers: {ioctl}");
        }
    }

    /// <summary>Looking up a pool takes spa_namespace_lock, so it waits for the activity check of any other pool; kstats do not.</summary>
    async Task PassNamespaceAsync(KernelCall call)
    {
        if (!kernel.Settings.Current.BlockDuringCheck) return;

        await kernel.Namespace.WaitAsync(call.CallerGone);
        kernel.Namespace.Release();
    }

    NvList PoolStats(NvList request)
    {
        var name = request.TextOrNone("pool");
        if (name is not null && kernel.Find(name) is null) return Answer(Errno.ENOENT);

        var pools = kernel.Pools.Where(pool => name is null || pool.Name == name).OrderBy(pool => pool.Name, StringComparer.Ordinal);
        return Ok(new() { { "pools", [.. pools.Select(pool => pool.Status().ToList())] } });
    }

    static ImportRequest ImportOf(NvList request) => new(
        request.Number("pool_guid"),
        request.TextOrNone("new_name"),
        request.Flag("force"),
        new(request.Flag("readonly"), request.TextOrNone("altroot"), request.TextOrNone("cachefile")),
        Paths(request),
        request.Has("mmp_txg") ? new(request.Number("mmp_txg"), request.Number("mmp_timestamp"), request.Number("mmp_seq")) : null);

    static Dictionary<ulong, string> Paths(NvList request) =>
        request.Lists("devices").ToDictionary(device => device.Number("guid"), device => device.Text("path"));

    static NvList Answer(ExportOutcome outcome)
    {
        var answer = Answer(outcome.Error);
        answer.AddText("busy", outcome.BusyMountpoint);
        return answer;
    }

    static NvList Answer(ImportConfig? config) => config is null ? Answer(Errno.ENXIO) : Ok(config.ToList());

    static NvList Answer(ImportOutcome outcome)
    {
        var answer = Answer(outcome.Error);
        if (outcome.Mmp is { } mmp) answer.Add("mmp_state", (ulong)mmp);
        answer.Add("mmp_result", (ulong)outcome.Result);
        if (outcome.Label is { } label)
        {
            answer.Add("mmp_hostid", label.HostId);
            answer.Add("mmp_hostname", label.HostName);
        }
        return answer;
    }

    static NvList Ok(NvList value)
    {
        value.Add(KernelConnection.ErrorField, (ulong)Errno.None);
        return value;
    }

    static NvList Answer(Errno error) => new() { { KernelConnection.ErrorField, (ulong)error } };
}
