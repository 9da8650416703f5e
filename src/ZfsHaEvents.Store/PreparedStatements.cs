using System.Data;
using Npgsql;

namespace ZfsHaEvents.Store;

/// <summary>
/// Runs statements prepared: PostgreSQL keeps the parsed statement on the connection, and the connection goes back to the pool with it.
/// Npgsql's automatic preparing is not used. When PostgreSQL rejects the values of the very execution that prepares a statement, Npgsql keeps the
/// statement without its row description, and the next execution on that connection throws after it took effect.
/// </summary>
static class PreparedStatements
{
    /// <summary>Rows; the connection is free again when the reader is disposed of.</summary>
    public static async Task<NpgsqlDataReader> ReadAsync(this NpgsqlDataSource database, NpgsqlCommand statement, CancellationToken cancellation)
    {
        var connection = await database.OpenConnectionAsync(cancellation);
        try
        {
            statement.Connection = connection;
            await statement.PrepareAsync(cancellation); // Nothing is sent when this connection has it.
            return await statement.ExecuteReaderAsync(CommandBehavior.CloseConnection, cancellation);
        }
        catch // Whatever it is goes on to the caller; the connection is nobody's yet.
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>The first column of the first row; null when there is no row.</summary>
    public static async Task<object?> ScalarAsync(this NpgsqlDataSource database, NpgsqlCommand statement, CancellationToken cancellation)
    {
        await using var reader = await database.ReadAsync(statement, cancellation);
        var value = await reader.ReadAsync(cancellation) ? reader.GetValue(0) : null;
        while (await reader.NextResultAsync(cancellation)) { } // To its end: what fails at the commit is told after the row.
        return value;
    }

    /// <summary>Runs it for its effect.</summary>
    public static async Task RunAsync(this NpgsqlDataSource database, NpgsqlCommand statement, CancellationToken cancellation)
    {
        await using var reader = await database.ReadAsync(statement, cancellation);
        while (await reader.NextResultAsync(cancellation)) { }
    }
}
