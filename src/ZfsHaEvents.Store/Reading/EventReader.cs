using Npgsql;
using NpgsqlTypes;

namespace ZfsHaEvents.Store.Reading;

/// <summary>Reads the events of all streams: each once, none left out, and those of a stream in order of version.</summary>
public sealed class EventReader(NpgsqlDataSource database)
{
    /// <summary>Up to <paramref name="max"/> events after a place. Those that a running transaction may still precede are not among them yet.</summary>
    public async Task<IReadOnlyList<PlacedEvent>> AfterAsync(Position place, int max, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            $"""
            select {PostgresEventStore.EventColumns}, incarnation, transaction_id, seq_id, by_others from zfsha.mt_events
             where (incarnation, transaction_id, seq_id) > ($1, $2, $3)
               and (incarnation, transaction_id) < ((select zfsha.current_incarnation()), (select pg_snapshot_xmin(pg_current_snapshot())))
             order by incarnation, transaction_id, seq_id limit $4
            """);
        command.Parameters.Add(new() { Value = place.Incarnation });
        command.Parameters.Add(new() { Value = place.TransactionId, NpgsqlDbType = NpgsqlDbType.Xid8 });
        command.Parameters.Add(new() { Value = place.SeqId });
        command.Parameters.Add(new() { Value = max });
        await using var reader = await database.ReadAsync(command, cancellation);
        var events = new List<PlacedEvent>();
        while (await reader.ReadAsync(cancellation))
            events.Add(new(new(reader.GetInt32(11), reader.GetFieldValue<ulong>(12), reader.GetInt64(13)), PostgresEventStore.ReadEvent(reader), reader.GetBoolean(14)));
        return events;
    }
}
