using Npgsql;

namespace ZfsHaEvents.Store;

/// <summary>Opens data sources with the settings that the store relies on, wherever the connection string does not say otherwise.</summary>
public static class PostgresConnection
{
    /// <summary>
    /// Of several hosts the primary is used, whichever it is at the time. Npgsql remembers which host was what, and asks again when that is older than
    /// <c>Host Recheck Seconds</c> (2 here, 10 by default): so long a promoted standby can still be passed over. As often a host that does not even refuse
    /// is tried again, which takes <c>Timeout</c>.
    /// </summary>
    /// <param name="connectionString">Npgsql's: <c>Host=/run/zfsha/postgres;Database=zfsha</c>, several hosts permitted: <c>Host=db1,db2:5433</c>.</param>
    /// <param name="application">Shown in <c>pg_stat_activity</c>.</param>
    /// <exception cref="ArgumentException">The connection string cannot be read, or asks for a standby; the message says where.</exception>
    public static NpgsqlDataSource Open(string connectionString, string application)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = application,
            NoResetOnClose = true, // We leave no session state behind; DISCARD ALL would cost a round trip each time.
        };
        settings.MaxAutoPrepare = 0; // Even when asked for: PreparedStatements says why.
        // ContainsKey would be true of every keyword that exists; this is true of those that were given.
        if (!settings.ShouldSerialize("Command Timeout")) settings.CommandTimeout = 15;
        if (!HasSeveralHosts(settings))
        {
            if (!settings.ShouldSerialize("Timeout")) settings.Timeout = 5;
            return new NpgsqlDataSourceBuilder(settings.ConnectionString).Build();
        }

        if (!settings.ShouldSerialize("Timeout")) settings.Timeout = 2; // Of each host, and the next one may be the primary.
        if (!settings.ShouldSerialize("Host Recheck Seconds")) settings.HostRecheckSeconds = 2;
        if (!settings.ShouldSerialize("Keepalive")) settings.KeepAlive = 10; // Who waits for notifications would not notice that the primary's machine is gone.
        var target = Target(settings);
        settings.Remove("Target Session Attributes"); // The builder refuses it; it is said to the data source instead.
        return new NpgsqlDataSourceBuilder(settings.ConnectionString).BuildMultiHost().WithTargetSession(target);
    }

    /// <summary>
    /// For renewing leases: a call that hangs must be given up and made anew on another connection before the lease runs out, which by default
    /// lasts 2.5 s. Connecting may take longer: a host under load needs the time, and a call that hangs has a connection already. Of several hosts,
    /// one that does not even refuse stands before the primary whenever it is tried again, and must not cost the lease.
    /// </summary>
    /// <exception cref="ArgumentException">The connection string cannot be read, or asks for a standby.</exception>
    public static NpgsqlDataSource OpenForLeases(string connectionString, string application)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { Timeout = 2, CommandTimeout = 1, CancellationTimeout = -1, MaxPoolSize = 2 };
        if (HasSeveralHosts(settings)) (settings.Timeout, settings.HostRecheckSeconds) = (1, 1);
        return Open(settings.ConnectionString, application);
    }

    static bool HasSeveralHosts(NpgsqlConnectionStringBuilder settings) => settings.Host?.Contains(',', StringComparison.Ordinal) == true;

    static TargetSessionAttributes Target(NpgsqlConnectionStringBuilder settings) => settings.TargetSessionAttributes?.ToLowerInvariant() switch
    {
        null or "" or "primary" => TargetSessionAttributes.Primary,
        "read-write" => TargetSessionAttributes.ReadWrite,
        var other => throw new ArgumentException($"'Target Session Attributes={other}' may lead to a standby, which takes no events; leave it out of the connection string, or say 'primary' or 'read-write'"),
    };
}
