using ZfsHaEvents.Simulator.Disks;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>What <c>zpool events</c> shows: the last events of this boot, numbered from 1.</summary>
sealed class EventLog
{
    /// <summary>As many as the module keeps by default is more than anybody reads here.</summary>
    const int EventsMax = 1000;

    readonly Lock _gate = new();
    readonly List<NvList> _events = [];
    ulong _lastId;

    /// <param name="name">The class: <c>sysevent.fs.zfs.pool_import</c>.</param>
    /// <param name="pool">The pool it is about.</param>
    /// <param name="poolGuid">Its GUID.</param>
    public void Add(string name, string pool, ulong poolGuid)
    {
        var now = DateTimeOffset.UtcNow;
        lock (_gate)
        {
            _events.Add(new()
            {
                { "class", name },
                { "pool", pool },
                { "pool_guid", poolGuid },
                { "seconds", (ulong)now.ToUnixTimeSeconds() },
                { "nanoseconds", (ulong)(now.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick) },
                { "eid", ++_lastId },
            });
            if (_events.Count > EventsMax) _events.RemoveAt(0);
        }
    }

    /// <summary>The events after the one of that number, oldest first.</summary>
    public IReadOnlyList<NvList> After(ulong id)
    {
        lock (_gate) return [.. _events.Where(entry => entry.Number("eid") > id)];
    }
}
