using Microsoft.Win32.SafeHandles;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Zfs.Commands;

namespace ZfsHaEvents.Zfs.Locks;

/// <summary>The lock was free although a record in it named a holder: that one died without releasing it.</summary>
/// <param name="Previous">Null when the record was torn.</param>
/// <param name="PreviousHolder">The record in words.</param>
/// <param name="Evidence">Why the previous holder cannot hold it any more.</param>
public sealed record BrokenLock(LockRecord? Previous, string PreviousHolder, string Evidence);

/// <summary>
/// A host lock that is held. Acquiring it again in the same flow, or in a process started under it, nests; the lock is free
/// when the last of them is disposed.
/// </summary>
public sealed class HeldLock : IDisposable, IAsyncDisposable
{
    readonly LockHolding _holding;
    bool _disposed;

    internal HeldLock(LockHolding holding, bool isNested, TimeSpan waited, BrokenLock? broken) =>
        (_holding, IsNested, Waited, Broken) = (holding, isNested, waited, broken);

    public PoolGuid Pool => _holding.Pool;

    /// <summary>Somebody up the call chain, or the process that started this one, has the lock already and will release it.</summary>
    public bool IsNested { get; }

    /// <summary>From asking to having.</summary>
    public TimeSpan Waited { get; }

    /// <summary>The previous holder died with it; null ordinarily.</summary>
    public BrokenLock? Broken { get; }

    /// <summary>A child that could not be ended has it now.</summary>
    public bool IsLeftToChild { get; private set; }

    /// <summary>Releases it: at once if it is the last of its nest.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _holding.Leave(keepRecord: false);
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// Gives our part of the lock up to a child that could not be ended. The lock remains held, by the child's descriptor, until
    /// that child is gone; the record stays, so that whoever waits learns about it.
    /// </summary>
    public void LeaveToChild()
    {
        if (_disposed) return;
        _disposed = true;
        IsLeftToChild = true;
        _holding.Leave(keepRecord: true);
    }

    internal string InheritanceText() => string.Join(',', Descriptors().Select(lent => $"{lent.Pool}={lent.Handle.DangerousGetHandle()}"));

    /// <summary>Only within the gate of child starts.</summary>
    internal void LetNextChildInherit(bool inherit)
    {
        foreach (var (_, handle) in Descriptors()) Libc.SetCloseOnExec(handle, !inherit);
    }

    IEnumerable<(string Pool, SafeFileHandle Handle)> Descriptors() =>
        InheritedLocks.All().Where(other => other.Pool != Pool.ToString()).Prepend((Pool.ToString(), _holding.Handle));
}

/// <summary>One holding of one lock file by this process, shared by the nested <see cref="HeldLock"/>s of one flow.</summary>
sealed class LockHolding(PoolGuid pool, LockFile file, bool inherited)
{
    readonly Lock _gate = new();
    int _depth = 1;
    bool _keepRecord;

    public PoolGuid Pool => pool;

    public SafeFileHandle Handle => file.Handle;

    /// <returns>False when it has been released for good.</returns>
    public bool TryEnter()
    {
        lock (_gate)
        {
            if (_depth == 0) return false;
            _depth++;
            return true;
        }
    }

    public bool IsHeld()
    {
        lock (_gate) return _depth > 0;
    }

    public void Leave(bool keepRecord)
    {
        lock (_gate)
        {
            _keepRecord |= keepRecord;
            if (--_depth > 0 || inherited) return;
            try
            {
                if (!_keepRecord) file.Clear();
            }
            finally
            {
                lock (ChildProcess.StartGate) file.Dispose();
            }
        }
    }
}
