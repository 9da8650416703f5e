using System.Net.Sockets;
using Npgsql;

namespace ZfsHaEvents.Store;

/// <summary>Tells a database that is away from something being wrong with what was asked of it.</summary>
public static class DatabaseOutage
{
    /// <summary>PostgreSQL's idle_in_transaction_session_timeout: 30 s in the private cluster, which a process may well be stopped for.</summary>
    const string ClosedIdleInTransaction = "25P03";

    /// <summary>Trying again later may help, and nothing else will.</summary>
    public static bool Is(Exception e) => e switch
    {
        PostgresException p => p.IsTransient || p.SqlState is PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow or ClosedIdleInTransaction,
        NpgsqlException or TimeoutException or SocketException => true,
        IOException { InnerException: SocketException } => true, // A network stream's. Npgsql wraps its own in an NpgsqlException; any other is a file's.
        _ => false,
    };

    /// <summary>
    /// The database is there and says no whatever it is asked: a standby, no right, a cancelled statement, a function that a server of another version
    /// has put another in the place of. A person is at it, or must be.
    /// </summary>
    public static bool SaysNo(Exception e) => e is PostgresException
    {
        SqlState: PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.QueryCanceled
            or PostgresErrorCodes.UndefinedFunction or PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification or PostgresErrorCodes.InvalidCatalogName,
    };
}
