using Npgsql;
using NpgsqlTypes;

namespace ZfsHaEvents.Store;

/// <summary>Queues and leases on PostgreSQL.</summary>
/// <param name="overtaking">CloudEvents types of messages that do not wait for an earlier one of their group that failed and is to be tried again.</param>
public sealed class PostgresMessageQueue(NpgsqlDataSource database, WakeUps wakeUps, IReadOnlyList<string>? overtaking = null) : IMessageQueue, ILeases
{
    readonly string[] _overtaking = [.. overtaking ?? []];

    public async Task SendAsync(IReadOnlyList<NewMessage> messages, Guid? completes, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select zfsha.send_messages($1, $2, $3, $4, $5)");
        command.Parameters.Add(new() { Value = messages.Select(m => m.Id).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid });
        command.Parameters.Add(new() { Value = messages.Select(m => m.Queue).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        command.Parameters.Add(new() { Value = messages.Select(m => Storable.Json(m.Json)).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb });
        command.Parameters.Add(new() { Value = messages.Select(m => m.Delay).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Interval });
        command.Parameters.Add(new() { Value = (object?)completes ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid });
        await database.RunAsync(command, cancellation);
        wakeUps.Signal(messages.Where(m => m.Delay <= TimeSpan.Zero).Select(m => m.Queue));
    }

    public async Task<IReadOnlyList<ClaimedMessage>> ClaimAsync(string queue, int max, TimeSpan visibility, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select id, queue, body, attempts, failures, enqueued_at, claimed_at from zfsha.claim_messages($1, $2, $3, $4)");
        command.Parameters.Add(new() { Value = queue });
        command.Parameters.Add(new() { Value = max });
        command.Parameters.Add(new() { Value = visibility });
        command.Parameters.Add(new() { Value = _overtaking, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        await using var reader = await database.ReadAsync(command, cancellation);
        var claimed = new List<ClaimedMessage>();
        while (await reader.ReadAsync(cancellation))
        {
            claimed.Add(new(
                reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.GetInt32(3), reader.GetInt32(4), reader.GetFieldValue<DateTimeOffset>(5),
                reader.GetFieldValue<DateTimeOffset>(6)));
        }

        return claimed;
    }

    public async Task ExtendAsync(IReadOnlyList<ClaimedMessage> messages, TimeSpan visibility, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select zfsha.extend_messages($1, $2, $3)");
        command.Parameters.Add(new() { Value = messages.Select(m => m.Id).ToArray() });
        command.Parameters.Add(new() { Value = messages.Select(m => m.Attempts).ToArray() });
        command.Parameters.Add(new() { Value = visibility });
        await database.RunAsync(command, cancellation);
    }

    public async Task RetryAsync(ClaimedMessage message, TimeSpan delay, string error, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select zfsha.retry_message($1, $2, $3, $4, $5)");
        command.Parameters.Add(new() { Value = message.Id });
        command.Parameters.Add(new() { Value = message.Attempts });
        command.Parameters.Add(new() { Value = message.Failures });
        command.Parameters.Add(new() { Value = delay });
        command.Parameters.Add(new() { Value = Storable.Text(error) });
        await database.RunAsync(command, cancellation);
    }

    public async Task DeadLetterAsync(ClaimedMessage message, string reason, string detail, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select zfsha.bury_message($1, $2, $3, $4)");
        command.Parameters.Add(new() { Value = message.Id });
        command.Parameters.Add(new() { Value = message.Attempts });
        command.Parameters.Add(new() { Value = Storable.Text(reason) });
        command.Parameters.Add(new() { Value = Storable.Text(detail) });
        await database.RunAsync(command, cancellation);
    }

    public Task WaitAsync(string queue, TimeSpan longest, CancellationToken cancellation) => wakeUps.WaitAsync(queue, longest, cancellation);

    public bool Renew(string holder, Guid session)
    {
        using var command = database.CreateCommand("select zfsha.renew_lease($1, $2)");
        command.Parameters.Add(new() { Value = holder });
        command.Parameters.Add(new() { Value = session });
        return command.ExecuteScalar() is true;
    }

    public async Task<Guid> IncarnationAsync(CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("select id from zfsha.incarnations where ordinal = zfsha.current_incarnation()");
        return (Guid)(await command.ExecuteScalarAsync(cancellation))!;
    }

    public async Task<int> SettleIncarnationAsync(CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("select zfsha.settle_incarnation()");
        return (int)(await command.ExecuteScalarAsync(cancellation))!;
    }

    public async Task<IReadOnlyList<ExpiredLease>> WatchAsync(TimeSpan gap, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("select holder, session, renewed_at, lease_seconds from zfsha.watch_leases($1)");
        command.Parameters.Add(new() { Value = gap });
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var expired = new List<ExpiredLease>();
        while (await reader.ReadAsync(cancellation))
            expired.Add(new(reader.GetString(0), reader.GetGuid(1), reader.GetFieldValue<DateTimeOffset>(2), reader.GetDouble(3)));
        return expired;
    }

    // ---- dead letters, and what was handled ---------------------------------------------------------------------------

    const string LetterColumns = "id, queue, body::text, attempts, reason, detail, enqueued_at, dead_at";

    public async Task<IReadOnlyList<DeadLetter>> DeadLettersAsync(string? queue, int max, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            $"select {LetterColumns} from zfsha.dead_letters where $1 is null or queue = $1 order by dead_at desc, id limit $2");
        command.Parameters.Add(new() { Value = queue is null ? DBNull.Value : Storable.Text(queue), NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new() { Value = max });
        return await LettersAsync(command, cancellation);
    }

    public async Task<DeadLetter?> FindDeadLetterAsync(Guid id, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand($"select {LetterColumns} from zfsha.dead_letters where id = $1");
        command.Parameters.Add(new() { Value = id });
        return (await LettersAsync(command, cancellation)).SingleOrDefault();
    }

    public async Task<bool> ReplayAsync(Guid id, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            """
            with dead as (delete from zfsha.dead_letters where id = $1 returning id, queue, body),
                 put as (insert into zfsha.messages (id, queue, body) select id, queue, body from dead on conflict (id) do nothing)
            select queue from dead
            """);
        command.Parameters.Add(new() { Value = id });
        if (await command.ExecuteScalarAsync(cancellation) is not string queue) return false;

        wakeUps.Signal([queue]);
        return true;
    }

    public async Task<DeadLetter?> DiscardAsync(Guid id, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand($"delete from zfsha.dead_letters where id = $1 returning {LetterColumns}");
        command.Parameters.Add(new() { Value = id });
        return (await LettersAsync(command, cancellation)).SingleOrDefault();
    }

    public async Task<int> ForgetHandledAsync(TimeSpan olderThan, int max, CancellationToken cancellation)
    {
        // Several servers forget side by side: what another is at is its business, and nobody waits. The clock is read once, so that an index serves.
        await using var command = database.CreateCommand(
            """
            delete from zfsha.handled_messages h
             using (select key from zfsha.handled_messages where handled_at < (select clock_timestamp() - $1) order by handled_at limit $2 for update skip locked) as old
             where h.key = old.key
            """);
        command.Parameters.Add(new() { Value = olderThan });
        command.Parameters.Add(new() { Value = max });
        return await command.ExecuteNonQueryAsync(cancellation);
    }

    static async Task<IReadOnlyList<DeadLetter>> LettersAsync(NpgsqlCommand command, CancellationToken cancellation)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var letters = new List<DeadLetter>();
        while (await reader.ReadAsync(cancellation))
        {
            letters.Add(new(
                reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.GetInt32(3), reader.GetString(4), reader.GetString(5),
                reader.GetFieldValue<DateTimeOffset>(6), reader.GetFieldValue<DateTimeOffset>(7)));
        }

        return letters;
    }
}
