using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace ZfsHaEvents.Store;

/// <summary>The event store on PostgreSQL, in Marten's tables.</summary>
public sealed class PostgresEventStore(NpgsqlDataSource database, WakeUps wakeUps) : IEventStore
{
    internal const string EventColumns = "stream_id, version, id, type, data::text, headers::text, timestamp, observed_at, user_name, correlation_id, causation_id";

    public async Task<StreamRead> LoadAsync(string stream, Action<StoredEvent>? each, CancellationToken cancellation)
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
        while (await reader.ReadAsync(cancellation))
        {
            var e = ReadEvent(reader);
            events.Add(e);
            each?.Invoke(e); // While PostgreSQL sends the next ones.
        }

        return new(version, events, now, incarnation, leases);
    }

    [SuppressMessage("Security", "CA2100", Justification = "The text is put together from constants; every value is a parameter.")]
    public async Task<CommitResult> CommitAsync(Commit commit, CancellationToken cancellation)
    {
        commit = Storable.Of(commit);
        await using var command = new NpgsqlCommand();
        var parts = Parts.Always;
        Bind(Text(commit.Stream), Text(commit.StreamType), Of(commit.ExpectedVersion), Of(commit.RecordedAt.UtcDateTime), Text(commit.Causation));
        if (commit.Events is { Count: > 0 } events)
        {
            parts |= Parts.Events;
            Bind(
                Array(events, e => e.Id, NpgsqlDbType.Uuid), Array(events, e => e.Type, NpgsqlDbType.Text), Array(events, e => e.DotnetType, NpgsqlDbType.Text),
                Array(events, e => e.Json, NpgsqlDbType.Jsonb), Array(events, e => e.HeadersJson, NpgsqlDbType.Jsonb), Array(events, e => e.ObservedAt.UtcDateTime, NpgsqlDbType.TimestampTz),
                Array(events, e => e.Actor, NpgsqlDbType.Text), Array(events, e => e.Correlation, NpgsqlDbType.Text));
        }

        if (commit.Handled is { } handled)
        {
            parts |= Parts.Handled;
            Bind(Of(handled.Id), Of(handled.Attempts), Text(handled.Key));
        }

        if (commit.Messages is { Count: > 0 } messages)
        {
            parts |= Parts.Messages;
            Bind(Array(messages, m => m.Id, NpgsqlDbType.Uuid), Array(messages, m => m.Queue, NpgsqlDbType.Text), Array(messages, m => m.Json, NpgsqlDbType.Jsonb), Array(messages, m => m.Delay, NpgsqlDbType.Interval));
        }

        if (commit.Void is { } voided)
        {
            parts |= Parts.Void;
            Bind(Text(voided.Group), Text(voided.QueuePrefix));
        }

        if (commit.Documents is { Count: > 0 } documents)
        {
            parts |= Parts.Documents;
            Bind(
                Array(documents, d => d.Kind, NpgsqlDbType.Text), Array(documents, d => d.Id, NpgsqlDbType.Text), Array(documents, d => d.Json, NpgsqlDbType.Jsonb),
                Array(documents, d => d.DotnetType, NpgsqlDbType.Text), Array(documents, d => d.Version, NpgsqlDbType.Bigint));
        }

        if (commit.Lease is { } lease)
        {
            parts |= Parts.Lease;
            var granted = lease as LeaseChange.Grant;
            Bind(
                Text(lease switch { LeaseChange.Grant => "grant", LeaseChange.Lose => "lose", _ => throw new UnreachableException() }), Text(lease.Holder), Of(lease.Session),
                Nullable(granted?.Duration, NpgsqlDbType.Interval), new NpgsqlParameter { Value = (object?)granted?.Attributes ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Jsonb });
        }

        command.CommandText = CallOf(parts);
        void Bind(params ReadOnlySpan<NpgsqlParameter> values)
        {
            foreach (var value in values) command.Parameters.Add(value);
        }

        var result = await OutcomeAsync(command, cancellation);
        if (result is CommitResult.Committed) wakeUps.Signal(commit.Messages.Where(m => m.Delay <= TimeSpan.Zero).Select(m => m.Queue));
        return result;
    }

    /// <summary>What a commit consists of. As many statements as there are combinations; each is prepared once on a connection.</summary>
    [Flags]
    enum Parts
    {
        Always = 0,
        Events = 1,
        Handled = 2,
        Messages = 4,
        Void = 8,
        Documents = 16,
        Lease = 32,
    }

    /// <summary>The parameters of each part, in the order in which they are bound.</summary>
    static readonly (Parts Part, string[] Names)[] Parameters =
    [
        (Parts.Always, ["p_stream", "p_stream_type", "p_expected", "p_recorded_at", "p_causation"]),
        (Parts.Events, ["p_ids", "p_types", "p_dotnet_types", "p_bodies", "p_headers", "p_observed", "p_users", "p_correlations"]),
        (Parts.Handled, ["p_handled_id", "p_handled_attempts", "p_handled_key"]),
        (Parts.Messages, ["p_message_ids", "p_queues", "p_messages", "p_delays"]),
        (Parts.Void, ["p_void_group", "p_void_queues"]),
        (Parts.Documents, ["p_document_kinds", "p_document_ids", "p_documents", "p_document_types", "p_document_versions"]),
        (Parts.Lease, ["p_lease_change", "p_lease_holder", "p_lease_session", "p_lease_duration", "p_lease_attributes"]),
    ];

    static readonly ConcurrentDictionary<Parts, string> Calls = new();

    static string CallOf(Parts parts) => Calls.GetOrAdd(parts, static parts => string.Create(CultureInfo.InvariantCulture,
        $"select zfsha.commit_stream({string.Join(", ", Parameters.Where(p => parts.HasFlag(p.Part)).SelectMany(p => p.Names).Select((name, i) => $"{name} => ${i + 1}"))})"));

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

    public async Task<IReadOnlyList<StoredEvent>> QueryAsync(EventQuery query, CancellationToken cancellation)
    {
        query = Storable.Of(query);
        await using var command = VersionsOf("zfsha.history_page($1, $2, $3, $4, $5, $6, $7, $8, $9)", query.NewestFirst);
        command.Parameters.Add(Text(query.Stream));
        command.Parameters.Add(Array(query.Types, t => t, NpgsqlDbType.Text));
        command.Parameters.Add(Text(query.Host));
        command.Parameters.Add(Text(query.Correlation));
        command.Parameters.Add(Nullable(query.From?.UtcDateTime, NpgsqlDbType.TimestampTz));
        command.Parameters.Add(Nullable(query.To?.UtcDateTime, NpgsqlDbType.TimestampTz));
        command.Parameters.Add(new() { Value = query.AfterVersion });
        command.Parameters.Add(new() { Value = query.Limit });
        command.Parameters.Add(new() { Value = query.NewestFirst });
        return await ReadEventsAsync(command, cancellation);
    }

    public async Task<IReadOnlyList<StoredEvent>> AsOfAsync(AsOfQuery query, CancellationToken cancellation)
    {
        await using var command = VersionsOf("zfsha.known_at($1, $2, $3, $4)", newestFirst: false);
        command.Parameters.Add(Text(query.Stream));
        command.Parameters.Add(new() { Value = query.At.UtcDateTime });
        foreach (var types in (IReadOnlyList<string>[])[query.LatestOfEachHost, query.Latest]) command.Parameters.Add(Array(types, t => t, NpgsqlDbType.Text));
        return await ReadEventsAsync(command, cancellation);
    }

    /// <summary>The events of stream <c>$1</c> whose versions a function of functions/history.sql tells.</summary>
    [SuppressMessage("Security", "CA2100", Justification = "The text is put together from constants; every value is a parameter.")]
    static NpgsqlCommand VersionsOf(string function, bool newestFirst) => new(
        $"""
        select {EventColumns}
          from {function} as wanted (v) cross join lateral (select * from zfsha.mt_events e where e.stream_id = $1 and e.version = wanted.v offset 0) e
         order by version {(newestFirst ? "desc" : "asc")}
        """);

    async Task<IReadOnlyList<StoredEvent>> ReadEventsAsync(NpgsqlCommand command, CancellationToken cancellation)
    {
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

    static NpgsqlParameter<T> Of<T>(T value) where T : struct => new() { TypedValue = value };

    static NpgsqlParameter<string?> Text(string? value) => new() { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Text };

    static NpgsqlParameter Nullable<T>(T? value, NpgsqlDbType type) where T : struct => new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = type };

    static NpgsqlParameter<TValue[]> Array<TItem, TValue>(IReadOnlyList<TItem> items, Func<TItem, TValue> value, NpgsqlDbType type) =>
        new() { TypedValue = [.. items.Select(value)], NpgsqlDbType = NpgsqlDbType.Array | type };
}
