using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace ZfsHaEvents.Store;

/// <summary>The event store on PostgreSQL, in Marten's tables.</summary>
public sealed class PostgresEventStore(NpgsqlDataSource database, WakeUps wakeUps) : IEventStore
{
    internal const string EventColumns = "stream_id, version, id, type, data::text, headers::text, timestamp, observed_at, user_name, correlation_id, causation_id";

    public async Task<StreamRead> LoadAsync(string stream, CancellationToken cancellation)
    {
        // One statement, so that clock, leases and stream belong to one moment. The first row carries the first two.
        await using var command = new NpgsqlCommand(
            $"""
            select null, (select coalesce(max(version), 0) from zfsha.mt_streams where id = $1), i.id, null,
                   (select coalesce(jsonb_agg(to_jsonb(l)), '[]') from zfsha.leases_now l)::text, null, clock_timestamp(), clock_timestamp(), null, null, null
              from zfsha.incarnations i where i.ordinal = zfsha.current_incarnation()
            union all
            select {EventColumns} from (select * from zfsha.mt_events where stream_id = $1 order by version) e
            """);
        command.Parameters.Add(new() { Value = stream });

        await using var reader = await database.ReadAsync(command, cancellation);
        if (!await reader.ReadAsync(cancellation)) throw new InvalidOperationException("The database has no incarnation; its schema has not been applied.");
        var version = reader.GetInt64(1);
        var incarnation = reader.GetGuid(2);
        var leases = LeaseJson.Read(reader.GetString(4));
        var now = reader.GetFieldValue<DateTimeOffset>(6);
        var events = new List<StoredEvent>();
        while (await reader.ReadAsync(cancellation)) events.Add(ReadEvent(reader));
        return new(version, events, now, incarnation, leases);
    }

    public async Task<CommitResult> CommitAsync(Commit commit, CancellationToken cancellation)
    {
        commit = Storable.Of(commit);
        await using var command = new NpgsqlCommand(
            """
            select zfsha.commit_stream($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)
            """);
        var p = command.Parameters;
        p.Add(Text(commit.Stream));
        p.Add(Text(commit.StreamType));
        p.Add(new() { Value = commit.ExpectedVersion });
        p.Add(new() { Value = commit.RecordedAt.UtcDateTime });
        p.Add(Array(commit.Events, e => e.Id, NpgsqlDbType.Uuid));
        p.Add(Array(commit.Events, e => e.Type, NpgsqlDbType.Text));
        p.Add(Array(commit.Events, e => e.DotnetType, NpgsqlDbType.Text));
        p.Add(Array(commit.Events, e => e.Json, NpgsqlDbType.Jsonb));
        p.Add(Array(commit.Events, e => e.HeadersJson, NpgsqlDbType.Jsonb));
        p.Add(Array(commit.Events, e => e.ObservedAt.UtcDateTime, NpgsqlDbType.TimestampTz));
        p.Add(Array(commit.Events, e => e.Actor, NpgsqlDbType.Text));
        p.Add(Array(commit.Events, e => e.Correlation, NpgsqlDbType.Text));
        p.Add(Text(commit.Causation));
        p.Add(Nullable(commit.Handled?.Id, NpgsqlDbType.Uuid));
        p.Add(Nullable(commit.Handled?.Attempts, NpgsqlDbType.Integer));
        p.Add(Text(commit.Handled?.Key));
        p.Add(Array(commit.Messages, m => m.Id, NpgsqlDbType.Uuid));
        p.Add(Array(commit.Messages, m => m.Queue, NpgsqlDbType.Text));
        p.Add(Array(commit.Messages, m => m.Json, NpgsqlDbType.Jsonb));
        p.Add(Array(commit.Messages, m => m.Delay, NpgsqlDbType.Interval));
        p.Add(Text(commit.Void?.Group));
        p.Add(Text(commit.Void?.QueuePrefix));
        p.Add(Array(commit.Documents, d => d.Kind, NpgsqlDbType.Text));
        p.Add(Array(commit.Documents, d => d.Id, NpgsqlDbType.Text));
        p.Add(Array(commit.Documents, d => d.Json, NpgsqlDbType.Jsonb));
        p.Add(Array(commit.Documents, d => d.DotnetType, NpgsqlDbType.Text));
        p.Add(Array(commit.Documents, d => d.Version, NpgsqlDbType.Bigint));
        p.Add(Text(commit.Lease switch { null => null, LeaseChange.Grant => "grant", LeaseChange.Lose => "lose", _ => throw new UnreachableException() }));
        p.Add(Text(commit.Lease?.Holder));
        p.Add(Nullable(commit.Lease?.Session, NpgsqlDbType.Uuid));
        p.Add(Nullable((commit.Lease as LeaseChange.Grant)?.Duration, NpgsqlDbType.Interval));
        p.Add(new() { Value = (object?)(commit.Lease as LeaseChange.Grant)?.Attributes ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Jsonb });

        var result = await OutcomeAsync(command, cancellation);
        if (result is CommitResult.Committed) wakeUps.Signal(commit.Messages.Where(m => m.Delay <= TimeSpan.Zero).Select(m => m.Queue));
        return result;
    }

