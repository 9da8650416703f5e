using System.Diagnostics.CodeAnalysis;
using Npgsql;
using ZfsHaEvents.Store.Reading;

namespace ZfsHaEvents.Store.Projections;

/// <summary>How far a reader is, and what it could not take in.</summary>
/// <param name="Running">A runner holds its lease now.</param>
/// <param name="EventsBehind">Events it has not taken in; counting stops at ten thousand.</param>
/// <param name="SecondsBehind">The age of the oldest of these by the database's clock; 0 when there is none.</param>
/// <param name="Parked">Streams it skips.</param>
public sealed record ReaderStatus(
    string Name, long LastSeqId, DateTimeOffset? LastMovedAt, bool Running, DateTimeOffset? PausedAt, string? PausedBy, long EventsBehind, double SecondsBehind,
    IReadOnlyList<ParkedEvent> Parked);

/// <summary>The first event of a stream that a reader skips, and why.</summary>
public sealed record ParkedEvent(string Stream, long Version, string Type, string Error, DateTimeOffset ParkedAt);

/// <summary>A transaction that may still write before what others have written already: no reader goes past it.</summary>
/// <param name="Pid">The backend's process; null for a prepared transaction.</param>
/// <param name="Query">What it runs, or ran last; null when this login may not see it.</param>
public sealed record HoldingBack(int? Pid, string? Login, string? Application, string? Database, string? State, DateTimeOffset? BeganAt, double Seconds, string? Query);

/// <summary>What people do with readers and projections: look, pause, resume, have a view made anew, have a parked stream tried again.</summary>
public sealed class ProjectionControl(NpgsqlDataSource database, IReadOnlyList<IProjection> projections)
{
    /// <summary>Every reader of ours.</summary>
    public async Task<IReadOnlyList<ReaderStatus>> StatusAsync(CancellationToken cancellation)
    {
        var parked = new List<(string Name, ParkedEvent Event)>();
        await using (var command = new NpgsqlCommand("select name, stream_id, version, type, error, parked_at from zfsha.parked_streams order by parked_at, stream_id"))
        {
            await using var reader = await database.ReadAsync(command, cancellation);
            while (await reader.ReadAsync(cancellation))
                parked.Add((reader.GetString(0), new(reader.GetString(1), reader.GetInt64(2), reader.GetString(3), reader.GetString(4), reader.GetFieldValue<DateTimeOffset>(5))));
        }

        await using var lag = new NpgsqlCommand("select name, last_seq_id, last_updated, coalesce(running, false), paused_at, paused_by, events_behind, seconds_behind from zfsha.reader_lag order by name");
        await using var rows = await database.ReadAsync(lag, cancellation);
        var readers = new List<ReaderStatus>();
        while (await rows.ReadAsync(cancellation))
        {
            var name = rows.GetString(0);
            readers.Add(new(
                name, rows.IsDBNull(1) ? 0 : rows.GetInt64(1), At(rows, 2), rows.GetBoolean(3), At(rows, 4), rows.IsDBNull(5) ? null : rows.GetString(5), rows.GetInt64(6), rows.GetDouble(7),
                [.. parked.Where(p => p.Name == name).Select(p => p.Event)]));
        }

        return readers;
    }

    /// <summary>The number of the event written last: what a reader's place is to be compared with. 0 when there is none.</summary>
    public async Task<long> LastSeqIdAsync(CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select coalesce(max(seq_id), 0) from zfsha.mt_events");
        return (long)(await database.ScalarAsync(command, cancellation))!;
    }

    /// <summary>Transactions that readers wait for, oldest first.</summary>
    public async Task<IReadOnlyList<HoldingBack>> HoldingBackAsync(CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select pid, login::text, application, database::text, state, began_at, coalesce(seconds, 0), query from zfsha.holding_back");
        await using var reader = await database.ReadAsync(command, cancellation);
        var found = new List<HoldingBack>();
        string? Text(int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
        while (await reader.ReadAsync(cancellation))
            found.Add(new(reader.IsDBNull(0) ? null : reader.GetInt32(0), Text(1), Text(2), Text(3), Text(4), At(reader, 5), reader.GetDouble(6), Text(7)));
        return found;
    }

    /// <summary>Stops a reader where it is, in whichever server it runs. False when there is none of that name.</summary>
    public Task<bool> PauseAsync(string name, string by, CancellationToken cancellation) =>
        ChangedAsync("update zfsha.mt_event_progression set paused_at = coalesce(paused_at, clock_timestamp()), paused_by = coalesce(paused_by, $2), runner = null where name = $1 returning true", cancellation, name, by);

    /// <summary>Lets a paused reader go on. False when there is none of that name.</summary>
    public Task<bool> ResumeAsync(string name, CancellationToken cancellation) =>
        ChangedAsync("update zfsha.mt_event_progression set paused_at = null, paused_by = null where name = $1 returning true", cancellation, name);

    /// <summary>
    /// Begins to make a projection's view anew, from the first event on; whoever reads it reads the old one until the new one is complete.
    /// False when that is being done already.
    /// </summary>
    [SuppressMessage("Security", "CA2100", Justification = "A projection's kind is one of ours.")]
    public Task<bool> RebuildAsync(IProjection projection, CancellationToken cancellation) => ChangedAsync(
        $"""
        with begun as (insert into zfsha.mt_event_progression (name, last_seq_id, incarnation) values ($1, 0, 0) on conflict do nothing returning name),
             emptied as (delete from zfsha."mt_doc_{projection.Kind}_rebuild" where exists (select from begun))
        select true from begun
        """, cancellation, ProjectionSubscriber.RebuildName(projection));

    /// <summary>The version of what made the view that is read; null when there is none yet.</summary>
    public async Task<int?> MadeByAsync(IProjection projection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            "select max(coalesce(substring(name from ':V([0-9]+):All$')::integer, 1)) from zfsha.mt_event_progression where starts_with(name, $1) and name like '%:All'")
        {
            Parameters = { new() { Value = projection.Name + ":" } },
        };
        return await database.ScalarAsync(command, cancellation) as int?;
    }

