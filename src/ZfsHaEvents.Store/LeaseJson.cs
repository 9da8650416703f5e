using System.Text.Json;

namespace ZfsHaEvents.Store;

/// <summary>Reads the leases that come along with a stream as one JSON array.</summary>
static class LeaseJson
{
    public static IReadOnlyList<Lease> Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        return [.. document.RootElement.EnumerateArray().Select(l => new Lease(
            l.GetProperty("holder").GetString()!,
            l.GetProperty("session").GetGuid(),
            l.GetProperty("renewed_at").GetDateTimeOffset(),
            l.GetProperty("lost").GetBoolean(),
            l.GetProperty("alive").GetBoolean(),
            l.GetProperty("attributes").GetRawText()))];
    }
}
