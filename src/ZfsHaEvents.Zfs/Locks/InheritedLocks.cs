using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace ZfsHaEvents.Zfs.Locks;

/// <summary>
/// The locks under which this process was started: open descriptors, named by the variable <c>ZFSHA_LOCKS</c> as
/// <c>&lt;pool guid&gt;=&lt;descriptor&gt;[,…]</c>. What the variable claims is checked before it is believed.
/// </summary>
static class InheritedLocks
{
    public const string Variable = "ZFSHA_LOCKS";

    /// <summary>Read once; the descriptors are made close-on-exec at once, so that only children started under the lock get them.</summary>
    static readonly Dictionary<string, SafeFileHandle> ByPool = Read(Environment.GetEnvironmentVariable(Variable) ?? "");

    /// <summary>The inherited lock of the pool, if it is the one in that lock file and is really held; null otherwise.</summary>
    public static LockFile? Find(string pool, LockFile file)
    {
        if (!ByPool.TryGetValue(pool, out var inherited)) return null;
        if (Libc.Status(inherited) is not { } theirs || Libc.Status(file.Handle) is not { } ours || !theirs.SameFileAs(ours)) return null;

        // Our own description is granted at once; one that does not hold the lock, while another does, is refused.
        var adopted = LockFile.Adopt(inherited);
        return adopted.TryLock() ? adopted : null;
    }

    /// <summary>The inherited descriptors, to be passed on to a child that works under a lock.</summary>
    public static IEnumerable<(string Pool, SafeFileHandle Handle)> All() => ByPool.Select(entry => (entry.Key, entry.Value));

    static Dictionary<string, SafeFileHandle> Read(string text)
    {
        var byPool = new Dictionary<string, SafeFileHandle>();
        foreach (var entry in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (entry.Split('=') is not [var pool, var number]) continue;
            if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var descriptor) || descriptor < 3) continue;

            // Not ours to close: whoever started us holds the lock, and so may our own parent's other children.
            var handle = new SafeFileHandle(descriptor, ownsHandle: false);
            if (Libc.Status(handle) is null) continue;
            Libc.SetCloseOnExec(handle, true);
            byPool[pool] = handle;
        }
        return byPool;
    }
}
