using System.Text.Json;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Domain.Views;
using ZfsHaEvents.Store;
using ZfsHaEvents.Store.Projections;

namespace ZfsHaEvents.Server.Projections;

/// <summary>Makes <see cref="PoolActivity"/> of a pool's events.</summary>
public sealed class PoolActivityProjection : IProjection
{
    /// <summary>The documents' table, less Marten's prefix.</summary>
    public const string Table = "poolactivity";

    const string Streams = "pool-";

    /// <inheritdoc/>
    public string Name => "PoolActivity";

    /// <inheritdoc/>
    public int Version => 1;

    /// <inheritdoc/>
    public string Kind => Table;

    /// <inheritdoc/>
    public string DotnetType => typeof(PoolActivity).FullName!;

    /// <inheritdoc/>
    public string? DocumentOf(string stream) => stream.StartsWith(Streams, StringComparison.Ordinal) ? stream[Streams.Length..] : null;

    /// <inheritdoc/>
    public object Read(string? json) => json is null ? new PoolActivity() : JsonSerializer.Deserialize(json, StoredJson.Default.PoolActivity)!;

    /// <inheritdoc/>
    public string Write(object document) => JsonSerializer.Serialize((PoolActivity)document, StoredJson.Default.PoolActivity);

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">The event's type is unknown to this version: what it means for the numbers cannot be known.</exception>
    public object Apply(object document, StoredEvent e)
    {
        if (Codec.Catalog.AliasOf(e.Type) is not { } type) throw new NotSupportedException($"this version does not know events of the type '{e.Type}' (version {e.Version}): install one that does, then replay the stream");

        var activity = (PoolActivity)document;
        if (type is "pool_discovered" or "pool_renamed")
        {
            activity.Name = Codec.ReadPoolEvent(e).Event switch
            {
                PoolDiscovered discovered => discovered.Name?.Value ?? activity.Name,
                PoolRenamed renamed => renamed.To.Value,
                _ => throw new NotSupportedException($"the body of version {e.Version}, of the type '{e.Type}', cannot be read"),
            };
        }

        activity.Events++;
        if (activity.FirstAt is not { } first || e.ObservedAt < first) activity.FirstAt = e.ObservedAt;
        if (activity.LastAt is not { } last || e.ObservedAt > last) activity.LastAt = e.ObservedAt;
        if (EventCatalog.HeadersOf(e)?.Host is { } host) activity.ByHost[host.Value] = activity.ByHost.GetValueOrDefault(host.Value) + 1;
        Count(activity, type, e.ObservedAt);
        return activity;
    }

    static void Count(PoolActivity activity, string type, DateTimeOffset at)
    {
        switch (type)
        {
            case "import_succeeded": activity.Imports++; break;
            case "export_succeeded": activity.Exports++; break;
            case "import_refused" or "export_refused": activity.Refused++; break;
            case "import_failed" or "export_failed": activity.Failed++; break;
            case "switchover_completed": activity.Switchovers++; break;
            case "failover_completed": activity.Failovers++; break;
            case "switchover_aborted" or "failover_aborted": activity.Aborted++; break;
            case "pool_halted" or "switchover_halted" or "failover_halted": activity.Halts++; break;
            case "conflict_detected": activity.Conflicts++; break;
        }

        if (type is "switchover_completed" or "failover_completed") activity.LastMovedAt = at;
    }
}
