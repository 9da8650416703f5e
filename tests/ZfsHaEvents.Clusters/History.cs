using System.Text.Json;

namespace ZfsHaEvents.Clusters;

/// <summary>An event of a pool's history, as the server tells it.</summary>
sealed record HistoryLine(
    long Version, Guid Id, string Type, DateTimeOffset ObservedAt, DateTimeOffset RecordedAt, string? Host, string? Boot, long? Sequence, bool Late, string? Actor, string? Request, JsonElement Data)
{
    /// <summary>What the event says its host saw of the pool, if it says.</summary>
    public string? Presence => Data.TryGetProperty("Sight", out var sight) ? sight.GetProperty(nameof(Presence)).GetString() : null;

    /// <summary>A suspended pool writes nothing: its host has it imported and holds it no more.</summary>
    public bool SaysHeld => Presence is "ReadWrite" or "Imported" && Data.GetProperty("Sight").GetProperty("Health").GetString() != "Suspended";

    /// <summary>The order behind it; null for what nobody ordered.</summary>
    public string? Order => Data.TryGetProperty(nameof(Order), out var order) ? order.GetString() : null;

    /// <summary>It tells how an attempt of its host ended, and a command had been run for it.</summary>
    public bool RanZpool => Data.TryGetProperty("Run", out var run) && run.ValueKind is JsonValueKind.Object;

    /// <summary>The attempt that the event tells the beginning or the end of: import, export, or none.</summary>
    public string? Attempt => Type is "import_started" or "import_succeeded" or "import_refused" or "import_failed" ? "import"
        : Type is "export_started" or "export_succeeded" or "export_refused" or "export_failed" ? "export"
        : null;

    public bool IsIntent => Type is "import_started" or "export_started";

    public override string ToString() => $"{Version} {ObservedAt:HH:mm:ss.fff} {Host} {Type} {Data}";
}
