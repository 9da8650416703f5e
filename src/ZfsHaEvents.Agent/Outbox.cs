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
sealed class Outbox(HostEnvironment host, Spool spool, IMessageQueue queue, ILogger log) : IDisposable
{
    static readonly TimeSpan AfterOutage = TimeSpan.FromMilliseconds(200);

    readonly SemaphoreSlim _draining = new(1);
    long _forwarded;

    /// <summary>Forwards until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await spool.WaitAsync(_forwarded, cancellation);
            await DrainAsync(cancellation);
        }
    }

    /// <summary>Forwards what is on the spool now, waiting for the database if need be.</summary>
    public async Task DrainAsync(CancellationToken cancellation)
    {
        await _draining.WaitAsync(cancellation);
        try
        {
            var reading = spool.ReadPending();
            foreach (var problem in reading.Bad) log.HostProblem(problem);
            foreach (var entry in reading.Entries)
            {
                await TellAsync(entry, cancellation);
                spool.Remove(entry);
                _forwarded = entry.Number;
            }
        }
        finally
        {
            _draining.Release();
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
            catch (Exception e) when (DatabaseOutage.Is(e))
            {
                await Task.Delay(AfterOutage, cancellation); // It stays on the spool until the database is back.
            }
        }
    }
}
