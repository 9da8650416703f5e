using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Server;
using ZfsHaEvents.Server.Running;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Benchmarks.Store;

/// <summary>An event in the order of recording.</summary>
/// <param name="BeginsTransaction">It was recorded in a transaction of its own, or is the first of several in one.</param>
sealed record Generated(string Stream, long Version, NewEvent Event, DateTimeOffset RecordedAt, string Causation, bool BeginsTransaction);

/// <summary>
/// Two years of pools that go from host to host, from a seed: the same seed and size give the same store. <see cref="Big"/> has a tenth of all events; in it
/// some types and most hosts are rare, which is what a filter is worst at.
/// </summary>
sealed class Generator(int seed, int events)
{
    public const int Pools = 400, Hosts = 40, Big = 0;

    public static readonly DateTimeOffset Begin = new(2024, 3, 1, 0, 0, 0, TimeSpan.Zero), End = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    public static PoolGuid PoolOf(int pool) => new(9_000_000_000_000_000_001UL + (ulong)pool * 7919);

    public static HostName HostOf(int host) => new(string.Create(CultureInfo.InvariantCulture, $"oss-{host + 1:00}"));

    /// <summary>Which hosts speak of a pool: four, and of the big one all.</summary>
    public static IReadOnlyList<HostName> HostsOf(int pool) =>
        [.. (pool == Big ? Enumerable.Range(0, Hosts) : Enumerable.Range(0, 4).Select(h => (pool / 4 * 4 + h) % Hosts)).Select(HostOf)];

    /// <summary>One pool's history.</summary>
    public IEnumerable<Generated> PoolHistory(int pool, int count) => new PoolStory(new Random(HashCode(seed, pool)), pool, count).Events();

    /// <summary>Everything, in the order of recording.</summary>
    public IEnumerable<Generated> Events()
    {
        // A thousandth is about hosts, a tenth about the big pool; the other pools share the rest, some with twice as much as others.
        var (hosts, big) = (Math.Max(1, events / 1000 / Hosts), events / 10);
        var weights = new Random(seed);
        var shares = Enumerable.Range(1, Pools - 1).Select(_ => weights.NextDouble() + 0.75).ToList();
        var rest = events - hosts * Hosts - big;
        var counts = shares.Select(s => (int)(s / shares.Sum() * rest)).ToList();
        counts[^1] += rest - counts.Sum();

        var merged = new PriorityQueue<IEnumerator<Generated>, DateTimeOffset>();
        void Add(IEnumerator<Generated> one)
        {
            if (one.MoveNext()) merged.Enqueue(one, one.Current.RecordedAt);
        }

        Add(PoolHistory(Big, big).GetEnumerator());
        for (var pool = 1; pool < Pools; pool++) Add(PoolHistory(pool, counts[pool - 1]).GetEnumerator());
        for (var host = 0; host < Hosts; host++) Add(new HostStory(new Random(HashCode(seed, Pools + host)), HostOf(host), hosts).Events().GetEnumerator());
        while (merged.TryDequeue(out var next, out _))
        {
            yield return next.Current;
            Add(next);
        }
    }

