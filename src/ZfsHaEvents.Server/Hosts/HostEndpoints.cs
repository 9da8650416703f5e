using System.Text.Json;
using ZfsHaEvents.Domain.Views;
using ZfsHaEvents.Server.Running;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Server.Hosts;

/// <summary>A host, and its lease as the database judges it now.</summary>
sealed record HostState(HostView Host, bool Alive, DateTimeOffset? RenewedAt);

/// <summary>Reading hosts.</summary>
static class HostEndpoints
{
    public static void MapHosts(this IEndpointRouteBuilder routes) => routes.MapGet("/hosts", async (IEventStore store, CancellationToken cancellation) =>
    {
        // Leases come with any stream that is read; this one does not exist.
        var leases = (await store.LoadAsync("none", cancellation)).Leases.ToDictionary(l => l.Holder);
        return (await store.DocumentsAsync(StreamRunner.Kinds.Host, cancellation))
            .Select(d => JsonSerializer.Deserialize(d.Json, StoredJson.Default.HostView)!)
            .Select(h => new HostState(h, leases.GetValueOrDefault(h.Name.Value)?.Alive is true, leases.GetValueOrDefault(h.Name.Value)?.RenewedAt));
    });
}
