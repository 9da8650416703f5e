using Npgsql;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Cli.Bus;

/// <summary>Puts a message on the bus exactly as a foreign program does: the column <c>body</c> and nothing else.</summary>
static class BusInsert
{
    /// <returns>The id of the row.</returns>
    /// <exception cref="CommandFailedException">The connection string cannot be read, or there is no bus, or it did not take the message.</exception>
    /// <exception cref="NpgsqlException">The database cannot be reached.</exception>
    public static async Task<Guid> RunAsync(string connection, string json, CancellationToken cancellation)
    {
        try
        {
            await using var database = PostgresConnection.Open(connection, "zfsha");
            await using var command = database.CreateCommand("insert into zfsha.messages (body) values ($1::jsonb) returning id");
            command.Parameters.Add(new() { Value = json });
            return (Guid)(await command.ExecuteScalarAsync(cancellation))!;
        }
        catch (ArgumentException e) // The connection string; the message says where.
        {
            throw CommandFailedException.BadUsage($"the connection string cannot be read: {e.Message}", "It looks like Host=/run/zfsha/postgres;Username=zfsha;Database=zfsha.");
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName)
        {
            throw CommandFailedException.BadUsage("that database has no table zfsha.messages", "Is it the server's? The server makes the table when it first starts.");
        }
        catch (PostgresException e) when (!e.IsTransient && !DatabaseOutage.Is(e)) // It was reached and said no: a role without rights, \u0000 in a text.
        {
            throw new CommandFailedException(ExitCodes.Refused, "refused", e.SqlState, $"the database did not take the message: {e.MessageText}{(e.Detail is { Length: > 0 } detail ? $" ({detail})" : "")}");
        }
    }
}
