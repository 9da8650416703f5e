using Npgsql;
using NpgsqlTypes;

namespace ZfsHaEvents.Store;

/// <summary>Queues and leases on PostgreSQL.</summary>
public sealed class PostgresMessageQueue(NpgsqlDataSource database, WakeUps wakeUps) : IMessageQueue, ILeases
{
    public async Task SendAsync(IReadOnlyList<NewMessage> messages, Guid? completes, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            """
            with completed as (delete from zfsha.messages where id = $1)
            insert into zfsha.messages (id, queue, body, due_at)
            select m.id, m.queue, m.body, clock_timestamp() + m.delay
              from unnest($2, $3, $4, $5) with ordinality as m (id, queue, body, delay, n)
             order by m.n
                on conflict (id) do nothing
            """);
        command.Parameters.Add(new() { Value = (object?)completes ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid });
        command.Parameters.Add(new() { Value = messages.Select(m => m.Id).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid });
        command.Parameters.Add(new() { Value = messages.Select(m => m.Queue).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        command.Parameters.Add(new() { Value = messages.Select(m => Storable.Json(m.Json)).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb });
        command.Parameters.Add(new() { Value = messages.Select(m => m.Delay).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Interval });
        await database.RunAsync(command, cancellation);
        wakeUps.Signal(messages.Where(m => m.Delay <= TimeSpan.Zero).Select(m => m.Queue));
    }

    public async Task<IReadOnlyList<ClaimedMessage>> ClaimAsync(string queue, int max, TimeSpan visibility, CancellationToken cancellation)
    {
        // A message waits for the earlier ones of its group that are due or taken. One that is only scheduled for later, and was
        // never taken, holds nobody up.
        await using var command = new NpgsqlCommand(
            """
            update zfsha.messages m
               set attempts = m.attempts + 1, due_at = clock_timestamp() + $3
              from (select id
                      from zfsha.messages c
                     where c.queue = $1 and c.due_at <= clock_timestamp()
                       and not exists (select 1 from zfsha.messages e
                                        where e.queue = c.queue and e.group_key = c.group_key and e.position < c.position
                                          and (e.attempts > 0 or e.due_at <= clock_timestamp()))
                     order by c.position limit $2
                       for update skip locked) as due
             where m.id = due.id
            returning m.id, m.queue, m.body::text, m.attempts, m.enqueued_at, clock_timestamp(), m.position
            """);
        command.Parameters.Add(new() { Value = queue });
        command.Parameters.Add(new() { Value = max });
        command.Parameters.Add(new() { Value = visibility });
        await using var reader = await database.ReadAsync(command, cancellation);
        var claimed = new List<(long Position, ClaimedMessage Message)>();
        while (await reader.ReadAsync(cancellation))
        {
            claimed.Add((reader.GetInt64(6), new(
                reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.GetInt32(3), reader.GetFieldValue<DateTimeOffset>(4), reader.GetFieldValue<DateTimeOffset>(5))));
        }

        return [.. claimed.OrderBy(c => c.Position).Select(c => c.Message)];
    }

    public async Task ExtendAsync(IReadOnlyList<ClaimedMessage> messages, TimeSpan visibility, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            """
            update zfsha.messages m set due_at = clock_timestamp() + $3
              from unnest($1, $2) as k (id, attempts) where m.id = k.id and m.attempts = k.attempts
            """);
        command.Parameters.Add(new() { Value = messages.Select(m => m.Id).ToArray() });
        command.Parameters.Add(new() { Value = messages.Select(m => m.Attempts).ToArray() });
        command.Parameters.Add(new() { Value = visibility });
        await command.ExecuteNonQueryAsync(cancellation);
    }

    public async Task RetryAsync(ClaimedMessage message, TimeSpan delay, string error, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            "update zfsha.messages set due_at = clock_timestamp() + $3, last_error = $4 where id = $1 and attempts = $2");
        command.Parameters.Add(new() { Value = message.Id });
        command.Parameters.Add(new() { Value = message.Attempts });
        command.Parameters.Add(new() { Value = delay });
        command.Parameters.Add(new() { Value = Storable.Text(error) });
        await command.ExecuteNonQueryAsync(cancellation);
    }

    public async Task DeadLetterAsync(ClaimedMessage message, string reason, string detail, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            """
            with dead as (delete from zfsha.messages where id = $1 and attempts = $2 returning id, queue, body, attempts, enqueued_at)
            insert into zfsha.dead_letters (id, queue, body, attempts, reason, detail, enqueued_at)
            select id, queue, body, attempts, $3, $4, enqueued_at from dead
                on conflict (id) do nothing
            """);
        command.Parameters.Add(new() { Value = message.Id });
        command.Parameters.Add(new() { Value = message.Attempts });
        command.Parameters.Add(new() { Value = Storable.Text(reason) });
        command.Parameters.Add(new() { Value = Storable.Text(detail) });
        await command.ExecuteNonQueryAsync(cancellation);
    }

    public async Task<IReadOnlyList<DeadLetter>> DeadLettersAsync(int max, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            "select id, queue, body::text, attempts, reason, detail, enqueued_at, dead_at from zfsha.dead_letters order by dead_at desc, id limit $1");
        command.Parameters.Add(new() { Value = max });
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
}
