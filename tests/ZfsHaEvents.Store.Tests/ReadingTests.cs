using System.Collections.Concurrent;
using System.Diagnostics;
using Npgsql;
using Shouldly;
using Xunit;
using ZfsHaEvents.Store.Reading;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Store.Tests;

/// <summary>A reader sees every event once, none too early, and those of a stream in order, whatever writers do.</summary>
public sealed class ReadingTests(TestDatabases databases) : IAsyncLifetime
{
    NpgsqlDataSource? _database;
    WakeUps? _wakeUps;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    NpgsqlDataSource Database => _database!;

    PostgresEventStore Store => new(Database, _wakeUps!);

    EventReader Reader => new(Database);

    public async ValueTask InitializeAsync()
    {
        _database = PostgresConnection.Open(await databases.WithSchemaAsync(), "reading tests");
        _wakeUps = new(_database);
    }

    public async ValueTask DisposeAsync()
    {
        await _wakeUps!.DisposeAsync();
        await _database!.DisposeAsync();
    }

    [Fact]
    public async Task Nothing_is_read_past_a_transaction_that_may_still_write()
    {
        await AppendAsync("pool-1", 0);
        await UntilReadAsync(1);
        await using var slow = await BeginAsync();
        await InsertAsync(slow, "pool-2", 1); // Its number is drawn, and it has not committed.
        await AppendAsync("pool-1", 1);

        (await ReadAsync()).ShouldBe(["pool-1@1"]);
        (await PlainAsync()).ShouldBe(["pool-1@1", "pool-1@2"]); // By seq_id alone a reader goes on, and what the slow one commits lies behind it.

        await slow.CommitAsync();
        await UntilReadAsync(3);
        (await ReadAsync()).ShouldBe(["pool-1@1", "pool-2@1", "pool-1@2"]);
    }

    [Fact]
    public async Task A_transaction_that_is_rolled_back_leaves_a_gap_and_holds_nobody_up()
    {
        await using (var gone = await BeginAsync())
        {
            await InsertAsync(gone, "pool-2", 1);
            await AppendAsync("pool-1", 0);
            await gone.RollbackAsync();
        }

        await UntilReadAsync(1);
        (await ReadAsync()).ShouldBe(["pool-1@1"]);
    }

    /// <summary>
    /// One transaction takes its id first and writes version 2 last: by transaction id alone it would be read before version 1. A third one,
    /// with an id between the two, is still running then, so that version 1 could not even be read yet.
    /// </summary>
    [Fact]
    public async Task Versions_stay_in_order_when_a_writer_took_its_transaction_id_before_an_earlier_version_was_committed()
    {
        await using var first = await BeginAsync();
        await IdAsync(first);
        await using var between = await BeginAsync();
        await IdAsync(between);
        await AppendAsync("pool-1", 0);
        await AppendAsync("pool-1", 1);
        await InsertAsync(first, "pool-1", 3);
        await first.CommitAsync();

        (await ReadAsync()).ShouldBeEmpty(); // Not version 3 by itself.
        await between.CommitAsync();
        await UntilReadAsync(3);
        (await ReadAsync()).ShouldBe(["pool-1@1", "pool-1@2", "pool-1@3"]);
    }

    /// <summary>The same by our own function, called late in a transaction that began early; whether what it knows of the version before stands beside the stream or not.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("update zfsha.mt_streams set tail_version = null")]
    [InlineData("update zfsha.mt_streams set tail_version = 1")]
    public async Task Versions_stay_in_order_when_our_function_is_called_late_in_a_transaction(string before)
    {
        await using var first = await BeginAsync();
        await IdAsync(first);
        await AppendAsync("pool-1", 0);
        await AppendAsync("pool-1", 1);
        await AppendAsync("pool-1", 2);
        if (before != "") await ExecuteAsync(before);
        await using var call = first.Command(
            """
            select zfsha.commit_stream(p_stream => 'pool-1', p_stream_type => 'pool', p_expected => 3, p_recorded_at => now(), p_ids => array[gen_random_uuid()], p_types => array['x'],
                p_dotnet_types => array['X'], p_bodies => array['{}']::jsonb[], p_headers => array['{}']::jsonb[], p_observed => array[now()], p_users => array['u'], p_correlations => array['c'])
            """);
        (await call.ExecuteScalarAsync(Cancellation)).ShouldBe("committed");
        await first.CommitAsync();

        await UntilReadAsync(4);
        (await ReadAsync()).ShouldBe(["pool-1@1", "pool-1@2", "pool-1@3", "pool-1@4"]);
    }

