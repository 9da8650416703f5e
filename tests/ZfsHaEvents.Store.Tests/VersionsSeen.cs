using System.Text.Json;
using ZfsHaEvents.Store.Projections;

namespace ZfsHaEvents.Store.Tests;

/// <summary>Keeps, for each stream, the versions of its events in the order in which they were applied: what was left out, repeated or turned round shows.</summary>
sealed class VersionsSeen : IProjection
{
    /// <summary>The alias of an event that it throws at.</summary>
    public const string Poison = "poison";

    public string Name => "VersionsSeen";

    public int Version => 1;

    public string Kind => "poolactivity";

    public string DotnetType => "ZfsHaEvents.Store.Tests.VersionsSeen";

    /// <summary>What it throws with.</summary>
    public string Error { get; init; } = "poison";

    public string? DocumentOf(string stream) => stream.StartsWith("pool-", StringComparison.Ordinal) ? stream[5..] : null;

    public object Read(string? json) => json is null ? Array.Empty<long>() : JsonSerializer.Deserialize<Shape>(json)!.Versions;

    public object Apply(object document, StoredEvent e) => e.Type == Poison ? throw new InvalidOperationException(Error) : (long[])[.. (long[])document, e.Version];

    public string Write(object document) => JsonSerializer.Serialize(new Shape((long[])document));

    /// <summary>The versions in a document of this projection.</summary>
    public static long[] In(Document document) => JsonSerializer.Deserialize<Shape>(document.Json)!.Versions;

    sealed record Shape(long[] Versions);
}
