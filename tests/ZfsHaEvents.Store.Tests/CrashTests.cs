using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Npgsql;
using Shouldly;
using Xunit;
using ZfsHaEvents.Store.Projections;
using ZfsHaEvents.Store.Reading;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Store.Tests;

/// <summary>PostgreSQL is killed with everything that it had in memory, while writers and readers are at work.</summary>
public sealed class CrashTests
{
    const int Appends = 10_000, Writers = 8, Streams = 200, Kills = 3;

    /// <summary>What is not as it must be: an append of which one part is there and another is not, or a stream that does not add up.</summary>
    const string Halves =
        """
        with appended as (
            select causation_id as n, count(*) as events, min((data ->> 'Of')::integer) as intended, max(version) - min(version) + 1 as span, count(distinct stream_id) as streams
              from zfsha.mt_events group by causation_id
        ), sent as (select body ->> 'n' as n from zfsha.messages where queue = 'host-a'), handled as (select key as n from zfsha.handled_messages)
        select 'append ' || coalesce(a.n, s.n, h.n) from appended a full join sent s on s.n = a.n full join handled h on h.n = coalesce(a.n, s.n)
         where a.n is null or s.n is null or h.n is null or a.events <> a.intended or a.span <> a.events or a.streams <> 1
        union all
        select 'still on the queue ' || (m.body ->> 'n') from zfsha.messages m join handled h on h.n = m.body ->> 'n' where m.queue = 'server'
        union all
        select 'stream ' || s.id from zfsha.mt_streams s left join zfsha.mt_doc_poolownership d on 'pool-' || d.id = s.id
         where (select (count(*), max(version)) from zfsha.mt_events e where e.stream_id = s.id) is distinct from (s.version, s.version) or d.mt_version is distinct from s.version
            or d.data ->> 'Last' is distinct from (select causation_id from zfsha.mt_events e where e.stream_id = s.id order by version desc limit 1)
        """;

    static readonly TimeSpan Visibility = TimeSpan.FromSeconds(2);

