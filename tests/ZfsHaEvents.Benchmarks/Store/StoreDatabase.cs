using System.Diagnostics.CodeAnalysis;
using Npgsql;
using ZfsHaEvents.Store;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Benchmarks.Store;

/// <summary>
/// A PostgreSQL of its own, with the product's schema applied, that keeps what it has acknowledged: fsync and full_page_writes on and the rest as it comes,
/// but for 256 MB of shared buffers and pg_stat_statements, by which time inside statements is told from time around them.
/// </summary>
sealed class StoreDatabase : IAsyncDisposable
{
    const string Name = "store";

    readonly PostgresServer _server;
    readonly List<NpgsqlDataSource> _opened = [];

    StoreDatabase(PostgresServer server) => _server = server;

    public string SocketDirectory => _server.Host;

    public string ConnectionString => _server.ConnectionString(Name);

    /// <param name="settings">Further settings of the server, as <c>name=value</c>.</param>
    public static async Task<StoreDatabase> StartAsync(CancellationToken cancellation, params string[] settings)
    {
        var database = new StoreDatabase(await PostgresServer.StartAsync(
            ["fsync=on", "full_page_writes=on", "max_connections=100", "shared_buffers=256MB", "shared_preload_libraries=pg_stat_statements", .. settings]));
        await database._server.CreateDatabaseAsync(Name);
        await PostgresSchema.ApplyAsync(database.Open(), cancellation);
        await database.ExecuteAsync("create extension pg_stat_statements", cancellation);
        return database;
    }

    /// <summary>A data source as the product opens one; it lives as long as this.</summary>
    public NpgsqlDataSource Open()
    {
        var source = PostgresConnection.Open(ConnectionString, "benchmark");
        _opened.Add(source);
        return source;
    }

    /// <summary>Runs statements without a time limit.</summary>
    [SuppressMessage("Security", "CA2100", Justification = "Constants of the benchmarks.")]
    public async Task ExecuteAsync(string sql, CancellationToken cancellation)
    {
        await using var connection = await _opened[0].OpenConnectionAsync(cancellation);
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>
    /// Before each measurement: what was written before is on the disk, so that nobody writes it down meanwhile, and statements are timed from here on.
    /// Without it a floor after a hundred thousand events would be a third of what it is.
    /// </summary>
    public async Task SettleAsync(CancellationToken cancellation)
    {
        await ExecuteAsync("checkpoint", cancellation);
        await ExecuteAsync("select pg_stat_statements_reset()", cancellation);
    }

    /// <summary>The mean time in µs inside the statement that was run most often since all was settled; neither its commit nor the way to the server and back are in it.</summary>
    public async Task<double> StatementMicrosecondsAsync(CancellationToken cancellation)
    {
        await using var command = _opened[0].CreateCommand("select mean_exec_time * 1000 from pg_stat_statements order by calls desc limit 1");
        return (double)(await command.ExecuteScalarAsync(cancellation))!;
    }

    /// <summary>Processor seconds that the server and all its backends, living and ended, have taken.</summary>
    public double CpuSeconds()
    {
        var (own, ended) = ProcessUse.CpuSeconds(_server.Pid);
        return own + ended + ProcessUse.ChildrenOf(_server.Pid).Sum(Own);

        static double Own(int child)
        {
            try
            {
                return ProcessUse.CpuSeconds(child).Own;
            }
            catch (IOException)
            {
                return 0; // It ended just now; its time is the server's at the next look.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var source in _opened) await source.DisposeAsync();
        await _server.DisposeAsync();
    }
}
