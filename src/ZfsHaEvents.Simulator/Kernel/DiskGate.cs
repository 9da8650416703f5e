using Microsoft.Win32.SafeHandles;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>
/// Held by a host's kernel from the last look at the disks to the end of the write it allows, and by whoever freezes the host.
/// A frozen machine's requests have either reached the disks or not been sent; without the gate a freeze could fall between
/// a look and its write, and the write would land after a takeover.
/// </summary>
sealed class DiskGate(HostDirectory host) : IDisposable
{
    readonly Lock _threads = new();
    readonly SafeFileHandle _file = Posix.OpenForLock(host.DiskGate);

    public Passage Enter()
    {
        _threads.Enter();
        Posix.Lock(_file);
        return new(this);
    }

    /// <summary>Lets nobody pass any more.</summary>
    public void Close() => _threads.Enter();

    public void Dispose() => _file.Dispose();

    void Leave()
    {
        Posix.Release(_file);
        _threads.Exit();
    }

    /// <summary>The stay inside the gate; ends on the thread that began it.</summary>
    public readonly ref struct Passage(DiskGate gate)
    {
        public void Dispose() => gate.Leave();
    }
}
