using System.Reflection;
using Microsoft.Extensions.Logging;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Store;
using ZfsHaEvents.Zfs;
using ZfsHaEvents.Zfs.Operations;
using ZfsHaEvents.Zfs.Spooling;
using ObeyedEpoch = ZfsHaEvents.Domain.Hosts.ObeyedEpoch;
using Refusal = ZfsHaEvents.Zfs.Refusal;

namespace ZfsHaEvents.Agent;

/// <summary>
/// This host's standing with the control plane: opens a session by telling what the host sees and has obeyed, renews its lease from
/// a thread that waits for nothing else, and opens another when that one is gone.
/// </summary>
sealed class Session(HostEnvironment host, PoolObserver observer, EpochRecord epochs, IMessageQueue queue, ILeases leases, Watcher watcher, Troubles troubles, TimeProvider time, ILogger log)
{
    static readonly TimeSpan Renewal = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a session that was asked for may take to be granted before it is asked for again.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    const string Part = "session";

    readonly Lock _gate = new();
    SessionId? _current;
    Incarnation _incarnation;

    /// <summary>The message that last asked for a session.</summary>
    Guid? _asked;

    /// <summary>The session that orders must name, and the history they must belong to; null while none is open.</summary>
    public (SessionId Session, Incarnation Incarnation)? Current
    {
        get
        {
            lock (_gate) return _current is { } session ? (session, _incarnation) : null;
        }
    }

    /// <summary>
    /// Judges an order against the present session, which does not end meanwhile: what is obeyed in it is on disk before the
    /// next one reads what was obeyed.
    /// </summary>
    public Refusal? Judge(Func<(SessionId Session, Incarnation Incarnation)?, Refusal?> judge)
    {
        lock (_gate) return judge(_current is { } session ? (session, _incarnation) : null);
    }

    /// <summary>Keeps a session open until cancelled.</summary>
    /// <param name="beforeOpening">Tells everything that happened before, so that it arrives before.</param>
    public async Task RunAsync(Func<CancellationToken, Task> beforeOpening, CancellationToken cancellation)
    {
        while (true)
        {
            var session = new SessionId(Guid.CreateVersion7());
            try
            {
                await beforeOpening(cancellation);
                if (!await OpenAsync(session, cancellation))
                {
                    if (troubles.IsNews(Part, "no session")) log.NoSession(Patience.TotalSeconds);
                    continue;
                }

                troubles.Over(Part);
            }
            catch (Exception e) when (Troubles.Is(e)) // Neither the database nor the disk is for ever as it is now.
            {
                troubles.Tell(Part, e);
                await Task.Delay(Troubles.After(e), cancellation);
                continue;
            }

            log.SessionOpen(session.Value);
            await Task.Factory.StartNew(() => Renew(session, cancellation), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            lock (_gate) _current = null;
            cancellation.ThrowIfCancellationRequested();
            log.SessionGone(session.Value);
        }
    }

    async Task<bool> OpenAsync(SessionId session, CancellationToken cancellation)
    {
        var incarnation = new Incarnation(await leases.IncarnationAsync(cancellation));
        var message = new BusMessage($"session/{session}", SpooledReports.Source(host.Name), Queues.Host(host.Name), null, await ReportAsync(session, cancellation));
        var row = new NewMessage(BusMessage.RowId(Queues.Server, message.Source, message.Id), Queues.Server, message.Write(time.GetUtcNow()), TimeSpan.Zero);
        // The one before is withdrawn: without a server they would pile up. The session is a new one each time, for one that was granted and
        // lost unnoticed is never granted again.
        var before = _asked;
        _asked = row.Id;
        await queue.SendAsync([row], completes: before, cancellation);

        for (var asked = time.GetTimestamp(); time.GetElapsedTime(asked) < Patience; await Task.Delay(20, cancellation))
        {
            if (!leases.Renew(host.Name.Value, session.Value)) continue;
            lock (_gate) (_current, _incarnation) = (session, incarnation);
            return true;
        }

        return false;
    }

    /// <summary>What this host sees now, and the highest epochs it has obeyed.</summary>
    /// <exception cref="HostException">It cannot be told, or not all of it.</exception>
    async Task<OpenSession> ReportAsync(SessionId session, CancellationToken cancellation)
    {
        // Details first: between the number that orders the survey and its report no command may take seconds.
        var details = new Dictionary<PoolGuid, HostLook>();
        foreach (var pool in observer.Survey().Pools.Where(p => p.PoolGuid is not null))
            details[pool.PoolGuid!.Value] = await observer.LookAsync(pool.PoolGuid.Value, cancellation);

        var survey = observer.Survey();
        var obeyed = epochs.All();
        // Reported as obeying nothing, this host would be believed never to have begun what it was ordered.
        if (obeyed.Unreadable.Count > 0) throw new HostException($"No session is opened: {string.Join(' ', obeyed.Unreadable)}");
        var reports = survey.Pools.Where(p => p.PoolGuid is not null).ToDictionary(p => p.PoolGuid!.Value, p => new PoolReport(
            p.PoolGuid!.Value, p.Name,
            details.TryGetValue(p.PoolGuid.Value, out var look) && look.Sight.IsImported() ? look.Sight with { Health = p.Health } : new(PoolPresence.Imported, p.Health, null, []),
            Obeyed: null));
        // Whatever is not reported counts as absent, and an import under way, as of an orphan of ours, may yet succeed.
        foreach (var pool in survey.Importing) reports.TryAdd(pool, new(pool, null, PoolSight.Unknown, Obeyed: null));
        foreach (var epoch in obeyed.Obeyed)
            reports[epoch.Pool] = (reports.GetValueOrDefault(epoch.Pool) ?? new(epoch.Pool, null, PoolSight.Absent, null)) with { Obeyed = new ObeyedEpoch(epoch.Incarnation, epoch.Epoch) };

        foreach (var report in reports.Values) watcher.Reported(report.Pool, report.Sight);
        return new(
            host.Name, session, host.ReadBootId(), host.ReadHostId(), Assembly.GetExecutingAssembly().GetName().Version!.ToString(3),
            survey.Sequence, survey.ObservedAt, [.. reports.Values]);
    }

    /// <summary>
    /// After one failure none: a renewal that hung has used up half the lease, and the next goes over another connection. A database that is
    /// away is then asked in the usual pace.
    /// </summary>
    internal static TimeSpan PauseAfter(int failures) => failures == 1 ? TimeSpan.Zero : Renewal;

    /// <summary>Renews until the session is gone or we are told to stop. A database that is away does not end a session.</summary>
    void Renew(SessionId session, CancellationToken cancellation)
    {
        DateTimeOffset? awaySince = null;
        var failures = 0;
        while (!cancellation.WaitHandle.WaitOne(PauseAfter(failures)))
        {
            try
            {
                if (!leases.Renew(host.Name.Value, session.Value)) return;
                if (awaySince is { } since) log.DatabaseAvailable((time.GetUtcNow() - since).TotalSeconds);
                (awaySince, failures) = (null, 0);
                troubles.Over(Part);
            }
            catch (Exception e) when (Troubles.Is(e))
            {
                failures++;
                troubles.Tell(Part, e);
                awaySince ??= time.GetUtcNow();
            }
        }
    }
}