    async Task<CommitResult> OutcomeAsync(NpgsqlCommand command, CancellationToken cancellation)
    {
        try
        {
            return (string?)await database.ScalarAsync(command, cancellation) switch
            {
                "committed" => CommitResult.Committed,
                "duplicate" => CommitResult.Duplicate,
                "conflict" => CommitResult.VersionConflict,
                "not_ours" => CommitResult.NotOurs,
                "archived" => CommitResult.Archived,
                var other => throw new UnreachableException($"commit_stream returned '{other}'."),
            };
        }
        catch (PostgresException e) when (e.SqlState == "ZL001")
        {
            return CommitResult.LeaseHeld; // Raised rather than returned, so that what was written before it is undone.
        }
        catch (PostgresException e) when (e.SqlState == "ZQ001")
        {
            return CommitResult.NotOurs;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation && e.ConstraintName is "pk_mt_events_stream_and_version" or "handled_messages_pkey")
        {
            return CommitResult.VersionConflict; // Somebody appended without taking the stream's row, as Marten does; or handled the same message in this moment.
        }
    }

    [SuppressMessage("Security", "CA2100", Justification = "The text is put together from constants; every value is a parameter.")]
    public async Task<IReadOnlyList<StoredEvent>> QueryAsync(EventQuery query, CancellationToken cancellation)
    {
        query = Storable.Of(query);
        var where = new StringBuilder("stream_id = $1 and version > $2");
        await using var command = database.CreateCommand();
        command.Parameters.Add(Text(query.Stream));
        command.Parameters.Add(new() { Value = query.AfterVersion });
        void And(string condition, NpgsqlParameter parameter)
        {
            command.Parameters.Add(parameter);
            where.Append(CultureInfo.InvariantCulture, $" and {condition} ${command.Parameters.Count}");
        }

        if (query.Types.Count > 0)
        {
            And("type = any(", new() { Value = query.Types.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
            where.Append(')');
        }

        if (query.Host is { } host) And("host =", Text(host));
        if (query.Correlation is { } correlation) And("correlation_id =", Text(correlation));
        if (query.From is { } from) And("observed_at >=", new() { Value = from.UtcDateTime });
        if (query.To is { } to) And("observed_at <=", new() { Value = to.UtcDateTime });
        command.Parameters.Add(new() { Value = query.Limit });
        command.CommandText = string.Create(CultureInfo.InvariantCulture,
            $"select {EventColumns} from zfsha.mt_events where {where} order by version {(query.NewestFirst ? "desc" : "asc")} limit ${command.Parameters.Count}");

        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var events = new List<StoredEvent>();
        while (await reader.ReadAsync(cancellation)) events.Add(ReadEvent(reader));
        return events;
    }

    public async Task<IReadOnlyList<StoredEvent>> AsOfAsync(AsOfQuery query, CancellationToken cancellation)
    {
        // Hosts are found by skipping through the index, for there are few of them and many events of each.
        await using var command = new NpgsqlCommand(
            $"""
            with recursive hosts as (
                select min(host) as host from zfsha.mt_events where stream_id = $1
                union all
                select (select min(e.host) from zfsha.mt_events e where e.stream_id = $1 and e.host > hosts.host) from hosts where hosts.host is not null
            ), wanted as (
                select latest.seq_id from hosts cross join lateral (
                    select seq_id from zfsha.mt_events where stream_id = $1 and host = hosts.host and type = any ($3) and observed_at <= $2
                     order by observed_at desc fetch first 1 row with ties) latest
                union
                select latest.seq_id from unnest($4) as t (type) cross join lateral (
                    select seq_id from zfsha.mt_events where stream_id = $1 and type = t.type and observed_at <= $2
                     order by observed_at desc fetch first 1 row with ties) latest
                union
                select seq_id from zfsha.mt_events where stream_id = $1 and type = any ($5) and observed_at <= $2
                union
                (select seq_id from zfsha.mt_events where stream_id = $1 and observed_at <= $2 order by observed_at limit 1)
            )
            select {EventColumns} from zfsha.mt_events join wanted using (seq_id) order by version
            """);
        command.Parameters.Add(Text(query.Stream));
        command.Parameters.Add(new() { Value = query.At.UtcDateTime });
        foreach (var types in (IReadOnlyList<string>[])[query.LatestOfEachHost, query.Latest, query.All])
            command.Parameters.Add(new() { Value = types.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        await using var reader = await database.ReadAsync(command, cancellation);
        var events = new List<StoredEvent>();
        while (await reader.ReadAsync(cancellation)) events.Add(ReadEvent(reader));
        return events;
    }

    [SuppressMessage("Security", "CA2100", Justification = "Quoted as an identifier; a kind is one of ours.")]
    public async Task<IReadOnlyList<Document>> DocumentsAsync(string kind, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand($"select id, data::text, coalesce(mt_dotnet_type, ''), mt_version from {Table(kind)} order by id");
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var documents = new List<Document>();
        while (await reader.ReadAsync(cancellation)) documents.Add(ReadDocument(kind, reader));
        return documents;
    }

    [SuppressMessage("Security", "CA2100", Justification = "Quoted as an identifier; a kind is one of ours.")]
    public async Task<IReadOnlyDictionary<string, long>> DocumentVersionsAsync(string kind, IReadOnlyList<string> ids, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand($"select id, mt_version from {Table(kind)} where id = any ($1)");
        command.Parameters.Add(new() { Value = ids.ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var versions = new Dictionary<string, long>();
        while (await reader.ReadAsync(cancellation)) versions[reader.GetString(0)] = reader.GetInt64(1);
        return versions;
    }

    [SuppressMessage("Security", "CA2100", Justification = "Quoted as an identifier; a kind is one of ours.")]
    public async Task<Document?> DocumentAsync(string kind, string id, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand($"select id, data::text, coalesce(mt_dotnet_type, ''), mt_version from {Table(kind)} where id = $1");
        command.Parameters.Add(Text(id));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) ? ReadDocument(kind, reader) : null;
    }

    static string Table(string kind) => $"zfsha.\"mt_doc_{kind.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    static Document ReadDocument(string kind, NpgsqlDataReader reader) => new(kind, reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetInt64(3));

    internal static StoredEvent ReadEvent(NpgsqlDataReader reader) => new(
        reader.GetString(0), reader.GetInt64(1), reader.GetGuid(2), reader.GetString(3), reader.GetString(4), TextAt(reader, 5) ?? "{}",
        reader.GetFieldValue<DateTimeOffset>(6), reader.GetFieldValue<DateTimeOffset>(7), TextAt(reader, 8), TextAt(reader, 9), TextAt(reader, 10));

    static string? TextAt(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    static NpgsqlParameter Text(string? value) => new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };

    static NpgsqlParameter Nullable<T>(T? value, NpgsqlDbType type) where T : struct => new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = type };

    static NpgsqlParameter Array<TItem, TValue>(IReadOnlyList<TItem> items, Func<TItem, TValue> value, NpgsqlDbType type) =>
        new() { Value = items.Select(value).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | type };
}
