using Npgsql;
using Shouldly;
using Xunit;

namespace ZfsHaEvents.Store.Tests;

/// <summary>The tables are those that Marten 8 and 9 make for single tenancy and string stream keys; what is ours comes on top.</summary>
public sealed class MartenTablesTests(TestDatabases databases)
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("mt_streams", "id varchar not null", "type varchar", "version bigint", "timestamp timestamptz not null default now()", "snapshot jsonb", "snapshot_version integer",
        "created timestamptz not null default now()", "tenant_id varchar default '*DEFAULT*'", "is_archived boolean default false")]
    [InlineData("mt_events", "seq_id bigint not null", "id uuid not null", "stream_id varchar", "version bigint not null", "data jsonb not null", "bdata bytea", "type varchar(500) not null",
        "timestamp timestamptz not null default now()", "tenant_id varchar default '*DEFAULT*'", "mt_dotnet_type varchar", "correlation_id varchar", "causation_id varchar", "headers jsonb",
        "user_name varchar", "is_archived boolean default false")]
    [InlineData("mt_event_progression", "name varchar not null", "last_seq_id bigint", "last_updated timestamptz default transaction_timestamp()")]
    [InlineData("mt_doc_poolownership", "id varchar not null", "data jsonb not null", "mt_last_modified timestamptz default transaction_timestamp()", "mt_dotnet_type varchar", "mt_version bigint not null default 0")]
    [InlineData("mt_doc_dossier", "id varchar not null", "data jsonb not null", "mt_version bigint not null default 0")]
    [InlineData("mt_doc_alert", "id varchar not null", "data jsonb not null", "mt_version bigint not null default 0")]
    [InlineData("mt_doc_hostview", "id varchar not null", "data jsonb not null", "mt_version bigint not null default 0")]
    public async Task A_table_has_the_columns_of_Marten(string table, params string[] columns)
    {
        await using var database = await SchemaAsync();

        var there = await ListAsync(database,
            """
            select concat(a.attname, ' ', replace(replace(format_type(a.atttypid, a.atttypmod), 'character varying', 'varchar'), 'timestamp with time zone', 'timestamptz'),
                          case when a.attnotnull then ' not null' end,
                          ' default ' || replace(regexp_replace(pg_get_expr(d.adbin, d.adrelid), '::[a-z ]+', '', 'g'), '"', ''))
              from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
             where a.attrelid = ('zfsha.' || $1)::regclass and a.attnum > 0 and not a.attisdropped
            """, table);
        columns.Except(there).ShouldBeEmpty($"{table} has: {string.Join("; ", there)}");
    }

    [Theory]
    [InlineData("mt_streams", "pkey_mt_streams_id", "PRIMARY KEY (id)")]
    [InlineData("mt_events", "pkey_mt_events_seq_id", "PRIMARY KEY (seq_id)")]
    [InlineData("mt_events", "fkey_mt_events_stream_id", "FOREIGN KEY (stream_id) REFERENCES mt_streams(id) ON DELETE CASCADE")]
    [InlineData("mt_event_progression", "pk_mt_event_progression", "PRIMARY KEY (name)")]
    [InlineData("mt_doc_poolownership", "pkey_mt_doc_poolownership_id", "PRIMARY KEY (id)")]
    public async Task A_table_has_the_constraints_of_Marten(string table, string constraint, string definition)
    {
        await using var database = await SchemaAsync();

        (await ListAsync(database, "select conname || ': ' || replace(pg_get_constraintdef(oid), 'zfsha.', '') from pg_constraint where conrelid = ('zfsha.' || $1)::regclass", table))
            .ShouldContain($"{constraint}: {definition}");
    }

    [Fact]
    public async Task A_version_of_a_stream_is_unique_under_Martens_name_and_numbers_come_from_Martens_sequence()
    {
        await using var database = await SchemaAsync();

        (await ListAsync(database, "select indexdef from pg_indexes where schemaname = 'zfsha' and indexname = $1", "pk_mt_events_stream_and_version"))
            .ShouldBe(["CREATE UNIQUE INDEX pk_mt_events_stream_and_version ON zfsha.mt_events USING btree (stream_id, version)"]);
        (await ListAsync(database, "select pg_get_serial_sequence('zfsha.mt_events', $1)", "seq_id")).ShouldBe(["zfsha.mt_events_sequence"]);
        (await ListAsync(database, "select concat_ws(' ', increment_by, cache_size, data_type) from pg_sequences where schemaname = 'zfsha' and sequencename = $1", "mt_events_sequence"))
            .ShouldBe(["1 1 bigint"]);
    }

    /// <summary>A Marten application names the columns it writes; those that are ours fill themselves.</summary>
    [Fact]
    public async Task Columns_that_are_ours_need_no_value()
    {
        await using var database = await SchemaAsync();
        await ExecuteAsync(database,
            """
            insert into zfsha.mt_streams (id, type, version) values ('pool-1', 'pool', 1);
            insert into zfsha.mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, headers)
            values (nextval('zfsha.mt_events_sequence'), gen_random_uuid(), 'pool-1', 1, '{}', 'pool_observed', now(), '*DEFAULT*', null, '{"host":"oss1"}')
            """);

        (await ListAsync(database, "select concat_ws(' ', transaction_id::text::bigint > 0, incarnation, observed_at <= clock_timestamp(), host) from zfsha.mt_events where stream_id = $1", "pool-1"))
            .ShouldBe(["t 1 t oss1"]);
    }

    // ---- the functions that Marten calls, as it calls them: by place, every metadata column enabled -------------------------------

    const string Nine = "select zfsha.mt_quick_append_events($1::varchar, 'pool'::varchar, '*DEFAULT*'::varchar, $2::uuid[], $3::varchar[], $4::varchar[], $5::jsonb[], $6::bytea[], $7::varchar[], $8::varchar[], $9::jsonb[], $10::varchar[]";
    const string Eight = "select zfsha.mt_quick_append_events($1::varchar, 'pool'::varchar, '*DEFAULT*'::varchar, $2::uuid[], $3::varchar[], $4::varchar[], $5::jsonb[], $6::varchar[], $7::varchar[], $8::jsonb[], $9::varchar[]";

    [Theory]
    [InlineData("9, with timestamps from the application", 9, true)]
    [InlineData("9, without", 9, false)]
    [InlineData("8, with timestamps from the application", 8, true)]
    [InlineData("8, without", 8, false)]
    public async Task Marten_appends(string marten, int version, bool timestamps)
    {
        await using var database = await SchemaAsync();
        DateTimeOffset[] at = [new(2026, 5, 1, 2, 3, 4, TimeSpan.Zero), new(2026, 5, 1, 2, 3, 5, TimeSpan.Zero)];

        var (first, second) = (await AppendAsync(database, version, "pool-1", timestamps ? at : null), await AppendAsync(database, version, "pool-1", timestamps ? at : null));

        first.ShouldBe([2, 1, 2], marten);
        second.ShouldBe([4, 3, 4]);
        (await ListAsync(database, "select concat_ws(' ', id, type, version) from zfsha.mt_streams where id = $1", "pool-1")).ShouldBe(["pool-1 pool 4"]);
        var rows = await ListAsync(database,
            """
            select concat_ws(' ', version, type, mt_dotnet_type, data ->> 'N', correlation_id, causation_id, headers ->> 'k', user_name, tenant_id, is_archived, bdata is null)
              from zfsha.mt_events where stream_id = $1 order by version
            """, "pool-1");
        rows.ShouldBe([.. Enumerable.Range(1, 4).Select(v => $"{v} thing_{(v - 1) % 2} App.Thing, App {(v - 1) % 2} cor{(v - 1) % 2} cau{(v - 1) % 2} h{(v - 1) % 2} user{(v - 1) % 2} *DEFAULT* f t")]);
        var clocks = await ListAsync(database, "select (timestamp at time zone 'utc')::text from zfsha.mt_events where stream_id = $1 order by version", "pool-1");
        if (timestamps) clocks.Take(2).ShouldBe(["2026-05-01 02:03:04", "2026-05-01 02:03:05"]);
        else clocks.ShouldAllBe(c => !c.StartsWith("2026-05-01", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Another_version_than_expected_is_MT003_and_draws_no_number()
    {
        await using var database = await SchemaAsync();
        await AppendAsync(database, 9, "pool-1", null);

        (await Should.ThrowAsync<PostgresException>(() => AppendAsync(database, 9, "pool-1", null, expected: 1))).SqlState.ShouldBe("MT003");
        (await AppendAsync(database, 9, "pool-1", null, expected: 2)).ShouldBe([4, 3, 4]);
    }

    [Fact]
    public async Task An_archived_stream_is_MT001_for_Marten_and_refused_for_us()
    {
        await using var database = await SchemaAsync();
        await AppendAsync(database, 9, "pool-1", null);
        await ExecuteAsync(database, "select zfsha.mt_archive_stream('pool-1')");

        (await Should.ThrowAsync<PostgresException>(() => AppendAsync(database, 9, "pool-1", null))).SqlState.ShouldBe("MT001");
        await using var wakeUps = new WakeUps(database);
        (await new PostgresEventStore(database, wakeUps).CommitAsync(new("pool-1", "pool", 2, DateTimeOffset.UtcNow, null) { Events = [PostgresOnlyTests.Event()] }, Cancellation)).ShouldBe(CommitResult.Archived);
        (await ListAsync(database, "select is_archived::text from zfsha.mt_events where stream_id = $1", "pool-1")).ShouldBe(["true", "true"]);
    }

    [Fact]
    public async Task Progression_rows_are_kept_as_Marten_keeps_them()
    {
        await using var database = await SchemaAsync();
        await ExecuteAsync(database, "select zfsha.mt_mark_event_progression('Orders:All', 7); select zfsha.mt_mark_event_progression('Orders:All', 9)");
        (await ListAsync(database, "select last_seq_id::text from zfsha.mt_event_progression where name = $1", "Orders:All")).ShouldBe(["9"]);

        async Task<string> SkipAsync(long ending, long starting) => (await ListAsync(database, $"select zfsha.mt_mark_progression_with_skip($1, {ending}, {starting})::text", "HighWaterMark"))[0];
        (await SkipAsync(5, 5)).ShouldBe("5"); // The first time makes the row.
        (await SkipAsync(9, 5)).ShouldBe("9");
        (await SkipAsync(12, 5)).ShouldBe("9"); // Somebody else was first.
        (await ListAsync(database, "select concat_ws(' ', starting_sequence, ending_sequence) from zfsha.mt_high_water_skips where ending_sequence > 0 and $1 <> ''", "any")).ShouldBe(["5 9"]);
    }

    [Theory]
    [InlineData("update zfsha.mt_events set data = '{}'")]
    [InlineData("update zfsha.mt_events set is_archived = true, type = 'other'")]
    [InlineData("update zfsha.mt_events set is_archived = false")]
    [InlineData("delete from zfsha.mt_events")]
    [InlineData("delete from zfsha.mt_streams")]
    [InlineData("truncate zfsha.mt_events")]
    public async Task An_event_is_never_changed_or_deleted_not_even_by_the_owner(string attempt)
    {
        await using var database = await SchemaAsync();
        await AppendAsync(database, 9, "pool-1", null);

        (await Should.ThrowAsync<PostgresException>(() => ExecuteAsync(database, attempt))).SqlState.ShouldBe("ZE001");

        (await ListAsync(database, "select type from zfsha.mt_events where stream_id = $1 order by version", "pool-1")).ShouldBe(["thing_0", "thing_1"]);
    }

    static async Task<long[]> AppendAsync(NpgsqlDataSource database, int marten, string stream, DateTimeOffset[]? timestamps, long? expected = null)
    {
        await using var command = database.CreateCommand();
        void Add(object value) => command.Parameters.Add(new() { Value = value });
        string[] Two(string text) => [$"{text}0", $"{text}1"];
        Add(stream);
        Add(new[] { Guid.NewGuid(), Guid.NewGuid() });
        Add(Two("thing_"));
        Add(new[] { "App.Thing, App", "App.Thing, App" });
        Add(new[] { """{"N":0}""", """{"N":1}""" });
        if (marten == 9) Add(new byte[]?[] { null, null });
        Add(Two("cau"));
        Add(Two("cor"));
        Add(new[] { """{"k":"h0"}""", """{"k":"h1"}""" });
        Add(Two("user"));
        command.CommandText = marten == 9 ? Nine : Eight;
        if (timestamps is not null || expected is not null)
        {
            command.Parameters.Add(new() { Value = (object?)timestamps ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.TimestampTz });
            command.CommandText += $", ${command.Parameters.Count}";
        }

        if (expected is { } version)
        {
            Add(version);
            command.CommandText += $", ${command.Parameters.Count}";
        }

        command.CommandText += ")";
        return await command.ExecuteScalarAsync(Cancellation) switch
        {
            long[] numbers => numbers, // Marten 9.
            int[] numbers => [.. numbers.Select(n => (long)n)], // Marten 8.
            var other => throw new InvalidOperationException($"{other}"),
        };
    }

    static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    [Fact]
    public async Task An_event_carries_the_transaction_and_the_history_it_was_written_in()
    {
        await using var database = await SchemaAsync();
        await using var wakeUps = new WakeUps(database);
        var store = new PostgresEventStore(database, wakeUps);
        for (var version = 0; version < 4; version += 2)
        {
            var commit = new Commit("pool-1", "pool", version, DateTimeOffset.UtcNow, null) { Events = [PostgresOnlyTests.Event(), PostgresOnlyTests.Event()] };
            (await store.CommitAsync(commit, Cancellation)).ShouldBe(CommitResult.Committed);
        }

        var rows = await ListAsync(database,
            """
            select concat_ws(' ', seq_id, dense_rank() over (order by transaction_id), incarnation, type, mt_dotnet_type, tenant_id, is_archived)
              from zfsha.mt_events where stream_id = $1 order by incarnation, transaction_id, seq_id
            """, "pool-1");
        const string Rest = "1 pool_observed ZfsHaEvents.Domain.Pools.PoolObserved, ZfsHaEvents.Domain *DEFAULT* f";
        rows.ShouldBe([$"1 1 {Rest}", $"2 1 {Rest}", $"3 2 {Rest}", $"4 2 {Rest}"]);
        (await ListAsync(database, "select concat_ws(' ', id, type, version, is_archived) from zfsha.mt_streams where id = $1", "pool-1")).ShouldBe(["pool-1 pool 4 f"]);
    }

    async Task<NpgsqlDataSource> SchemaAsync()
    {
        var database = PostgresConnection.Open(await databases.EmptyAsync(), "layout tests");
        await PostgresSchema.ApplyAsync(database, Cancellation);
        return database;
    }

    static async Task<List<string>> ListAsync(NpgsqlDataSource database, string sql, string parameter)
    {
        await using var command = database.CreateCommand(sql);
        command.Parameters.Add(new() { Value = parameter });
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        var rows = new List<string>();
        while (await reader.ReadAsync(Cancellation)) rows.Add(reader.GetString(0));
        return rows;
    }
}
