using Npgsql;

namespace ZfsHaEvents.Store;

/// <summary>Opens data sources with the settings that the store relies on, wherever the connection string does not say otherwise.</summary>
public static class PostgresConnection
{
    /// <param name="connectionString">Npgsql's: <c>Host=/run/zfsha/postgres;Database=zfsha</c>, several hosts permitted.</param>
    /// <param name="application">Shown in <c>pg_stat_activity</c>.</param>
    /// <exception cref="ArgumentException">The connection string cannot be read; the message says where.</exception>
    public static NpgsqlDataSource Open(string connectionString, string application)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = application,
            NoResetOnClose = true, // We leave no session state behind; DISCARD ALL would cost a round trip each time.
        };
        settings.MaxAutoPrepare = 0; // Even when asked for: PreparedStatements says why.
        // ContainsKey would be true of every keyword that exists; this is true of those that were given.
        if (!settings.ShouldSerialize("Timeout")) settings.Timeout = 5;
        if (!settings.ShouldSerialize("Command Timeout")) settings.CommandTimeout = 15;
        return new NpgsqlDataSourceBuilder(settings.ConnectionString).Build();
    }

    /// <summary>
    /// For renewing leases: a call that hangs must be given up and made anew on another connection before the lease runs out, which by default
    /// lasts 2.5 s. Connecting may take longer: a host under load needs the time, and a call that hangs has a connection already.
    /// </summary>
    /// <exception cref="ArgumentException">The connection string cannot be read.</exception>
    public static NpgsqlDataSource OpenForLeases(string connectionString, string application) =>
        Open(new NpgsqlConnectionStringBuilder(connectionString) { Timeout = 2, CommandTimeout = 1, CancellationTimeout = -1, MaxPoolSize = 2 }.ConnectionString, application);
}