    /// <summary>Writes all of it into a database that has the schema and nothing else.</summary>
    /// <returns>How many events.</returns>
    public async Task<long> WriteAsync(NpgsqlDataSource database, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await ExecuteAsync(connection, "set session_replication_role = replica", cancellation); // Every column is given: neither triggers nor foreign keys have anything to do.
        var transaction = (ulong)(long)(await ScalarAsync(connection, "select pg_current_xact_id()::text::bigint", cancellation))!;
        var first = transaction;
        var streams = new Dictionary<string, (string Type, DateTimeOffset Created, DateTimeOffset Changed, long Version, DateTimeOffset High)>();
        long sequence = 0;

        // Emptied in the same transaction, tables take rows frozen, and at wal_level=minimal without writing them twice.
        await using var writing = await connection.BeginTransactionAsync(cancellation);
        await ExecuteAsync(connection, "set local maintenance_work_mem = '256MB'; truncate zfsha.mt_events, zfsha.mt_streams, zfsha.late_events", cancellation);

        // Sorted at the end, an index is made in a fifth of the time that it takes entry by entry.
        var indexes = await IndexesAsync(connection, cancellation);
        foreach (var (name, _) in indexes) await ExecuteAsync(connection, $"drop index {name}", cancellation);
        await using (var copy = await connection.BeginBinaryImportAsync(
            """
            copy zfsha.mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, correlation_id, causation_id, headers, user_name, is_archived,
                                  transaction_id, incarnation, observed_at, high_at, host) from stdin (format binary, freeze)
            """, cancellation))
        {
            copy.Timeout = Timeout.InfiniteTimeSpan;
            foreach (var one in Events())
            {
                if (one.BeginsTransaction) transaction++;
                var created = streams.TryGetValue(one.Stream, out var known) ? known.Created : one.RecordedAt;
                if (one.Version != known.Version + 1) throw new InvalidOperationException($"version {one.Version} of {one.Stream} comes after {known.Version}");
                var high = one.Event.ObservedAt > known.High ? one.Event.ObservedAt : known.High;
                streams[one.Stream] = (one.Stream[..one.Stream.IndexOf('-', StringComparison.Ordinal)], created, one.RecordedAt, one.Version, high);
                await copy.StartRowAsync(cancellation);
                await copy.WriteAsync(++sequence, NpgsqlDbType.Bigint, cancellation);
                await copy.WriteAsync(one.Event.Id, NpgsqlDbType.Uuid, cancellation);
                await copy.WriteAsync(one.Stream, NpgsqlDbType.Varchar, cancellation);
                await copy.WriteAsync(one.Version, NpgsqlDbType.Bigint, cancellation);
                await copy.WriteAsync(one.Event.Json, NpgsqlDbType.Jsonb, cancellation);
                await copy.WriteAsync(one.Event.Type, NpgsqlDbType.Varchar, cancellation);
                await copy.WriteAsync(one.RecordedAt.UtcDateTime, NpgsqlDbType.TimestampTz, cancellation);
                await copy.WriteAsync("*DEFAULT*", NpgsqlDbType.Varchar, cancellation);
                await copy.WriteAsync(one.Event.DotnetType, NpgsqlDbType.Varchar, cancellation);
                if (one.Event.Correlation is { } correlation) await copy.WriteAsync(correlation, NpgsqlDbType.Varchar, cancellation);
                else await copy.WriteNullAsync(cancellation);
                await copy.WriteAsync(one.Causation, NpgsqlDbType.Varchar, cancellation);
                await copy.WriteAsync(one.Event.HeadersJson, NpgsqlDbType.Jsonb, cancellation);
                await copy.WriteAsync(one.Event.Actor, NpgsqlDbType.Varchar, cancellation);
                await copy.WriteAsync(false, NpgsqlDbType.Boolean, cancellation);
                await copy.WriteAsync(transaction, NpgsqlDbType.Xid8, cancellation);
                await copy.WriteAsync(1, NpgsqlDbType.Integer, cancellation);
                await copy.WriteAsync(one.Event.ObservedAt.UtcDateTime, NpgsqlDbType.TimestampTz, cancellation);
                await copy.WriteAsync(high.UtcDateTime, NpgsqlDbType.TimestampTz, cancellation);
                if (HostIn(one.Event.HeadersJson) is { } host) await copy.WriteAsync(host, NpgsqlDbType.Varchar, cancellation);
                else await copy.WriteNullAsync(cancellation);
            }

            await copy.CompleteAsync(cancellation);
        }

        await using (var copy = await connection.BeginBinaryImportAsync("copy zfsha.mt_streams (id, type, version, timestamp, created) from stdin (format binary, freeze)", cancellation))
        {
            foreach (var (id, stream) in streams)
            {
                await copy.StartRowAsync(cancellation);
                await copy.WriteAsync(id, NpgsqlDbType.Varchar, cancellation);
                await copy.WriteAsync(stream.Type, NpgsqlDbType.Varchar, cancellation);
                await copy.WriteAsync(stream.Version, NpgsqlDbType.Bigint, cancellation);
                await copy.WriteAsync(stream.Changed.UtcDateTime, NpgsqlDbType.TimestampTz, cancellation);
                await copy.WriteAsync(stream.Created.UtcDateTime, NpgsqlDbType.TimestampTz, cancellation);
            }

            await copy.CompleteAsync(cancellation);
        }

        foreach (var (_, definition) in indexes) await ExecuteAsync(connection, definition, cancellation);
        await ExecuteAsync(
            connection,
            "insert into zfsha.late_events (stream_id, observed_at, version) select e.stream_id, e.observed_at, e.version from zfsha.mt_events e where e.high_at > e.observed_at + interval '10 minutes'",
            cancellation);
        await writing.CommitAsync(cancellation);

        // Readers go by transaction ids and believe only past ones: as many are used up as the events claim.
        await ExecuteAsync(connection, string.Create(CultureInfo.InvariantCulture,
            $"do $$ begin for i in 1 .. {transaction - first} loop perform pg_current_xact_id(); commit; end loop; end $$"), cancellation);
        await ExecuteAsync(connection, $"select setval('zfsha.mt_events_sequence', {sequence})", cancellation);
        await ExecuteAsync(connection, "vacuum (analyze) zfsha.mt_events, zfsha.mt_streams, zfsha.late_events", cancellation);
        await ExecuteAsync(connection, "reset session_replication_role", cancellation);
        return sequence;
    }

