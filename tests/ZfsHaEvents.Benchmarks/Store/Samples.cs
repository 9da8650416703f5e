using System.Globalization;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Server;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Benchmarks.Store;

/// <summary>An event, a document and a message of the size that they usually have.</summary>
static class Samples
{
    /// <summary>400 bytes, body and headers together.</summary>
    const int EventBytes = 400;

    const string Tail = "\"}}";

    static readonly NewEvent Sample = Observed(new(HostName.Parse("oss-01"), new(PoolPresence.ReadWrite, PoolHealth.Online, Multihost: true, [Leaf(1), Leaf(2)])));

    static readonly string DocumentJson = Views();

    /// <summary>A host's look at a pool.</summary>
    public static NewEvent Event() => Sample with { Id = Guid.NewGuid() };

    /// <summary>The ownership view of a pool with four hosts.</summary>
    public static Document Ownership(string id, long version) => new(Server.Running.StreamRunner.Kinds.Ownership, id, DocumentJson, typeof(Domain.Views.PoolOwnership).FullName!, version);

    /// <summary>A CloudEvents message of 400 bytes about a pool.</summary>
    public static NewMessage Message(string queue, string subject)
    {
        var id = Guid.NewGuid();
        var head = $$"""{"specversion":"1.0","id":"{{id}}","source":"zfsha-agent","type":"zfsha.benchmark","subject":"{{subject}}","time":"2026-03-01T12:00:00.0000000Z","data":{"text":"x""";
        return new(id, queue, head.PadRight(EventBytes - Tail.Length, 'x') + Tail, TimeSpan.Zero);
    }

    static NewEvent Observed(PoolObserved observed)
    {
        var stamp = new Stamp(DateTimeOffset.UnixEpoch.AddYears(56), observed.Host, new(new("6f9619ff-8b86-d011-b42d-00cf4fc964ff")), 4711, "zfsha-agent", Late: false);
        var written = Codec.Write(new Recorded<PoolEvent>(new(Guid.Empty), 0, default, stamp, observed), null, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        var missing = EventBytes - written.Json.Length - written.HeadersJson.Length;
        return missing == 0 ? written : Observed(observed with { Sight = observed.Sight with { Leaves = [.. observed.Sight.Leaves.SkipLast(1), observed.Sight.Leaves[^1].PadRight(observed.Sight.Leaves[^1].Length + missing, '0')] } });
    }

    static string Views()
    {
        var pool = Pool.Initial(new(9001));
        for (var host = 1; host <= 4; host++)
        {
            var name = HostName.Parse(string.Create(CultureInfo.InvariantCulture, $"oss-{host:00}"));
            var stamp = new Stamp(DateTimeOffset.UnixEpoch.AddYears(56), name, new(Guid.NewGuid()), 1, "zfsha-agent", Late: false);
            pool = pool.Evolve(new(new(Guid.NewGuid()), host, stamp.ObservedAt, stamp, new PoolObserved(name, host == 1 ? new(PoolPresence.ReadWrite, PoolHealth.Online, Multihost: true, [Leaf(1), Leaf(2)]) : PoolSight.Absent)));
        }

        return System.Text.Json.JsonSerializer.Serialize(Domain.Views.PoolOwnership.Of(pool), StoredJson.Default.PoolOwnership);
    }

    static string Leaf(int number) => string.Create(CultureInfo.InvariantCulture, $"/dev/disk/by-id/wwn-0x5000c500a1b2c3{number:x2}");
}
