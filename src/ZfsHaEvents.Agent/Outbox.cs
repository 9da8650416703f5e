using Microsoft.Extensions.Logging;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Store;
using ZfsHaEvents.Zfs;
using ZfsHaEvents.Zfs.Spooling;

namespace ZfsHaEvents.Agent;

/// <summary>
/// Forwards the spool to the server's queue: what the agent reports, and what typed commands left there while no agent ran, in
/// the order in which it happened.
/// </summary>
sealed class Outbox(HostEnvironment host, Spool spool, IMessageQueue queue, Troubles troubles, ILogger log) : IDisposable
{
    const string Part = "outbox";

    readonly SemaphoreSlim _draining = new(1);

    /// <summary>Told, and not removed yet because the disk is full.</summary>
    readonly HashSet<SpoolEntry> _told = [];

    /// <summary>Forwards until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                await spool.WaitAsync(above: 0, cancellation);
                await DrainAsync(cancellation);
                if (_told.Count == 0) continue;
            }
            catch (Exception e) when (Troubles.IsHost(e)) // The spool cannot be read.
            {
                troubles.Tell(Part, e);
            }

            await Task.Delay(TimeSpan.FromSeconds(1), cancellation);
        }
    }

    /// <summary>Forwards what is on the spool now, waiting for the database if need be.</summary>
    /// <exception cref="HostException">The spool cannot be read.</exception>
    public async Task DrainAsync(CancellationToken cancellation)
    {
        await _draining.WaitAsync(cancellation);
        try
        {
            var reading = spool.ReadPending();
            foreach (var problem in reading.Bad) log.HostProblem(problem);
            foreach (var entry in reading.Entries)
            {
                if (!_told.Contains(entry)) await TellAsync(entry, cancellation);
                Remove(entry);
            }

            if (_told.Count == 0) troubles.Over(Part);
        }
        finally
        {
            _draining.Release();
        }
    }

    /// <summary>What cannot be removed does not hold up what comes after it, and is removed later.</summary>
    void Remove(SpoolEntry entry)
    {
        try
        {
            spool.Remove(entry);
            _told.Remove(entry);
        }
        catch (Exception e) when (Troubles.IsHost(e)) // A full disk.
        {
            _told.Add(entry);
            troubles.Tell(Part, e);
        }
    }

    public void Dispose() => _draining.Dispose();

    /// <summary>Puts the entry on the server's queue and, in the same transaction, takes the order it answers off ours.</summary>
    async Task TellAsync(SpoolEntry entry, CancellationToken cancellation)
    {
        var row = Derived.Uuid($"{host.Name}\n{entry.Text}"); // An entry told twice, because we died before removing it, is one row, and one message.
        Guid? answered = entry.Completes is { } order ? BusMessage.RowId(Queues.Host(host.Name), Actors.Server, order.Value) : null;
        while (true)
        {
            try
            {
                await queue.SendAsync([new(row, Queues.Server, entry.Text, TimeSpan.Zero)], answered, cancellation);
                return;
            }
            catch (Exception e) when (Troubles.Is(e)) // It stays on the spool until the database is there.
            {
                if (!DatabaseOutage.Is(e)) troubles.Tell(Part, e); // An outage is reported by the session.
                await Task.Delay(Troubles.After(e), cancellation);
            }
        }
    }
}
