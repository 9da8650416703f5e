using System.Globalization;
using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Domain.Views;
using ZfsHaEvents.Server.Pools;
using ZfsHaEvents.Server.Running;
using ZfsHaEvents.Store;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Server.Tests;

/// <summary>
/// The holder at an instant from few events is the holder from all of them, on random histories: looks that arrive late or in the same instant,
/// claims, releases, doubts, fencing, other names. ZFSHA_SEED tries one history, ZFSHA_SEEDS so many.
/// </summary>
public sealed class OwnerOfTests
{
    static readonly DateTimeOffset Eight = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);

    static readonly HostName[] Hosts = [new("a"), new("b"), new("c")];

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    static IEnumerable<int> Seeds(int standard) => Variable("ZFSHA_SEED") is { } one ? [one] : Enumerable.Range(1, Variable("ZFSHA_SEEDS") ?? standard);

    [Fact]
    public async Task In_memory_few_events_tell_the_same_as_all()
    {
        var held = 0;
        foreach (var seed in Seeds(400)) held += await TellTheSameAsync(new InMemoryStore(new ManualClock()), seed);
        if (Variable("ZFSHA_SEED") is null) held.ShouldBeGreaterThan(1000, "or nothing was asked that has an answer");
    }

    [Fact]
    public async Task In_PostgreSQL_few_events_tell_the_same_as_all()
    {
        await using var postgres = await PostgresServer.StartAsync();
        await postgres.CreateDatabaseAsync("zfsha");
        await using var database = PostgresConnection.Open(postgres.ConnectionString("zfsha"), "owner tests");
        await PostgresSchema.ApplyAsync(database, Cancellation);
        await using var wakeUps = new WakeUps(database);
        foreach (var seed in Seeds(40)) await TellTheSameAsync(new PostgresEventStore(database, wakeUps), seed);
    }

    /// <returns>How many answers named a holder.</returns>
    static async Task<int> TellTheSameAsync(IEventStore store, int seed)
    {
        var random = new Random(seed);
        var pool = World.NewPool();
        var stream = StreamRunner.StreamOf(pool);
        var history = History(pool, random);
        var read = await store.LoadAsync(stream, Cancellation);
        (await store.CommitAsync(new(stream, "pool", 0, read.Now, null) { Events = [.. history.Select(e => Codec.Write(e, correlation: null, trace: null))] }, Cancellation)).ShouldBe(CommitResult.Committed);

        var all = (await store.LoadAsync(stream, Cancellation)).Events.Select(Codec.ReadPoolEvent).ToList();
        all.Count.ShouldBe(history.Count);
        var held = 0;
        var instants = all.Select(e => e.Stamp.ObservedAt).SelectMany(t => (DateTimeOffset[])[t, t.AddTicks(-1), t.AddTicks(10)]).Distinct().OrderBy(_ => random.Next()).Take(40);
        foreach (var at in instants.Append(DateTimeOffset.MinValue).Append(DateTimeOffset.MaxValue))
        {
            var (few, whole) = (await PoolEndpoints.OwnerOfAsync(pool, at, store, Cancellation), OwnerAt.Of(pool, all, at));
            Text(few).ShouldBe(Text(whole), string.Create(CultureInfo.InvariantCulture, $"ZFSHA_SEED={seed}, at {at:O}:\n{string.Join('\n', all)}"));
            held += whole.Holders.Count;
        }

        return held;
    }

    static string Text(OwnerAt owner) => $"{owner.Pool} {owner.Name} {owner.At:O} {owner.Known} {owner.Claimant} {owner.Epoch} {string.Join("; ", owner.Holders)}";

    static List<Recorded<PoolEvent>> History(PoolGuid pool, Random random)
    {
        var (history, now, sequence, boot, epoch) = (new List<Recorded<PoolEvent>>(), Eight, 1L, new BootId(Guid.NewGuid()), 1L);
        // The server's own events go by the database's clock, which stands still within a decision and never goes back.
        void Decided(PoolEvent e) => Add(e, new(now, Host: null, Boot: null, Sequence: null, Actors.Server, Late: false));
        void Add(PoolEvent e, Stamp stamp) => history.Add(new(new(NewId()), history.Count + 1, now, stamp, e));
        Guid NewId()
        {
            var bytes = new byte[16];
            random.NextBytes(bytes);
            return new(bytes);
        }

        void Look(HostName host) => Add(Seen(host), Observed(host));
        HostName Some() => Hosts[random.Next(Hosts.Length)];
        PoolName Name() => new($"tank{random.Next(4)}");
        Decided(new PoolDiscovered(pool, random.Next(4) == 0 ? null : Name(), Some()));
        for (var length = random.Next(5, 60); length > 0; length--)
        {
            if (random.Next(3) > 0) now += TimeSpan.FromSeconds(random.Next(3)) + TimeSpan.FromTicks(random.Next(3));
            switch (random.Next(12))
            {
                case 0: Decided(new OwnershipClaimed(Some(), new(epoch++), ClaimBasis.Observed)); break;
                case 1: Decided(new OwnershipReleased(Some(), new(epoch))); break;
                case 2: Decided(new OwnershipUnverified(Doubt.HostLost, [.. Hosts.Where(_ => random.Next(2) == 0)])); break;
                case 3: Decided(new FencingConfirmed(new($"request-{length}"), Some(), "alice", "power cut")); break;
                case 4: Decided(new PoolRenamed(Name(), Name())); break;
                default: Look(Some()); break;
            }
        }

        return history;

        PoolEvent Seen(HostName host)
        {
            var sight = random.Next(2) == 0 ? World.Held with { Health = random.Next(2) == 0 ? PoolHealth.Online : PoolHealth.Degraded } : PoolSight.Absent;
            return random.Next(6) switch
            {
                0 => new ImportSucceeded(host, Order: null, Run: null, sight, ZpoolSeconds: 1),
                1 => new ImportRefused(host, Order: null, ZpoolFailure.Other, Run: null, sight, ZpoolSeconds: 1),
                2 => new ExportSucceeded(host, Order: null, Run: null, sight, ZpoolSeconds: 1),
                3 => new ExportFailed(host, Order: null, ZpoolFailure.Other, Run: null, sight, ZpoolSeconds: 1),
                _ => new PoolObserved(host, sight),
            };
        }

        // A look in the present, long ago, in the same instant as another, or by a clock that is ahead.
        Stamp Observed(HostName host)
        {
            var at = random.Next(5) switch
            {
                0 => now - TimeSpan.FromSeconds(random.Next(60)),
                1 => history[random.Next(history.Count)].Stamp.ObservedAt,
                2 => now + TimeSpan.FromSeconds(random.Next(5)),
                _ => now,
            };
            return new(at, host, boot, random.Next(4) == 0 ? random.Next(1, 10) : sequence++, Actors.Agent, Late: random.Next(4) == 0);
        }
    }

    static int? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
