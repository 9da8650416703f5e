using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs;
using ZfsHaEvents.Zfs.Operations;

namespace ZfsHaEvents.Agent;

/// <summary>
/// Notices what the agent did not do: imports and exports by hand, changes of health. It watches the kernel's statistics, which never
/// block; commands are asked only for what those do not tell.
/// </summary>
sealed class Watcher(HostEnvironment host, PoolObserver observer, IReportSink reports, Troubles troubles, TimeProvider time, ILogger log)
{
    static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(250);

    /// <summary>A health that is not the same in this many looks is a flicker of the kstat (OFFLINE or empty for up to 100 ms) and not recorded.</summary>
    const int SteadyBeats = 2;

    /// <summary>How long a new pool's properties may take before it is reported without them.</summary>
    static readonly TimeSpan DetailsPatience = TimeSpan.FromMilliseconds(300);

    /// <summary>Properties change without the kernel's statistics telling.</summary>
    static readonly TimeSpan FullLook = TimeSpan.FromSeconds(60);

    /// <summary>A pool whose properties were not to be had is asked about again after this.</summary>
    static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    /// <summary>A pool that was being imported when it was reported is looked at in this pace until that is over.</summary>
    static readonly TimeSpan DoubtPace = TimeSpan.FromSeconds(1);

    /// <summary>
    /// What an order brings about it reports itself. An import that has taken effect is told after this all the same: its command may hang for as
    /// long as another import's activity check lasts, and who holds the pool would not be known for so long.
    /// </summary>
    static readonly TimeSpan OrderPatience = TimeSpan.FromSeconds(1);

    const string Part = "watcher";

    readonly Kstats _kstats = new(host);
    readonly ConcurrentDictionary<PoolGuid, int> _leftAlone = new();
    readonly ConcurrentDictionary<PoolGuid, PoolSight> _reported = new();
    readonly ConcurrentDictionary<PoolGuid, Task> _looking = new();
    readonly Dictionary<PoolGuid, long> _lookedAt = [];
    readonly Dictionary<PoolGuid, (PoolHealth Health, int Beats)> _steady = [];
    readonly Dictionary<PoolGuid, long> _untold = [];

    /// <summary>Leaves a pool to whoever works on it, until the result is disposed; they report what they see themselves.</summary>
    public IDisposable LeaveAlone(PoolGuid pool)
    {
        _leftAlone.AddOrUpdate(pool, 1, (_, n) => n + 1);
        return new Release(() => _leftAlone.AddOrUpdate(pool, 0, (_, n) => n - 1));
    }

    /// <summary>Somebody has reported this sight already.</summary>
    public void Reported(PoolGuid pool, PoolSight sight) => _reported[pool] = sight.Over(_reported.GetValueOrDefault(pool, PoolSight.Unknown));

