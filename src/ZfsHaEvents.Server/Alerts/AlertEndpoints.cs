using System.Text.Json;
using ZfsHaEvents.Domain.Alerts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Server.Failovers;
using ZfsHaEvents.Server.Running;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Server.Alerts;

/// <summary>Reading and acknowledging alerts.</summary>
static class AlertEndpoints
{
    public static void MapAlerts(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/alerts", async (bool? open, IEventStore store, CancellationToken cancellation) =>
            (await AllAsync(store, cancellation)).Where(a => open is null || a.IsOpen() == open).OrderByDescending(a => a.RaisedAt));
        routes.MapPost("/alerts/{id}/acknowledgements", AcknowledgeAsync);
    }

    static async Task<IResult> AcknowledgeAsync(string id, AcknowledgeBody body, Requests requests, IEventStore store, CancellationToken cancellation)
    {
        if ((await AllAsync(store, cancellation)).FirstOrDefault(a => a.Id == id) is not { } alert) return Problems.NotFound("UnknownAlert", $"no alert has the id '{id}'");
        if (alert.Pool is not { } pool) return Problems.Refused("ClearsByItself", "an alert about a host ends when the host is back; there is nothing to acknowledge");
        return await requests.AskAsync(new AcknowledgeAlert(Requests.IdOf(body.Id), new(pool.ToString()), id, body.By, body.Comment), cancellation);
    }

    static async Task<IEnumerable<Alert>> AllAsync(IEventStore store, CancellationToken cancellation) =>
        (await store.DocumentsAsync(StreamRunner.Kinds.Alert, cancellation)).Select(d => JsonSerializer.Deserialize(d.Json, StoredJson.Default.Alert)!);
}