    readonly ConcurrentDictionary<int, CommitResult> _acknowledged = [];
    int _outages;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Killed_in_the_middle_of_ten_thousand_appends_PostgreSQL_has_each_that_was_acknowledged_once_and_none_half()
    {
        await using var server = await PostgresServer.StartAsync("fsync=on", "full_page_writes=on");
        await server.CreateDatabaseAsync("zfsha");
        await using var database = PostgresConnection.Open(server.ConnectionString("zfsha"), "crash tests");
        await PostgresSchema.ApplyAsync(database, Cancellation);
        await using var wakeUps = new WakeUps(database);
        var (store, queue) = (new PostgresEventStore(database, wakeUps), new PostgresMessageQueue(database, wakeUps));
        foreach (var some in Enumerable.Range(0, Appends).Chunk(500))
            await queue.SendAsync([.. some.Select(n => new NewMessage(Id(n, 0), "server", $$"""{"subject":"pool-{{n % Streams}}","n":"{{n}}"}""", TimeSpan.Zero))], null, Cancellation);

        var writing = Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(() => WriteAsync(database, store, queue), Cancellation)));
        var following = Task.Run(() => FollowAsync(new(database)), Cancellation);
        var projecting = Task.Run(() => ProjectAsync(database, writing), Cancellation);
        for (var kill = 1; kill <= Kills; kill++)
        {
            while (_acknowledged.Count < kill * Appends / (Kills + 1) && !writing.IsCompleted) await Task.Delay(5, Cancellation);
            await server.CrashAsync();
            var acknowledged = _acknowledged.Keys.ToList();
            await server.RestartAsync();

            (await RepeatAsync(() => ListAsync(database, Halves))).ShouldBeEmpty();
            acknowledged.Except(await AppendedAsync(database)).ShouldBeEmpty($"acknowledged before kill {kill}, and gone");
        }

        await writing;
        _outages.ShouldBeGreaterThan(0);
        (await ListAsync(database, Halves)).ShouldBeEmpty();
        (await AppendedAsync(database)).Order().ShouldBe(Enumerable.Range(0, Appends));
        var expected = Enumerable.Range(0, Appends).GroupBy(n => $"pool-{n % Streams}").ToDictionary(g => g.Key, g => Enumerable.Range(1, g.Sum(EventsOf)).Select(v => (long)v));
        var followed = (await following).GroupBy(e => e.Stream).ToDictionary(g => g.Key, g => g.Select(e => e.Version).ToList());
        foreach (var (stream, versions) in expected) followed[stream].ShouldBe(versions, $"a reader's events of {stream}");
        await projecting;
        var documents = (await store.DocumentsAsync("poolactivity", Cancellation)).ToDictionary(d => "pool-" + d.Id, VersionsSeen.In);
        documents.Count.ShouldBe(Streams);
        foreach (var (stream, versions) in expected) documents[stream].ShouldBe(versions, $"a projection's events of {stream}");
    }

    /// <summary>As the server's queue worker: what an outage interrupts comes back by itself, under the same key.</summary>
    async Task WriteAsync(NpgsqlDataSource database, PostgresEventStore store, PostgresMessageQueue queue)
    {
        while (true)
        {
            var claimed = await RepeatAsync(() => queue.ClaimAsync("server", 4, Visibility, Cancellation));
            foreach (var message in claimed)
            {
                try
                {
                    await HandleAsync(store, queue, message);
                }
                catch (Exception e) when (DatabaseOutage.Is(e))
                {
                    Interlocked.Increment(ref _outages);
                }
            }

            if (claimed.Count > 0) continue;
            if (await RepeatAsync(() => LeftAsync(database)) == 0) return;
            await queue.WaitAsync("server", TimeSpan.FromMilliseconds(100), Cancellation);
        }
    }

    async Task HandleAsync(PostgresEventStore store, PostgresMessageQueue queue, ClaimedMessage message)
    {
        var body = JsonNode.Parse(message.Json)!;
        var (stream, n) = ((string)body["subject"]!, int.Parse((string)body["n"]!, CultureInfo.InvariantCulture));
        var read = await store.LoadAsync(stream, Cancellation);
        var result = await store.CommitAsync(new(stream, "pool", read.Version, read.Now, $"{n}")
        {
            Events = [.. Enumerable.Range(0, EventsOf(n)).Select(_ => PostgresOnlyTests.Event() with { Json = $$"""{"Of":{{EventsOf(n)}}}""" })],
            Handled = new(message.Id, message.Attempts, $"{n}"),
            Messages = [new(Id(n, 1), "host-a", $$"""{"n":"{{n}}"}""", TimeSpan.Zero)],
            Documents = [new("poolownership", stream[5..], $$"""{"Last":"{{n}}"}""", "T", read.Version + EventsOf(n))],
        }, Cancellation);
        if (result is CommitResult.VersionConflict) await queue.RetryAsync(message, TimeSpan.FromMilliseconds(20), "conflict", Cancellation);
        else if (result is CommitResult.Committed) _acknowledged.TryAdd(n, result).ShouldBeTrue($"append {n} was acknowledged twice");
    }

    /// <summary>By place alone, remembered here.</summary>
    async Task<List<StoredEvent>> FollowAsync(EventReader reader)
    {
        var (seen, place, all) = (new List<StoredEvent>(), Position.Start, Enumerable.Range(0, Appends).Sum(EventsOf));
        while (seen.Count < all)
        {
            var page = await RepeatAsync(() => reader.AfterAsync(place, 300, Cancellation));
            seen.AddRange(page.Select(e => e.Event));
            if (page.Count > 0) place = page[^1].Position;
            else await Task.Delay(10, Cancellation);
        }

        return seen;
    }

    /// <summary>With its place in the database, beside the documents that follow from what was read.</summary>
    async Task ProjectAsync(NpgsqlDataSource database, Task writing)
    {
        var runner = new SubscriptionRunner(database, new ProjectionSubscriber(database, new VersionsSeen(), rebuild: false), TimeSpan.FromSeconds(10));
        for (var last = false; ; last = writing.IsCompleted)
        {
            while (await RepeatAsync(() => runner.StepAsync(Cancellation)) is not 0) { }
            if (last) return;
            await Task.Delay(10, Cancellation);
        }
    }

    async Task<T> RepeatAsync<T>(Func<Task<T>> ask)
    {
        while (true)
        {
            try
            {
                return await ask();
            }
            catch (Exception e) when (DatabaseOutage.Is(e))
            {
                Interlocked.Increment(ref _outages);
                await Task.Delay(20, Cancellation);
            }
        }
    }

    async Task<List<int>> AppendedAsync(NpgsqlDataSource database) =>
        [.. (await RepeatAsync(() => ListAsync(database, "select distinct causation_id from zfsha.mt_events"))).Select(n => int.Parse(n, CultureInfo.InvariantCulture))];

    static async Task<int> LeftAsync(NpgsqlDataSource database) => (await ListAsync(database, "select '' from zfsha.messages where queue = 'server'")).Count;

    static int EventsOf(int n) => 1 + n % 3;

    static Guid Id(int n, short kind) => new(n, kind, 0, 1, 2, 3, 4, 5, 6, 7, 8);

    static Task<List<string>> ListAsync(NpgsqlDataSource database, string sql) => RoleDatabase.ListAsync(database, sql);
}