    /// <summary>Watches until cancelled, on a thread of its own: it beats oftener than anything else here, and a timer's beat would wake two threads.</summary>
    public Task RunAsync(CancellationToken cancellation) => Task.Factory.StartNew(() => Run(cancellation), cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    void Run(CancellationToken cancellation)
    {
        var full = time.GetTimestamp();
        var pause = TimeSpan.Zero;
        while (!cancellation.WaitHandle.WaitOne(pause))
        {
            try
            {
                var everything = time.GetElapsedTime(full) >= FullLook;
                if (everything) full = time.GetTimestamp();
                Step(everything, cancellation);
                troubles.Over(Part);
                pause = Beat;
            }
            catch (Exception e) when (Troubles.IsHost(e)) // The kernel's statistics cannot be read.
            {
                troubles.Tell(Part, e);
                pause = Troubles.After(e);
            }
        }

        cancellation.ThrowIfCancellationRequested();
    }

    void Step(bool everything, CancellationToken cancellation)
    {
        var pools = _kstats.Read().Where(p => p.PoolGuid is not null).ToDictionary(p => p.PoolGuid!.Value);
        foreach (var (guid, pool) in pools)
        {
            var known = _reported.GetValueOrDefault(guid);
            if (_leftAlone.GetValueOrDefault(guid) > 0 && known?.IsImported() is not true) Await(guid);
            else _untold.Remove(guid);
            if (everything || known?.IsImported() is not true || (HasSettled(guid, pool.Health) && pool.Health != known.Health)) Look(guid, cancellation);
            else if (known.Presence is PoolPresence.Imported && time.GetElapsedTime(_lookedAt.GetValueOrDefault(guid)) >= LookAgain) Look(guid, cancellation);
        }

        foreach (var guid in _untold.Keys.Where(guid => !pools.ContainsKey(guid)).ToList()) _untold.Remove(guid);
        foreach (var (guid, known) in _reported.Where(r => !pools.ContainsKey(r.Key)))
        {
            // One that was being imported is either imported by now, which is seen above, or was refused.
            if (known.IsImported() || (known.Presence is PoolPresence.Unknown && time.GetElapsedTime(_lookedAt.GetValueOrDefault(guid)) >= DoubtPace)) Look(guid, cancellation);
        }
    }

    /// <summary>A pool that an order has imported, and has not reported yet.</summary>
    void Await(PoolGuid pool)
    {
        if (_untold.TryAdd(pool, time.GetTimestamp()) || time.GetElapsedTime(_untold[pool]) < OrderPatience) return;
        ReportAsShown(pool);
        _untold.Remove(pool);
    }

    /// <summary>Whether the kernel has shown this health for long enough. An unreadable one settles nothing.</summary>
    bool HasSettled(PoolGuid pool, PoolHealth health)
    {
        if (health is PoolHealth.Unknown) return false;
        var beats = _steady.TryGetValue(pool, out var last) && last.Health == health ? last.Beats + 1 : 1;
        _steady[pool] = (health, beats);
        return beats >= SteadyBeats;
    }

    void Look(PoolGuid pool, CancellationToken cancellation)
    {
        if (_leftAlone.GetValueOrDefault(pool) > 0 || (_looking.TryGetValue(pool, out var busy) && !busy.IsCompleted)) return;
        _lookedAt[pool] = time.GetTimestamp();
        _looking[pool] = Task.Run(() => LookAsync(pool, cancellation), CancellationToken.None);
    }

    async Task LookAsync(PoolGuid pool, CancellationToken cancellation)
    {
        try
        {
            var looking = observer.LookAsync(pool, cancellation);
            if (await Task.WhenAny(looking, Task.Delay(DetailsPatience, cancellation)) != looking)
            {
                // zpool does not answer: what the kernel shows is reported now, the rest when it is known.
                if (_leftAlone.GetValueOrDefault(pool) == 0) ReportAsShown(pool);
            }

            var look = await looking;
            if (look.Sight.Presence is not PoolPresence.Unknown && _leftAlone.GetValueOrDefault(pool) == 0) // Otherwise an order began while we looked; what it sees is newer.
                Report(pool, look.Name, look.Sequence, look.ObservedAt, look.Sight);
            troubles.Over(PartOf(pool));
        }
        catch (Exception e) when (Troubles.IsHost(e)) // As when the disk is full: nothing is reported, so it is looked at again.
        {
            troubles.Tell(PartOf(pool), e);
            await Task.Delay(Troubles.After(e), CancellationToken.None); // Until then it counts as being looked at.
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    static string PartOf(PoolGuid pool) => $"{Part} {pool}";

    /// <summary>What the kernel shows of an imported pool, without what only a command would tell.</summary>
    void ReportAsShown(PoolGuid pool)
    {
        var survey = observer.Survey();
        if (survey.Pools.FirstOrDefault(p => p.PoolGuid == pool) is { } seen) Report(pool, seen.Name, survey.Sequence, survey.ObservedAt, new(PoolPresence.Imported, seen.Health, null, []));
    }

    void Report(PoolGuid pool, PoolName? name, long sequence, DateTimeOffset at, PoolSight sight)
    {
        var known = _reported.GetValueOrDefault(pool, PoolSight.Unknown);
        if (sight.SameAs(known)) return;

        reports.Append(new(pool, name, host.Name, host.ReadBootId(), Order: null, Actors.Agent, [new HostFact.Observed(sequence, at, sight)]), endsOrder: false);
        _reported[pool] = sight.Over(known);
        log.Seen(pool.ToString(), name?.Value, sight.Presence.ToString(), sight.Health.ToString());
    }

    sealed class Release(Action action) : IDisposable
    {
        public void Dispose() => action();
    }
}