    /// <summary>As Marten's Rich mode can: the numbers are drawn in one round trip, and the version is looked up in another.</summary>
    [Fact]
    public async Task Versions_stay_in_order_when_their_numbers_were_drawn_in_the_other_order()
    {
        await using var early = await BeginAsync();
        await using var draw = early.Command("select nextval('zfsha.mt_events_sequence') from pg_current_xact_id()");
        var number = (long)(await draw.ExecuteScalarAsync(Cancellation))!;
        await AppendAsync("pool-1", 0);
        await InsertAsync(early, "pool-1", 2, number);
        await early.CommitAsync();
        await AppendAsync("pool-2", 0); // A transaction later than all of these.

        await UntilReadAsync(3);
        (await ReadAsync()).ShouldBe(["pool-1@1", "pool-1@2", "pool-2@1"]);
    }

    [Fact]
    public async Task Writers_at_once_with_long_transactions_and_rollbacks_lose_and_repeat_nothing_for_any_reader()
    {
        const int Writers = 6, Each = 120, Readers = 3;
        var committed = new ConcurrentBag<string>();
        using var written = new CancellationTokenSource();

        async Task WriteAsync(int writer)
        {
            var random = new Random(4711 + writer);
            for (var i = 0; i < Each; i++)
            {
                var stream = $"pool-{random.Next(4)}";
                if (writer % 2 == 0) // Ours.
                {
                    var read = await Store.LoadAsync(stream, Cancellation);
                    var commit = new Commit(stream, "pool", read.Version, read.Now, null) { Events = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => PostgresOnlyTests.Event())] };
                    if (await Store.CommitAsync(commit, Cancellation) is not CommitResult.Committed) continue;
                    for (var n = 1; n <= commit.Events.Count; n++) committed.Add($"{stream}@{read.Version + n}");
                }
                else // Somebody else's, who takes an id and time.
                {
                    await using var transaction = await BeginAsync();
                    await IdAsync(transaction);
                    await Task.Delay(random.Next(0, 12), Cancellation);
                    await using var append = transaction.Command(
                        "select zfsha.mt_quick_append_events($1, 'pool', '*DEFAULT*', array[gen_random_uuid()], array['x']::varchar[], array['X']::varchar[], array['{}']::jsonb[], array[null]::varchar[], array[null]::varchar[], array['{}']::jsonb[], array[null]::varchar[])",
                        stream);
                    var numbers = (int[])(await append.ExecuteScalarAsync(Cancellation))!;
                    if (random.Next(4) == 0) await Task.Delay(random.Next(0, 25), Cancellation);
                    if (random.Next(5) == 0)
                    {
                        await transaction.RollbackAsync();
                        continue;
                    }

                    await transaction.CommitAsync();
                    committed.Add($"{stream}@{numbers[0]}");
                }
            }
        }

        async Task<List<string>> FollowAsync(Func<Task<IReadOnlyList<string>>> next)
        {
            var seen = new List<string>();
            var limit = Stopwatch.StartNew();
            for (var last = false; ; await Task.Delay(3, Cancellation))
            {
                var page = await next();
                seen.AddRange(page);
                if (page.Count > 0) continue;
                if (last && seen.Distinct().Count() >= committed.Count) return seen;
                if (last && seen.Count > 0 && (next.Target is PlainReader || limit.Elapsed > TimeSpan.FromMinutes(2))) return seen; // What is missing is told below.
                last = written.IsCancellationRequested;
            }
        }

        var writing = Task.WhenAll(Enumerable.Range(0, Writers).Select(w => Task.Run(() => WriteAsync(w))));
        var readers = Enumerable.Range(0, Readers).Select(r =>
        {
            var place = Position.Start;
            return Task.Run(() => FollowAsync(async () =>
            {
                var page = await Reader.AfterAsync(place, 7 + r * 50, Cancellation);
                if (page.Count > 0) place = page[^1].Position;
                return [.. page.Select(NameOf)];
            }));
        }).ToList();
        var plain = new PlainReader(Database);
        var naive = Task.Run(() => FollowAsync(plain.NextAsync));
        await writing;
        await written.CancelAsync();

        foreach (var seen in await Task.WhenAll(readers))
        {
            seen.Count.ShouldBe(seen.Distinct().Count(), "seen twice");
            seen.Order().ShouldBe(committed.Order());
            foreach (var stream in seen.Select(e => e.Split('@')).GroupBy(e => e[0]))
                stream.Select(e => int.Parse(e[1], System.Globalization.CultureInfo.InvariantCulture)).ShouldBe(Enumerable.Range(1, stream.Count()), stream.Key);
        }

        // The same by seq_id alone loses events: had it not, this test would show nothing.
        committed.Except(await naive).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task A_history_that_goes_on_elsewhere_is_read_to_its_end_and_then_on()
    {
        await AppendAsync("pool-1", 0);
        await AppendAsync("pool-2", 0);
        // As after a restore into a young cluster: what is there carries transaction ids that this PostgreSQL has yet to reach.
        await ExecuteAsync("set session_replication_role = replica; update zfsha.mt_events set transaction_id = (transaction_id::text::bigint + 1000000000)::text::xid8");
        (await ReadAsync()).ShouldBeEmpty();

        await ExecuteAsync("select zfsha.begin_incarnation('restored')");
        await AppendAsync("pool-1", 1);

        await UntilReadAsync(3);
        (await ReadAsync()).ShouldBe(["pool-1@1", "pool-2@1", "pool-1@2"]);
        (await Reader.AfterAsync(Position.Start, 10, Cancellation)).Select(e => e.Position.Incarnation).ShouldBe([1, 1, 2]);
    }

    /// <summary>Whoever writes while another incarnation begins writes into the old one to the end, or into the new one; nothing of the old one is committed after it.</summary>
    [Fact]
    public async Task Writers_that_come_while_another_incarnation_begins_write_into_that_one()
    {
        await AppendAsync("pool-3", 0);
        await AppendAsync("pool-3", 1);
        await using var slow = await BeginAsync();
        await InsertAsync(slow, "pool-1", 1);
        var beginning = Task.Run(() => ExecuteAsync("select zfsha.begin_incarnation('promoted')"), Cancellation);
        await Eventually.TrueAsync("it waits for the writer", async () => await WaitingAsync() >= 1);
        var late = Task.Run(() => AppendAsync("pool-2", 0), Cancellation);
        await Eventually.TrueAsync("the next writer waits for it", async () => await WaitingAsync() >= 2);
        var later = Task.Run(() => AppendAsync("pool-3", 2), Cancellation); // Goes on from what it knows of the version before.
        await Eventually.TrueAsync("the writer after it waits too", async () => await WaitingAsync() >= 3);

        await slow.CommitAsync();
        await Task.WhenAll(beginning, late, later);

        await UntilReadAsync(5);
        (await Reader.AfterAsync(Position.Start, 10, Cancellation)).Select(e => $"{NameOf(e)} {e.Position.Incarnation}").ShouldBe(["pool-3@1 1", "pool-3@2 1", "pool-1@1 1", "pool-2@1 2", "pool-3@3 2"], ignoreOrder: true);

        async Task<long> WaitingAsync()
        {
            await using var command = Database.CreateCommand("select count(*) from pg_locks l join pg_database d on d.oid = l.database where d.datname = current_database() and not l.granted");
            return (long)(await command.ExecuteScalarAsync(Cancellation))!;
        }
    }

    [Fact]
    public async Task A_database_that_finds_itself_elsewhere_begins_another_incarnation_once()
    {
        (await SettleAsync()).ShouldBe(1);
        (await SettleAsync()).ShouldBe(1);
        await ExecuteAsync("update zfsha.incarnations set whereabouts = '1/2/00000001'");

        (await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => SettleAsync()))).ShouldAllBe(i => i == 2);

        async Task<int> SettleAsync()
        {
            await using var command = Database.CreateCommand("select zfsha.settle_incarnation()");
            return (int)(await command.ExecuteScalarAsync(Cancellation))!;
        }
    }

    [Fact]
    public async Task A_lease_of_another_incarnation_is_not_renewed_and_still_runs_out()
    {
        var queue = new PostgresMessageQueue(Database, _wakeUps!);
        var session = Guid.NewGuid();
        await Store.CommitAsync(new("host-a", "host", 0, DateTimeOffset.UtcNow, null) { Events = [PostgresOnlyTests.Event()], Lease = new LeaseChange.Grant("a", session, TimeSpan.FromMilliseconds(1), "{}") }, Cancellation);
        queue.Renew("a", session).ShouldBeTrue();

        await ExecuteAsync("select zfsha.begin_incarnation('restored')");

        queue.Renew("a", session).ShouldBeFalse();
        await Eventually.TrueAsync("its lease runs out", async () => (await queue.WatchAsync(TimeSpan.FromHours(1), Cancellation)).Any(l => l.Holder == "a" && l.Session == session));
    }

    static string NameOf(PlacedEvent e) => $"{e.Event.Stream}@{e.Event.Version}";

    async Task<List<string>> ReadAsync() => [.. (await Reader.AfterAsync(Position.Start, 1000, Cancellation)).Select(NameOf)];

    /// <summary>Other tests write into other databases of the same PostgreSQL, and their transactions count.</summary>
    Task UntilReadAsync(int count) => Eventually.TrueAsync($"{count} events can be read", async () => (await ReadAsync()).Count >= count);

    async Task<List<string>> PlainAsync() => [.. await new PlainReader(Database).NextAsync()];

    async Task AppendAsync(string stream, long version) =>
        (await Store.CommitAsync(new(stream, "pool", version, DateTimeOffset.UtcNow, null) { Events = [PostgresOnlyTests.Event()] }, Cancellation)).ShouldBe(CommitResult.Committed);

    async Task<Writer> BeginAsync()
    {
        var connection = await Database.OpenConnectionAsync(Cancellation);
        return new(connection, await connection.BeginTransactionAsync(Cancellation));
    }

    static async Task IdAsync(Writer writer)
    {
        await using var command = writer.Command("select pg_current_xact_id()");
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    static async Task InsertAsync(Writer writer, string stream, long version, long? number = null)
    {
        await using var command = writer.Command(
            """
            with s as (insert into zfsha.mt_streams (id, type, version) values ($1, 'pool', $2) on conflict (id) do update set version = excluded.version)
            insert into zfsha.mt_events (seq_id, id, stream_id, version, data, type) values (coalesce($3, nextval('zfsha.mt_events_sequence')), gen_random_uuid(), $1, $2, '{}', 'x')
            """, stream, version);
        command.Parameters.Add(new() { Value = (object?)number ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint });
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    async Task ExecuteAsync(string sql)
    {
        await using var connection = await Database.OpenConnectionAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql + "; set session_replication_role = default", connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    /// <summary>A transaction of somebody else's.</summary>
    sealed class Writer(NpgsqlConnection connection, NpgsqlTransaction transaction) : IAsyncDisposable
    {
        public NpgsqlCommand Command(string sql, params object[] values)
        {
            var command = new NpgsqlCommand(sql, connection, transaction);
            foreach (var value in values) command.Parameters.Add(new() { Value = value });
            return command;
        }

        public Task CommitAsync() => transaction.CommitAsync(Cancellation);

        public Task RollbackAsync() => transaction.RollbackAsync(Cancellation);

        public async ValueTask DisposeAsync()
        {
            await transaction.DisposeAsync();
            await connection.DisposeAsync();
        }
    }

    /// <summary>What one would write at first: on from the highest number seen.</summary>
    sealed class PlainReader(NpgsqlDataSource database)
    {
        long _last;

        public async Task<IReadOnlyList<string>> NextAsync()
        {
            await using var command = database.CreateCommand("select seq_id, stream_id || '@' || version from zfsha.mt_events where seq_id > $1 order by seq_id");
            command.Parameters.Add(new() { Value = _last });
            await using var reader = await command.ExecuteReaderAsync(Cancellation);
            var seen = new List<string>();
            while (await reader.ReadAsync(Cancellation))
            {
                _last = reader.GetInt64(0);
                seen.Add(reader.GetString(1));
            }

            return seen;
        }
    }
}
