using System.Globalization;
using Npgsql;
using Shouldly;
using Xunit;
using ZfsHaEvents.Store.Projections;
using ZfsHaEvents.Store.Reading;
using ZfsHaEvents.Testing;
using static ZfsHaEvents.Store.Tests.RoleDatabase;

namespace ZfsHaEvents.Store.Tests;

/// <summary>A dump, taken while writers are at work, goes on in another PostgreSQL whose transaction ids are behind those in it.</summary>
public sealed class RestoreTests
{
    const int Streams = 12;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Dumped_and_restored_into_a_younger_PostgreSQL_a_reader_goes_on_and_leaves_out_and_repeats_nothing()
    {
        await using var old = await PostgresServer.StartAsync();
        await old.CreateDatabaseAsync("zfsha");
        var dump = Path.Combine(old.Host, "dump");
        await using (var database = PostgresConnection.Open(old.ConnectionString("zfsha"), "before"))
        {
            await PostgresSchema.ApplyAsync(database, Cancellation);
            await using var wakeUps = new WakeUps(database);
            var queue = new PostgresMessageQueue(database, wakeUps);
            (await queue.SettleIncarnationAsync(Cancellation)).ShouldBe(1);
            await ExecuteAsync(database, "do $$ begin for i in 1 .. 5000 loop perform pg_current_xact_id(); commit; end loop; end $$"); // It has seen a lot.
            using var enough = new CancellationTokenSource();
            var writing = Task.WhenAll(Enumerable.Range(0, 4).Select(w => Task.Run(() => WriteAsync(database, wakeUps, w, enough.Token), Cancellation)));
            var runner = Runner(database);
            await Eventually.TrueAsync("a reader is on its way", async () => await runner.StepAsync(Cancellation) > 0 && await CountAsync(database) > 200);

            await old.RunClientAsync("pg_dump", "-Fc", "-f", dump, "zfsha");

            await enough.CancelAsync();
            await writing;
        }

        await using var young = await PostgresServer.StartAsync();
        await young.CreateDatabaseAsync("zfsha");
        foreach (var role in (string[])["zfsha_server", "zfsha_agent", "zfsha_reader", "zfsha_marten"]) await young.ExecuteAsync($"create role {role}"); // They belong to no database.
        await young.RunClientAsync("pg_restore", "--exit-on-error", "-d", "zfsha", dump);
        await using var restored = PostgresConnection.Open(young.ConnectionString("zfsha"), "after");
        await using var wakes = new WakeUps(restored);
        (await PostgresSchema.CheckAsync(restored, Cancellation)).Problems.ShouldBeEmpty();
        (await ListAsync(restored, "select (max(transaction_id) > pg_snapshot_xmax(pg_current_snapshot()))::text from zfsha.mt_events")).ShouldBe(["true"], "else this test shows nothing");
        var before = await CountAsync(restored);
        (await SeenAsync(restored)).Count.ShouldBeLessThan((int)before); // As it is, what lies in the future cannot be read yet.

        (await new PostgresMessageQueue(restored, wakes).SettleIncarnationAsync(Cancellation)).ShouldBe(2);
        (await SeenAsync(restored)).Count.ShouldBe((int)before);
        using (var soon = new CancellationTokenSource())
        {
            var writing = Task.WhenAll(Enumerable.Range(0, 4).Select(w => Task.Run(() => WriteAsync(restored, wakes, w, soon.Token), Cancellation)));
            await Eventually.TrueAsync("it goes on", async () => await CountAsync(restored) > before + 200);
            await soon.CancelAsync();
            await writing;
        }

        var seen = await SeenAsync(restored);
        ((long)seen.Count).ShouldBe(await CountAsync(restored));
        seen.Count.ShouldBe(seen.Distinct().Count());
        var after = Runner(restored);
        await Eventually.TrueAsync("the reader has the lease and has read everything", async () => await after.StepAsync(Cancellation) is 0);
        var store = new PostgresEventStore(restored, wakes);
        var documents = (await store.DocumentsAsync("poolactivity", Cancellation)).ToDictionary(d => "pool-" + d.Id, VersionsSeen.In);
        foreach (var stream in await ListAsync(restored, "select id from zfsha.mt_streams"))
        {
            IReadOnlyList<long> versions = [.. (await store.LoadAsync(stream, Cancellation)).Events.Select(e => e.Version)];
            versions.ShouldBe(Enumerable.Range(1, versions.Count).Select(v => (long)v), stream);
            seen.Where(e => e.Stream == stream).Select(e => e.Version).ShouldBe(versions, stream);
            documents[stream].AsEnumerable().ShouldBe(versions, $"{stream}: what the reader with a place in the database took in, before and after");
        }

        var status = (await new ProjectionControl(restored, [new VersionsSeen()]).StatusAsync(Cancellation)).Single();
        (status.EventsBehind, status.Parked.Count).ShouldBe((0, 0));
    }

    /// <summary>Appends to any stream, by our function and by Marten's, some of them in transactions that last.</summary>
    static async Task WriteAsync(NpgsqlDataSource database, WakeUps wakeUps, int writer, CancellationToken enough)
    {
        var random = new Random(writer);
        var store = new PostgresEventStore(database, wakeUps);
        while (!enough.IsCancellationRequested)
        {
            var stream = $"pool-{random.Next(Streams)}";
            if (writer == 0)
            {
                await using var connection = await database.OpenConnectionAsync(Cancellation);
                await using var transaction = await connection.BeginTransactionAsync(Cancellation);
                await using var id = new NpgsqlCommand("select pg_current_xact_id()", connection);
                await id.ExecuteNonQueryAsync(Cancellation);
                await Task.Delay(random.Next(20), Cancellation);
                await using var append = new NpgsqlCommand(
                    "select zfsha.mt_quick_append_events($1, 'pool', '*DEFAULT*', array[gen_random_uuid()], array['x']::varchar[], array['X']::varchar[], array['{}']::jsonb[], array[null]::varchar[], array[null]::varchar[], array['{}']::jsonb[], array[null]::varchar[])", connection)
                {
                    Parameters = { new() { Value = stream } },
                };
                await append.ExecuteNonQueryAsync(Cancellation);
                await transaction.CommitAsync(Cancellation);
            }
            else
            {
                var read = await store.LoadAsync(stream, Cancellation);
                var events = Enumerable.Range(0, random.Next(1, 4)).Select(_ => PostgresOnlyTests.Event());
                await store.CommitAsync(new(stream, "pool", read.Version, read.Now, null) { Events = [.. events] }, Cancellation); // Or a conflict.
            }
        }
    }

    static SubscriptionRunner Runner(NpgsqlDataSource database) => new(database, new ProjectionSubscriber(database, new VersionsSeen(), rebuild: false), TimeSpan.FromSeconds(1));

    static async Task<List<(string Stream, long Version)>> SeenAsync(NpgsqlDataSource database)
    {
        var (seen, place) = (new List<(string, long)>(), Position.Start);
        while (await new EventReader(database).AfterAsync(place, 100, Cancellation) is { Count: > 0 } page)
        {
            seen.AddRange(page.Select(e => (e.Event.Stream, e.Event.Version)));
            place = page[^1].Position;
        }

        return seen;
    }

    static async Task<long> CountAsync(NpgsqlDataSource database) => long.Parse((await ListAsync(database, "select count(*)::text from zfsha.mt_events"))[0], CultureInfo.InvariantCulture);
}
