using System.Globalization;
using System.Text.Json.Nodes;
using Npgsql;
using Shouldly;
using ZfsHaEvents.Server.Projections;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Server.Tests;

/// <summary>What the view of pools' activity must be, made of the rows as SQL reads them; and, besides, what SQL alone counts.</summary>
static class ActivityCheck
{
    /// <summary>Each pool's document is what its whole stream makes, none is missing, and none is there beyond them.</summary>
    public static async Task ViewShouldBeTheFoldAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        var expected = await FoldedAsync(connection);
        var there = new Dictionary<string, (JsonNode Data, long Version)>();
        await using (var command = new NpgsqlCommand("select id, data::text, mt_version from zfsha.mt_doc_poolactivity", connection))
        {
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync()) there.Add(reader.GetString(0), (JsonNode.Parse(reader.GetString(1))!, reader.GetInt64(2)));
        }

        there.Keys.Order(StringComparer.Ordinal).ShouldBe(expected.Keys.Order(StringComparer.Ordinal));
        foreach (var (id, (data, version)) in expected)
        {
            JsonNode.DeepEquals(there[id].Data, data).ShouldBeTrue($"{id}: {there[id].Data} is there, {data} is what its events make");
            there[id].Version.ShouldBe(version, id);
        }

        await using var counted = new NpgsqlCommand(
            """
            select count(*) from (select substring(stream_id from 6) as id, count(*) as events, count(*) filter (where type = 'import_succeeded') as imports,
                                         count(*) filter (where type = 'export_failed' or type = 'import_failed') as failed, count(*) filter (where type = 'failover_completed') as failovers,
                                         jsonb_build_object('n', count(*) filter (where host = 'oss-1.example')) as by_host
                                    from zfsha.mt_events where stream_id like 'pool-%' group by stream_id) e
              join zfsha.pool_activity a on a.pool_guid = e.id
             where (a.events, a.imports, a.failed, a.failovers, coalesce((a.by_host ->> 'oss-1.example')::bigint, 0)) = (e.events, e.imports, e.failed, e.failovers, (e.by_host ->> 'n')::bigint)
            """, connection);
        ((long)(await counted.ExecuteScalarAsync())!).ShouldBe(expected.Count, "of so many pools SQL counts the same");
    }

    static async Task<Dictionary<string, (JsonNode Data, long Version)>> FoldedAsync(NpgsqlConnection connection)
    {
        var (projection, documents) = (new PoolActivityProjection(), new Dictionary<string, (object Document, long Version)>());
        await using var command = new NpgsqlCommand(
            """
            select stream_id, version, id, type, data::text, coalesce(headers::text, '{}'), timestamp, observed_at, user_name, correlation_id, causation_id
              from zfsha.mt_events where stream_id like 'pool-%' order by stream_id, version
            """, connection);
        await using var reader = await command.ExecuteReaderAsync();
        string? Text(int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
        while (await reader.ReadAsync())
        {
            var e = new StoredEvent(
                reader.GetString(0), reader.GetInt64(1), reader.GetGuid(2), reader.GetString(3), reader.GetString(4), reader.GetString(5), reader.GetFieldValue<DateTimeOffset>(6),
                reader.GetFieldValue<DateTimeOffset>(7), Text(8), Text(9), Text(10));
            var id = projection.DocumentOf(e.Stream)!;
            documents[id] = (projection.Apply(documents.TryGetValue(id, out var before) ? before.Document : projection.Read(null), e), e.Version);
        }

        return documents.ToDictionary(d => d.Key, d => (JsonNode.Parse(projection.Write(d.Value.Document))!, d.Value.Version));
    }

    /// <summary>Many pools with many events of many types, all of it in one transaction, as SQL writes it past the product.</summary>
    public static async Task WriteManyAsync(string connectionString, int pools, int eventsOfEach)
    {
        string[] types = ["pool_observed", "import_succeeded", "export_succeeded", "import_refused", "export_failed", "switchover_completed", "failover_completed", "switchover_aborted"];
        var bodies = new JsonObject(types.Append("pool_discovered").Select(t => KeyValuePair.Create(t, JsonNode.Parse(Golden.Read($"events/{t}.json")))));
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await RunAsync("insert into zfsha.mt_streams (id, type, version) select 'pool-' || (3000000000 + p), 'pool', $2 from generate_series(1, $1) p", pools, (long)eventsOfEach);
        await RunAsync(
            """
            insert into zfsha.mt_events (seq_id, id, stream_id, version, data, type, timestamp, headers)
            select nextval('zfsha.mt_events_sequence'), gen_random_uuid(), 'pool-' || (3000000000 + e.p), e.v, $3::jsonb -> e.type, e.type, clock_timestamp(),
                   jsonb_build_object('host', case when e.p % 3 = 0 then 'oss-2.example' else 'oss-1.example' end)
              from (select p, v, case when v = 1 then 'pool_discovered' else $4[1 + (7 * v + p) % cardinality($4)] end as type
                      from generate_series(1, $1) p, generate_series(1, $2) v order by v, p) e
            """, pools, eventsOfEach, bodies.ToJsonString(), types);
        await transaction.CommitAsync();

        async Task RunAsync(string sql, params object[] values)
        {
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 300 };
            foreach (var value in values) command.Parameters.Add(new() { Value = value });
            await command.ExecuteNonQueryAsync();
        }
    }

    /// <summary>One more event of one of those pools.</summary>
    public static Task OneMoreAsync(ServerProcess server, int pool) => server.ExecuteAsync(string.Create(CultureInfo.InvariantCulture,
        $$"""
        select zfsha.mt_quick_append_events('pool-{{3000000000L + pool}}', 'pool', '*DEFAULT*', array[gen_random_uuid()], array['import_succeeded'::varchar], array['App.Thing, App'::varchar],
            array[$1::jsonb], array[null::varchar], array[null::varchar], array['{"host":"oss-1.example"}'::jsonb], array[null::varchar])
        """), Golden.Read("events/import_succeeded.json"));
}
