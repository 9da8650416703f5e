using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.Protocol;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>What can be done to a held pool, each with a transaction group of its own.</summary>
sealed partial class ImportedPool
{
    public Errno SetProperty(string name, string value)
    {
        var error = Commit(
            TruthOperation.Txg,
            (contents, _) =>
            {
                if (name == "multihost" && value == "on" && !contents.Multihost) _pace.Restart(_kernel.Tunables());
                // Back to the default is no setting at all: zpool get shows its source as default then.
                if (PoolDefaults.Is(name, value)) contents.Properties.Remove(name);
                else contents.Properties[name] = value;
            },
            relabel: name == "comment");
        _thread?.Wake();
        return error;
    }

    public Errno LogHistory(string command) => Commit(
        TruthOperation.Txg,
        (contents, _) => contents.Remember(new(SimulatedTime.UnixSeconds(), _kernel.Host.Name, Txg: null, command)));

    /// <summary>Writes a transaction group now; of a suspended pool, when it resumes.</summary>
    public async Task<Errno> SyncAsync(KernelCall call)
    {
        await SleepWhileSuspendedAsync(call);
        lock (_gate)
        {
            if (_mode.ReadOnly || _exported) return Errno.None;

            using var passage = _kernel.DiskGate.Enter();
            if (!MayWrite()) return Errno.EAGAIN;

            WriteTxg(contentsChanged: false);
            return Errno.None;
        }
    }

    /// <summary>One data write.</summary>
    /// <param name="text">What is written; the host's name when nothing is given.</param>
    public Errno Write(string? text) => Commit(TruthOperation.Write, (contents, _) =>
    {
        contents.Writes++;
        contents.LastWrite = text ?? _kernel.Host.Name;
    });

    /// <summary>The data as this host sees it: how many writes, and the last one's text.</summary>
    public (ulong Writes, string Text) Read()
    {
        lock (_gate) return (_contents.Writes, _contents.LastWrite);
    }
}
