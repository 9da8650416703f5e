using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Alerts;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Domain.Views;
using ZfsHaEvents.Store;
using Host = ZfsHaEvents.Domain.Hosts.Host;

namespace ZfsHaEvents.Server.Running;

/// <summary>A stream as it is being folded, one event after the other.</summary>
public interface IFolding
{
    /// <summary>Takes the next event.</summary>
    void Take(StoredEvent stored);
}

/// <summary>A pool and its alerts.</summary>
public sealed class PoolFolding(PoolGuid id) : IFolding
{
    readonly Dictionary<RequestId, Pool> _moves = [];

    /// <summary>The pool as of the last event taken.</summary>
    public Pool Pool { get; private set; } = Pool.Initial(id);

    /// <summary>Its alerts as of then.</summary>
    public AlertBook Alerts { get; private set; } = AlertBook.Empty;

    /// <summary>The dossier of every move that a later event than this one changed, as the last of these left it.</summary>
    public IEnumerable<Document> Dossiers(long since) => _moves.Values.Where(m => m.Version > since && Dossier.Of(m) is not null).Select(m => StreamRunner.DocumentOf(Dossier.Of(m)!, m.Version));

    /// <inheritdoc/>
    public void Take(StoredEvent stored) => Take(Codec.ReadPoolEvent(stored));

    /// <inheritdoc cref="Take(StoredEvent)"/>
    public void Take(Recorded<PoolEvent> recorded)
    {
        var before = Pool.Move;
        Pool = Pool.Evolve(recorded);
        if (!ReferenceEquals(before, Pool.Move) && Pool.Move is { } move) _moves[move.Id] = Pool;
        Alerts = Alerts.Evolve(recorded, Pool);
    }
}

/// <summary>A host and its alerts.</summary>
public sealed class HostFolding(HostName name) : IFolding
{
    /// <summary>The host as of the last event taken.</summary>
    public Host Host { get; private set; } = Host.Initial(name);

    /// <summary>Its alerts as of then.</summary>
    public AlertBook Alerts { get; private set; } = AlertBook.Empty;

    /// <inheritdoc/>
    public void Take(StoredEvent stored) => Take(Codec.ReadHostEvent(stored));

    /// <inheritdoc cref="Take(StoredEvent)"/>
    public void Take(Recorded<HostEvent> recorded) => (Host, Alerts) = (Host.Evolve(recorded), Alerts.Evolve(recorded));
}
