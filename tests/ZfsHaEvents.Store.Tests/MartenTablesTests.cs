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

    /// <summary>A Marten application names the columns it writes; those that are ours must fill themselves.</summary>
    [Fact]
    public async Task Columns_that_are_ours_need_no_value()
    {
        await using var database = await SchemaAsync();

        (await ListAsync(database,
            """
            select attname::text from pg_attribute where attrelid = ('zfsha.' || $1)::regclass and attnum > 0 and attnotnull and not atthasdef order by attname
            """, "mt_events")).ShouldBe(["data", "id", "seq_id", "type", "version"]);
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
