using Npgsql;
using Xunit;

namespace ZfsHaEvents.Store.Tests;

/// <summary>The contract on a real PostgreSQL.</summary>
public sealed class PostgresStoreTests(PostgresStoreTests.OneDatabase one) : StoreContract, IClassFixture<PostgresStoreTests.OneDatabase>, IAsyncLifetime
{
    protected override IEventStore Store => one.Store;

    protected override IMessageQueue Queue => one.Queue;

    protected override ILeases Leases => one.Queue;

    public async ValueTask InitializeAsync() => await one.EmptyAsync();

    protected override Task PassAsync(TimeSpan time) => DatabaseClock.PassAsync(one.ConnectionString, time);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>The tests of a class run one after the other, so one database serves them all. It is emptied between them.</summary>
    public sealed class OneDatabase(TestDatabases databases) : IAsyncLifetime
    {
        NpgsqlDataSource? _database;
        WakeUps? _wakeUps;

        public string ConnectionString { get; private set; } = "";

        public PostgresEventStore Store { get; private set; } = null!;

        public PostgresMessageQueue Queue { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            ConnectionString = await databases.WithSchemaAsync();
            _database = PostgresConnection.Open(ConnectionString, "store tests");
            _wakeUps = new(_database);
            (Store, Queue) = (new(_database, _wakeUps), new(_database, _wakeUps, Overtaking));
        }

        public Task EmptyAsync() => DatabaseClock.ExecuteAsync(ConnectionString,
            """
            set session_replication_role = replica; -- Events are never deleted otherwise.
            truncate zfsha.mt_streams, zfsha.mt_events, zfsha.late_events, zfsha.mt_doc_poolownership, zfsha.mt_doc_dossier, zfsha.mt_doc_alert, zfsha.mt_doc_hostview, zfsha.mt_doc_poolactivity,
                     zfsha.messages, zfsha.handled_messages, zfsha.dead_letters, zfsha.leases;
            set session_replication_role = default;
            update test_clock.passed set amount = '0';
            update zfsha.lease_watch set ticked_at = clock_timestamp(), grace_from = clock_timestamp();
            """);

        public async ValueTask DisposeAsync()
        {
            if (_wakeUps is not null) await _wakeUps.DisposeAsync();
            if (_database is not null) await _database.DisposeAsync();
        }
    }
}