    /// <summary>The indexes of the events that are no constraints, and what makes them.</summary>
    static async Task<IReadOnlyList<(string Name, string Definition)>> IndexesAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            "select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index where indrelid = 'zfsha.mt_events'::regclass and not indisprimary", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var indexes = new List<(string, string)>();
        while (await reader.ReadAsync(cancellation)) indexes.Add((reader.GetString(0), reader.GetString(1)));
        return indexes;
    }

    static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellation);
    }

    static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(cancellation);
    }

    static string? HostIn(string headers)
    {
        using var json = JsonDocument.Parse(headers);
        return json.RootElement.TryGetProperty("host", out var host) ? host.GetString() : null;
    }

    /// <summary>The framework's own is another one in each process.</summary>
    static int HashCode(int one, int other) => unchecked((one * 397 ^ other) * 16777619);

    static Guid NextGuid(Random random)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, random.NextInt64());
        BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], random.NextInt64());
        return new(bytes);
    }

    static string NextTrace(Random random) => string.Create(CultureInfo.InvariantCulture, $"00-{random.NextInt64():x16}{random.NextInt64():x16}-{random.NextInt64():x16}-01");

    /// <summary>What happens to one pool, episode by episode, spread over the two years.</summary>
    sealed class PoolStory(Random random, int pool, int count)
    {
        readonly PoolGuid _guid = PoolOf(pool);
        readonly string _stream = StreamRunner.StreamOf(PoolOf(pool));
        readonly IReadOnlyList<HostName> _hosts = HostsOf(pool);
        readonly Dictionary<HostName, (BootId Boot, long Sequence)> _boots = [];
        readonly string[] _leaves = [Leaf(pool, 1), Leaf(pool, 2), Leaf(pool, 3), Leaf(pool, 4)];
        int _holder;
        Epoch _epoch = Epoch.None;
        PoolHealth _health = PoolHealth.Online;
        int _moves;

        /// <summary>What happens in an episode: an event; who saw it, null when the server decided it; what it belongs to; how long after the last.</summary>
        readonly record struct Beat(PoolEvent Event, HostName? By = null, RequestId? Request = null, double AfterSeconds = 0, bool WithLast = false);

        HostName Holder => _hosts[_holder];

        /// <summary>Four hosts take turns at holding it; the others of the big pool's only look, and seldom.</summary>
        HostName Other() => _hosts[(_holder + 1 + random.Next(3)) % 4];

        public IEnumerable<Generated> Events()
        {
            var now = Begin;
            long version = 0;
            string causation = "", trace = "";
            foreach (var beat in Episodes(() => version))
            {
                if (beat.AfterSeconds < 0) now = Max(now, Begin + (End - Begin) * ((version + random.NextDouble()) / count)); // A new episode.
                else now += TimeSpan.FromMilliseconds(1 + beat.AfterSeconds * 1000 * (0.8 + 0.4 * random.NextDouble()));
                var stamp = new Stamp(now, null, null, null, "zfsha-server", Late: false);
                if (beat.By is { } host)
                {
                    var (boot, sequence) = _boots.TryGetValue(host, out var known) ? known : (new(NextGuid(random)), 0);
                    _boots[host] = (boot, sequence + 1);
                    var late = random.Next(300) == 0; // It lay on the host's spool, for a second or for up to half a day: more than ten minutes two times in five.
                    var seen = now - TimeSpan.FromSeconds(late ? Math.Exp(random.NextDouble() * Math.Log(12 * 3600)) : 0.005 + random.NextDouble() * 0.045);
                    stamp = new(seen, host, boot, sequence + 1, "zfsha-agent", late);
                }

                if (!beat.WithLast)
                {
                    causation = string.Create(CultureInfo.InvariantCulture, $"{stamp.Actor}#{random.NextInt64():x16}");
                    trace = NextTrace(random);
                }

                var recorded = new Recorded<PoolEvent>(new(NextGuid(random)), ++version, now, stamp, beat.Event);
                yield return new(_stream, version, Codec.Write(recorded, beat.Request?.Value, trace), now, causation, !beat.WithLast);
                if (version == count) yield break;
            }
        }

        static DateTimeOffset Max(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;

        IEnumerable<Beat> Episodes(Func<long> version)
        {
            yield return new(new PoolDiscovered(_guid, new(string.Create(CultureInfo.InvariantCulture, $"tank{pool}")), Holder), Holder);
            yield return new(new PoolObserved(Holder, Held()), Holder, WithLast: true);
            yield return new(Claim(ClaimBasis.Discovered), WithLast: true);
            while (version() < count)
            {
                var first = true;
                foreach (var beat in Episode())
                {
                    yield return first ? beat with { AfterSeconds = -1 } : beat;
                    first = false;
                }
            }
        }

        IEnumerable<Beat> Episode() => random.Next(10_000) switch
        {
            < 5 => Rare(),
            < 55 => Seldom(),
            < 300 => Failover(),
            < 700 => ByHand(),
            < 2500 => Switchover(),
            < 4000 => Scan(),
            _ => Look(),
        };

        PoolSight Held() => new(PoolPresence.ReadWrite, _health, Multihost: true, _leaves);

        OwnershipClaimed Claim(ClaimBasis basis) => new(Holder, _epoch = _epoch.Next(), basis);

        static string Leaf(int pool, int number) => string.Create(CultureInfo.InvariantCulture, $"/dev/disk/by-id/wwn-0x5000c500{pool:x4}{number:x4}");

        static ZpoolRun Run(double seconds, params string[] arguments) => new(["zpool", .. arguments], 0, ZpoolFailure.None, "", seconds, Ended: true);

        RequestId NextMove() => new(string.Create(CultureInfo.InvariantCulture, $"move-{pool}-{++_moves}"));

        IEnumerable<Beat> Look()
        {
            if (_hosts.Count > 4 && random.Next(200) == 0)
            {
                var far = _hosts[4 + random.Next(_hosts.Count - 4)];
                yield return new(new PoolObserved(far, PoolSight.Absent), far);
                yield break;
            }

            if (random.Next(3) > 0)
            {
                var other = Other();
                yield return new(new PoolObserved(other, PoolSight.Absent), other);
                yield break;
            }

            var before = _health;
            _health = before is PoolHealth.Online ? PoolHealth.Degraded : PoolHealth.Online;
            yield return new(new PoolObserved(Holder, Held()), Holder);
            yield return new(new PoolHealthChanged(Holder, before, _health), Holder, WithLast: true);
        }

        IEnumerable<Beat> Scan()
        {
            var host = Other();
            yield return new(new PoolLockAcquired(host, null, "scan", 0.001), host);
            yield return new(new PoolScanned(host, null, new(LabelState.Active, $"tank{pool}", new(0x5a5a0000u + (uint)_holder), Holder.Value, 4_000_000, MmpActive: true, 4, 4), "", 0.25), host, AfterSeconds: 0.3);
            yield return new(new PoolLockReleased(host, null, "scan", 0.3), host, AfterSeconds: 0.01);
        }

        IEnumerable<Beat> Switchover()
        {
            var (move, from, to) = (NextMove(), Holder, Other());
            yield return new(new SwitchoverRequested(move, to, "alice", "maintenance"), null, move);
            yield return new(new SwitchoverStarted(move, from, to, _epoch), null, move, WithLast: true);
            foreach (var beat in Export(move, from)) yield return beat;
            _holder = _hosts.ToList().IndexOf(to);
            foreach (var beat in Import(move, to, ClaimBasis.Switchover, failover: false)) yield return beat;
            yield return new(new SwitchoverCompleted(move, to, _epoch, 1.6), null, move, WithLast: true);
        }

        IEnumerable<Beat> Export(RequestId move, HostName from)
        {
            var order = new OrderId($"{move}/{_guid}/Export/1");
            yield return new(new SwitchoverStepStarted(move, MoveStep.Export, from, order, new(NextGuid(random)), new(NextGuid(random))), null, move, WithLast: true);
            yield return new(new PoolLockAcquired(from, order, "export", 0.001), from, move, 0.02);
            yield return new(new ExportStarted(from, order, ["zpool", "export", _guid.ToString()], null), from, move, 0.01);
            yield return new(new ExportSucceeded(from, order, Run(0.5, "export", _guid.ToString()), PoolSight.Absent, 0.5), from, move, 0.5);
            yield return new(new PoolLockReleased(from, order, "export", 0.55), from, move, 0.01);
            yield return new(new SwitchoverStepDone(move, MoveStep.Export, 0.6, 0.5, ""), null, move, WithLast: true);
            yield return new(new OwnershipReleased(from, _epoch), null, move, WithLast: true);
        }

        IEnumerable<Beat> Import(RequestId move, HostName to, ClaimBasis basis, bool failover)
        {
            var order = new OrderId($"{move}/{_guid}/Import/1");
            var (session, boot, seconds) = (new SessionId(NextGuid(random)), new BootId(NextGuid(random)), failover ? 39.0 : 0.9);
            yield return new(Claim(basis), null, move, WithLast: true);
            yield return new(
                failover ? new FailoverStepStarted(move, MoveStep.Import, to, order, session, boot) : new SwitchoverStepStarted(move, MoveStep.Import, to, order, session, boot),
                null, move, WithLast: true);
            yield return new(new PoolLockAcquired(to, order, "import", 0.001), to, move, 0.02);
            yield return new(new ImportStarted(to, order, ["zpool", "import", "-o", "cachefile=none", _guid.ToString()], null), to, move, 0.01);
            yield return new(new ImportSucceeded(to, order, Run(seconds, "import", "-o", "cachefile=none", _guid.ToString()), Held(), seconds), to, move, seconds);
            yield return new(new PoolLockReleased(to, order, "import", seconds), to, move, 0.01);
            yield return new(
                failover ? new FailoverStepDone(move, MoveStep.Import, seconds, seconds, "") : new SwitchoverStepDone(move, MoveStep.Import, seconds, seconds, ""),
                null, move, WithLast: true);
        }

        IEnumerable<Beat> Failover()
        {
            var (move, lost, to) = (NextMove(), Holder, Other());
            yield return new(new OwnershipUnverified(Doubt.HostLost, [lost]));
            yield return new(new FailoverRequested(move, to, "bob", $"{lost} is gone"), null, move, 30);
            yield return new(new FailoverStarted(move, lost, to, _epoch), null, move, WithLast: true);
            yield return new(new FailoverStepStarted(move, MoveStep.Fence, null, null, null, null), null, move, WithLast: true);
            yield return new(new FencingConfirmed(new($"{move}-fenced"), lost, "bob", "powered off at the rack"), null, move, 60);
            yield return new(new FailoverStepDone(move, MoveStep.Fence, 60, 0, ""), null, move, WithLast: true);
            _holder = _hosts.ToList().IndexOf(to);
            foreach (var beat in Import(move, to, ClaimBasis.Takeover, failover: true)) yield return beat;
            yield return new(new FailoverCompleted(move, to, _epoch, 100), null, move, WithLast: true);
            _boots[lost] = (new(NextGuid(random)), 0);
            yield return new(new PoolObserved(lost, PoolSight.Absent), lost, null, 300);
            yield return new(new OwnershipVerified(to, _epoch), WithLast: true);
        }

        /// <summary>Exported and imported again by hand on the same host.</summary>
        IEnumerable<Beat> ByHand()
        {
            var host = Holder;
            yield return new(new PoolLockAcquired(host, null, "export", 0.001), host);
            yield return new(new ExportStarted(host, null, ["zpool", "export", _guid.ToString()], "new cabling"), host, null, 0.01);
            yield return new(new ExportSucceeded(host, null, Run(0.5, "export", _guid.ToString()), PoolSight.Absent, 0.5), host, null, 0.5);
            yield return new(new ImportStarted(host, null, ["zpool", "import", _guid.ToString()], "new cabling"), host, null, 60);
            yield return new(new ImportSucceeded(host, null, Run(0.9, "import", _guid.ToString()), Held(), 0.9), host, null, 0.9);
            yield return new(new PoolLockReleased(host, null, "import", 61), host, null, 0.01);
        }

        IEnumerable<Beat> Seldom()
        {
            var move = NextMove();
            yield return new(new SwitchoverRequested(move, Holder, "carol", null), null, move);
            yield return new(new SwitchoverRefused(move, Refusal.AlreadyHeldByTarget, $"{Holder} holds it"), null, move, WithLast: true);
        }

        IEnumerable<Beat> Rare()
        {
            var host = Other();
            switch (random.Next(4))
            {
                case 0:
                    yield return new(new PolicySet(NextMove(), new(Automatic: true, FencingMethod.MmpAlone, [host]), "alice"));
                    break;
                case 1:
                    var run = new ZpoolRun(["zpool", "import", _guid.ToString()], 1, ZpoolFailure.ActiveElsewhere, $"cannot import 'tank{pool}': pool is imported on {Holder}", 25, Ended: true);
                    yield return new(new ImportStarted(host, null, ["zpool", "import", _guid.ToString()], null), host);
                    yield return new(new ImportRefused(host, null, ZpoolFailure.ActiveElsewhere, run, PoolSight.Absent, 25), host, null, 25);
                    break;
                case 2:
                    yield return new(new PoolObserved(host, Held()), host);
                    yield return new(new ConflictDetected([Holder, host], [new(NextGuid(random)), new(NextGuid(random))]), WithLast: true);
                    yield return new(new PoolObserved(host, PoolSight.Absent), host, null, 20);
                    yield return new(new ConflictCleared(Holder), WithLast: true);
                    break;
                default:
                    yield return new(new PoolLockTimedOut(host, null, "import", 10, "pid 4711 zfsha-agent"), host);
                    break;
            }
        }
    }

    /// <summary>A host comes, is lost now and then, and comes back.</summary>
    sealed class HostStory(Random random, HostName host, int count)
    {
        public IEnumerable<Generated> Events()
        {
            var stream = StreamRunner.StreamOf(host);
            var session = new SessionId(NextGuid(random));
            for (var version = 1; version <= count; version++)
            {
                var now = Begin + (End - Begin) * ((version - 1 + random.NextDouble()) / count);
                HostEvent happened = version switch
                {
                    1 => new HostRegistered(host, new((uint)random.Next())),
                    _ when version % 3 == 2 => new HostSessionOpened(host, session = new(NextGuid(random)), new(NextGuid(random)), new((uint)random.Next()), "0.1.0", []),
                    _ when version % 3 == 0 => new HostLeaseLost(host, session, now.AddSeconds(-2.6), 2.5),
                    _ => new HostReturned(host, session, Rebooted: true, 300),
                };
                var stamp = new Stamp(now, null, null, null, "zfsha-server", Late: false);
                var recorded = new Recorded<HostEvent>(new(NextGuid(random)), version, now, stamp, happened);
                yield return new(stream, version, Codec.Write(recorded, null, NextTrace(random)), now, string.Create(CultureInfo.InvariantCulture, $"zfsha-server#{random.NextInt64():x16}"), BeginsTransaction: true);
            }
        }
    }
}