    /// <summary>Whether a rebuild has begun and not ended.</summary>
    public async Task<bool> IsRebuildingAsync(IProjection projection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select exists (select from zfsha.mt_event_progression where name = $1)") { Parameters = { new() { Value = ProjectionSubscriber.RebuildName(projection) } } };
        return await database.ScalarAsync(command, cancellation) is true;
    }

    /// <summary>A parked stream has been seen to otherwise.</summary>
    /// <exception cref="KeyNotFoundException">The reader has not parked it.</exception>
    public async Task ForgetParkedAsync(string name, string stream, CancellationToken cancellation)
    {
        if (!await ChangedAsync("delete from zfsha.parked_streams where name = $1 and stream_id = $2 returning true", cancellation, name, stream))
            throw new KeyNotFoundException($"'{name}' has not parked a stream '{stream}'");
    }

    /// <summary>Tries a parked stream again, from its first event up to where the reader is.</summary>
    /// <returns>Null when it is taken in now; what is wrong with it otherwise.</returns>
    /// <exception cref="KeyNotFoundException">No projection has parked that stream; the message says so.</exception>
    [SuppressMessage("Security", "CA2100", Justification = "A projection's kind is one of ours.")]
    public async Task<ParkedStream?> ReplayAsync(string name, string stream, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        // The reader stands still while its row is locked, and whoever runs it looks again at everything afterwards.
        await using var hold = new NpgsqlCommand("update zfsha.mt_event_progression set runner = null where name = $1 and exists (select from zfsha.parked_streams where name = $1 and stream_id = $2) returning incarnation, transaction_id, last_seq_id", connection)
        {
            Parameters = { new() { Value = name }, new() { Value = stream } },
        };
        Position place;
        await using (var reader = await hold.ExecuteReaderAsync(cancellation))
        {
            if (projections.FirstOrDefault(p => ProjectionSubscriber.LiveName(p) == name) is null || !await reader.ReadAsync(cancellation))
                throw new KeyNotFoundException($"no projection '{name}' has parked a stream '{stream}'");
            place = new(reader.GetInt32(0), reader.GetFieldValue<ulong>(1), reader.GetInt64(2));
        }

        var projection = projections.First(p => ProjectionSubscriber.LiveName(p) == name);
        var events = new List<StoredEvent>();
        await using (var read = new NpgsqlCommand(
            $"select {PostgresEventStore.EventColumns} from zfsha.mt_events where stream_id = $1 and (incarnation, transaction_id, seq_id) <= ($2, $3, $4) order by version", connection)
        {
            Parameters = { new() { Value = stream }, new() { Value = place.Incarnation }, new() { Value = place.TransactionId, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Xid8 }, new() { Value = place.SeqId } },
        })
        {
            await using var reader = await read.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation)) events.Add(PostgresEventStore.ReadEvent(reader));
        }

        var fold = ProjectionSubscriber.Fold(projection, projection.Read(null), events);
        if (fold.Version is { } version)
        {
            await RunAsync(connection,
                $"""
                insert into zfsha."mt_doc_{projection.Kind}" (id, data, mt_last_modified, mt_dotnet_type, mt_version) values ($1, $2::jsonb, clock_timestamp(), $3, $4)
                    on conflict (id) do update set data = excluded.data, mt_last_modified = excluded.mt_last_modified, mt_version = excluded.mt_version
                """, cancellation, projection.DocumentOf(stream)!, Storable.Json(projection.Write(fold.Document)), projection.DotnetType, version);
        }

        if (fold.Parked is { } still)
            await RunAsync(connection, "update zfsha.parked_streams set version = $3, type = $4, error = $5, parked_at = clock_timestamp() where name = $1 and stream_id = $2", cancellation, name, stream, still.Version, still.Type, Storable.Text(still.Error));
        else
            await RunAsync(connection, "delete from zfsha.parked_streams where name = $1 and stream_id = $2", cancellation, name, stream);
        await transaction.CommitAsync(cancellation);
        return fold.Parked;
    }

    [SuppressMessage("Security", "CA2100", Justification = "Every caller's text is put together from constants.")]
    static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation, params object[] values)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        await command.ExecuteNonQueryAsync(cancellation);
    }

    [SuppressMessage("Security", "CA2100", Justification = "Every caller's text is put together from constants.")]
    async Task<bool> ChangedAsync(string sql, CancellationToken cancellation, params object[] values)
    {
        await using var command = new NpgsqlCommand(sql);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        return await database.ScalarAsync(command, cancellation) is true;
    }

    static DateTimeOffset? At(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);
}
