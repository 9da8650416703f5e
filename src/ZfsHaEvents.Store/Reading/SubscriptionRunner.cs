using Npgsql;
using NpgsqlTypes;

namespace ZfsHaEvents.Store.Reading;

/// <summary>
/// Runs one subscriber, page after page. Of all runners in all servers one holds the subscriber's lease; when it dies another takes over once
/// the lease is over. Whoever lost it meanwhile cannot move the place, so nothing is taken in twice.
/// </summary>
public sealed class SubscriptionRunner(NpgsqlDataSource database, ISubscriber subscriber, TimeSpan lease)
{
    /// <summary>How many events make a page.</summary>
    public const int Page = 5000;

    readonly Guid _runner = Guid.NewGuid();
    readonly EventReader _reader = new(database);
    Position _place;
    long _takenUntil; // By Environment.TickCount64; 0: not ours.

    /// <summary>The subscriber's name.</summary>
    public string Name => subscriber.Name;

    /// <summary>Takes in the next page.</summary>
    /// <returns>How many events were in it; 0 when there is nothing new; null when another runner has the subscriber, or it is paused.</returns>
    public async Task<int?> StepAsync(CancellationToken cancellation)
    {
        try
        {
            return await TakeStepAsync(cancellation);
        }
        catch
        {
            _takenUntil = 0; // Whether the place has moved is unknown, and what is remembered between pages may be ahead of it: both are read anew.
            throw;
        }
    }

    async Task<int?> TakeStepAsync(CancellationToken cancellation)
    {
        if (Environment.TickCount64 > _takenUntil && !await TakeAsync(cancellation)) return null;

        var page = await _reader.AfterAsync(_place, Page, cancellation);
        if (page.Count == 0)
        {
            await subscriber.CaughtUpAsync(_runner, cancellation);
            return 0;
        }

        var effects = await subscriber.TakeInAsync(page, cancellation);
        if (!await AdvanceAsync(page[^1].Position, effects, cancellation))
        {
            _takenUntil = 0;
            await subscriber.ResetAsync(cancellation);
            return null;
        }

        _place = page[^1].Position;
        return page.Count;
    }

    /// <summary>Lets another runner have it at once.</summary>
    public async Task LeaveAsync(CancellationToken cancellation)
    {
        _takenUntil = 0;
        await using var command = new NpgsqlCommand("select zfsha.leave_reader($1, $2)") { Parameters = { new() { Value = Name }, new() { Value = _runner } } };
        await database.RunAsync(command, cancellation);
    }

    async Task<bool> TakeAsync(CancellationToken cancellation)
    {
        var asked = Environment.TickCount64;
        await using var command = new NpgsqlCommand("select incarnation, transaction_id, seq_id, kept from zfsha.take_reader($1, $2, $3)")
        {
            Parameters = { new() { Value = Name }, new() { Value = _runner }, new() { Value = lease } },
        };
        Position place;
        bool kept;
        await using (var reader = await database.ReadAsync(command, cancellation))
        {
            if (!await reader.ReadAsync(cancellation))
            {
                _takenUntil = 0;
                return false;
            }

            (place, kept) = (new(reader.GetInt32(0), reader.GetFieldValue<ulong>(1), reader.GetInt64(2)), reader.GetBoolean(3));
        }

        // At half time it is taken anew: until then nobody else can have had it. After a failure what is remembered may be ahead of the place.
        if (place != _place || !kept || _takenUntil == 0) await subscriber.ResetAsync(cancellation);
        (_place, _takenUntil) = (place, asked + (long)lease.TotalMilliseconds / 2);
        return true;
    }

    async Task<bool> AdvanceAsync(Position to, Effects effects, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select zfsha.advance_reader($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)");
        var p = command.Parameters;
        void Add(object? value, NpgsqlDbType type) => p.Add(new() { Value = value ?? DBNull.Value, NpgsqlDbType = type });
        void Array<T, TValue>(IReadOnlyList<T> items, Func<T, TValue> value, NpgsqlDbType type) => Add(items.Select(value).ToArray(), NpgsqlDbType.Array | type);
        Add(Name, NpgsqlDbType.Text);
        Add(_runner, NpgsqlDbType.Uuid);
        Add(lease, NpgsqlDbType.Interval);
        foreach (var place in (Position[])[_place, to])
        {
            Add(place.Incarnation, NpgsqlDbType.Integer);
            Add(place.TransactionId, NpgsqlDbType.Xid8);
            Add(place.SeqId, NpgsqlDbType.Bigint);
        }

        Add(effects.Kind, NpgsqlDbType.Text);
        Array(effects.Documents, d => d.Id, NpgsqlDbType.Text);
        Array(effects.Documents, d => d.Json, NpgsqlDbType.Jsonb);
        Array(effects.Documents, d => d.Version, NpgsqlDbType.Bigint);
        Add(effects.DotnetType, NpgsqlDbType.Text);
        Array(effects.Parked, s => s.Stream, NpgsqlDbType.Text);
        Array(effects.Parked, s => s.Version, NpgsqlDbType.Bigint);
        Array(effects.Parked, s => s.Type, NpgsqlDbType.Text);
        Array(effects.Parked, s => Storable.Text(s.Error), NpgsqlDbType.Text);
        return await database.ScalarAsync(command, cancellation) is true;
    }
}
