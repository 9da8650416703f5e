using Npgsql;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Server.Databases;

/// <summary>Brings the database's schema to this program's, where the database user may.</summary>
static class SchemaAtStart
{
    /// <summary>Before a server works on a database. What is otherwise than it should be, and does not keep it from working, is logged.</summary>
    /// <exception cref="DatabaseCommandException">The schema is behind, and this user may not change it.</exception>
    /// <exception cref="SchemaException">It is another version's.</exception>
    public static async Task EnsureAsync(string connectionString, ILogger log, CancellationToken cancellation)
    {
        await using var database = Open(connectionString);
        var state = await PostgresSchema.CheckAsync(database, cancellation);
        if (state.IsForeign) throw new SchemaException(state.Problems[0]);
        if (state.Pending.Count > 0)
        {
            try
            {
                if (await PostgresSchema.ApplyAsync(database, cancellation) is { Count: > 0 } applied) log.SchemaApplied(string.Join(", ", applied));
                state = await PostgresSchema.CheckAsync(database, cancellation);
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
            {
                if (!state.IsCurrent) throw Behind(state, e);
            }
        }

        foreach (var problem in state.Problems) log.SchemaDiffers(problem);
    }

    /// <returns>The names of the scripts applied now.</returns>
    /// <exception cref="DatabaseCommandException">This user may not.</exception>
    /// <exception cref="SchemaException">The schema is another version's.</exception>
    public static async Task<IReadOnlyList<string>> ApplyAsync(string connectionString, CancellationToken cancellation)
    {
        await using var database = Open(connectionString);
        try
        {
            return await PostgresSchema.ApplyAsync(database, cancellation);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw Behind(await PostgresSchema.CheckAsync(database, cancellation), e);
        }
    }

    public static async Task<SchemaState> CheckAsync(string connectionString, CancellationToken cancellation)
    {
        await using var database = Open(connectionString);
        return await PostgresSchema.CheckAsync(database, cancellation);
    }

    /// <summary>A script may build an index over all events, which takes as long as it takes.</summary>
    static NpgsqlDataSource Open(string connectionString) =>
        PostgresConnection.Open(new NpgsqlConnectionStringBuilder(connectionString) { CommandTimeout = 0, Pooling = false }.ConnectionString, "zfsha-server schema");

    static DatabaseCommandException Behind(SchemaState state, PostgresException e) => new(
        $"the database's schema is behind this program (missing: {string.Join(", ", state.Pending)}), and this database user may not change it ({e.MessageText}). "
        + "Run as its owner: zfsha-server schema apply --connection 'Host=…;Username=OWNER;Database=…', or give psql the output of: zfsha-server schema script", e);
}
