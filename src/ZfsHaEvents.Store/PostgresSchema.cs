using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace ZfsHaEvents.Store;

/// <summary>The SQL of <c>schemas/postgres</c>, forward-only; applying it twice, or from two servers at once, does no harm.</summary>
public static class PostgresSchema
{
    /// <summary>Serialises servers that start at once. An arbitrary number, ours alone within the database.</summary>
    const long AdvisoryLock = 0x7a667368_61000001;

    /// <summary>The scripts by name, in the order in which they are applied.</summary>
    public static IReadOnlyList<(string Name, string Sql)> Scripts()
    {
        var assembly = Assembly.GetExecutingAssembly();
        return [.. assembly.GetManifestResourceNames().Where(n => n.StartsWith("schema/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
            .Select(n => (n["schema/".Length..], Read(assembly, n)))];
    }

    /// <summary>Applies whatever has not been applied in its present form, in one transaction.</summary>
    /// <returns>The names of the scripts applied now.</returns>
    public static async Task<IReadOnlyList<string>> ApplyAsync(NpgsqlDataSource database, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ExecuteAsync(connection, $"select pg_advisory_xact_lock({AdvisoryLock})", cancellation);
        await ExecuteAsync(connection, """
            create schema if not exists zfsha;
            create table if not exists zfsha.schema_scripts (name text primary key, sha256 text not null, applied_at timestamptz not null default clock_timestamp())
            """, cancellation);

        var applied = new List<string>();
        foreach (var (name, sql) in Scripts())
        {
            var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql)));
            await using var known = new NpgsqlCommand("select 1 from zfsha.schema_scripts where name = $1 and sha256 = $2", connection)
            {
                Parameters = { new() { Value = name }, new() { Value = digest } },
            };
            if (await known.ExecuteScalarAsync(cancellation) is not null) continue;

            await ExecuteAsync(connection, sql, cancellation);
            await using var record = new NpgsqlCommand(
                "insert into zfsha.schema_scripts (name, sha256) values ($1, $2) on conflict (name) do update set sha256 = excluded.sha256, applied_at = clock_timestamp()", connection)
            {
                Parameters = { new() { Value = name }, new() { Value = digest } },
            };
            await record.ExecuteNonQueryAsync(cancellation);
            applied.Add(name);
        }

        await transaction.CommitAsync(cancellation);
        return applied;
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA2100", Justification = "The text is a script embedded in this assembly.")]
    static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    static string Read(Assembly assembly, string resource)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
        return reader.ReadToEnd();
    }
}
