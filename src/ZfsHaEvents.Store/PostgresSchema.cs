using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace ZfsHaEvents.Store;

/// <summary>One of the scripts in <c>schemas/postgres</c>.</summary>
/// <param name="Digest">SHA-256 of its text, in lower-case hexadecimal digits.</param>
/// <param name="Repeatable">
/// Functions, views and grants: applied again whenever they changed. The others make tables, and never change once they are released.
/// </param>
public sealed record SchemaScript(string Name, string Sql, string Digest, bool Repeatable);

/// <summary>How a database stands to this program's schema.</summary>
/// <param name="Pending">Scripts that have yet to be applied; nothing is wrong with that.</param>
/// <param name="Problems">What is otherwise than it should be, a sentence each.</param>
public sealed record SchemaState(IReadOnlyList<string> Pending, IReadOnlyList<string> Problems)
{
    /// <summary>This program can work with it. Roles are for a person to make who may.</summary>
    public bool IsCurrent => Problems.Count == 0 && Pending.All(p => p == PostgresSchema.Roles);

    /// <summary>It is another version's: this program can neither work with it nor change it.</summary>
    public bool IsForeign { get; init; }
}

/// <summary>The database's schema cannot be brought to this program's; the message says why and what to do.</summary>
public sealed class SchemaException(string message) : Exception(message);

/// <summary>The SQL of <c>schemas/postgres</c>, forward-only; applying it twice, or from two servers at once, does no harm.</summary>
public static class PostgresSchema
{
    /// <summary>The script that makes the roles and grants them their rights.</summary>
    public const string Roles = "roles.sql";

    const string Prefix = "schema/", Catalog = "catalog.txt";

    /// <summary>Serialises servers that start at once. An arbitrary number, ours alone within the database.</summary>
    const long AdvisoryLock = 0x7a667368_61000001;

    const string OwnTable = """
        create schema if not exists zfsha;
        create table if not exists zfsha.schema_scripts (name text primary key, sha256 text not null, applied_at timestamptz not null default clock_timestamp());

        """;

    /// <summary>The scripts in the order in which they are applied: tables, functions and views, roles.</summary>
    public static IReadOnlyList<SchemaScript> Scripts()
    {
        var names = Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal) && n.EndsWith(".sql", StringComparison.Ordinal));
        return [.. names.Select(n => n[Prefix.Length..]).OrderBy(n => n == Roles).ThenBy(IsRepeatable).ThenBy(n => n, StringComparer.Ordinal).Select(name =>
        {
            var sql = Resource(name);
            return new SchemaScript(name, sql, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql))), IsRepeatable(name));
        })];
    }

    /// <summary>The catalog of a database with this schema, as <see cref="DescribeAsync"/> tells it.</summary>
    public static IReadOnlyList<string> ExpectedCatalog() => Resource(Catalog).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Everything as one text for psql; running it again does no harm.</summary>
    public static string WholeScript()
    {
        var text = new StringBuilder("begin;\n").Append(OwnTable);
        foreach (var script in Scripts())
        {
            text.Append("\n-- ---- ").Append(script.Name).Append('\n').Append(script.Sql)
                .Append($"\ninsert into zfsha.schema_scripts (name, sha256) values ('{script.Name}', '{script.Digest}') on conflict (name) do update set sha256 = excluded.sha256, applied_at = clock_timestamp();\n");
        }

        return text.Append("\ncommit;\n").ToString();
    }

    /// <summary>Applies whatever has not been applied in its present form, in one transaction. Roles only where the user may make what is missing of them.</summary>
    /// <returns>The names of the scripts applied now.</returns>
    /// <exception cref="SchemaException">The database is another version's.</exception>
    public static async Task<IReadOnlyList<string>> ApplyAsync(NpgsqlDataSource database, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ExecuteAsync(connection, $"select pg_advisory_xact_lock({AdvisoryLock})", cancellation);
        await ExecuteAsync(connection, OwnTable, cancellation);
        var (pending, problem) = Compare(await AppliedAsync(connection, cancellation));
        if (problem is not null) throw new SchemaException(problem);

        // What is made anew has lost what was granted on it.
        if (pending.Count > 0 && !pending.Exists(s => s.Name == Roles)) pending.Add(Scripts().Single(s => s.Name == Roles));
        if (pending.Count > 0 && !await MayMakeRolesAsync(connection, cancellation)) pending.RemoveAll(s => s.Name == Roles);
        foreach (var script in pending)
        {
            await ExecuteAsync(connection, script.Sql, cancellation);
            await using var record = new NpgsqlCommand(
                "insert into zfsha.schema_scripts (name, sha256) values ($1, $2) on conflict (name) do update set sha256 = excluded.sha256, applied_at = clock_timestamp()", connection)
            {
                Parameters = { new() { Value = script.Name }, new() { Value = script.Digest } },
            };
            await record.ExecuteNonQueryAsync(cancellation);
        }

        await transaction.CommitAsync(cancellation);
        return [.. pending.Select(s => s.Name)];
    }

    /// <summary>Compares what was applied with this program's scripts, and what is there with what they make. Changes nothing.</summary>
    public static async Task<SchemaState> CheckAsync(NpgsqlDataSource database, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (await ScalarAsync(connection, "select to_regclass('zfsha.schema_scripts') is not null", cancellation) is not true)
            return new([.. Scripts().Select(s => s.Name)], []);

        var (pending, problem) = Compare(await AppliedAsync(connection, cancellation));
        if (problem is not null) return new([], [problem]) { IsForeign = true };
        if (pending.Count > 0 && pending is not [{ Name: Roles }]) return new([.. pending.Select(s => s.Name)], []);

        var there = await DescribeAsync(connection, cancellation);
        var expected = ExpectedCatalog();
        if (pending.Count > 0) expected = [.. expected.Where(l => !l.StartsWith("grant ", StringComparison.Ordinal))];
        return new([.. pending.Select(s => s.Name)],
        [
            .. expected.Except(there).Select(l => $"missing, or otherwise: {l}"),
            // What others have put beside it, such as a Marten application's own tables, is theirs.
            .. there.Except(expected).Where(l => expected.Any(e => Subject(e) == Subject(l))).Select(l => $"there instead: {l}"),
        ]);
    }

    /// <summary>The live catalog, a line for each column, constraint, index, trigger, sequence, view, function and grant of ours.</summary>
    public static async Task<IReadOnlyList<string>> DescribeAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        // PostgreSQL prints names without their schema where the search path finds them, and by default that begins with the user's name.
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ExecuteAsync(connection, "set local search_path = zfsha", cancellation);
        await using var command = new NpgsqlCommand(CatalogQuery.Text, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var lines = new List<string>();
        while (await reader.ReadAsync(cancellation)) lines.Add(reader.GetString(0));
        lines.Sort(StringComparer.Ordinal);
        return lines;
    }

    /// <summary>What a line of the catalog is about: all before its colon.</summary>
    static string Subject(string line) => line.Split(": ")[0];

    static bool IsRepeatable(string name) => !char.IsAsciiDigit(name[0]);

    static (List<SchemaScript> Pending, string? Problem) Compare(Dictionary<string, string> applied)
    {
        var scripts = Scripts();
        var last = scripts.Last(s => !s.Repeatable).Name;
        if (applied.Keys.FirstOrDefault(n => !IsRepeatable(n) && string.CompareOrdinal(n, last) > 0) is { } newer)
            return ([], $"the database was made by a newer version of ZfsHaEvents (it has {newer}, and this one knows nothing past {last}): install that version");
        if (scripts.FirstOrDefault(s => !s.Repeatable && applied.TryGetValue(s.Name, out var digest) && digest != s.Digest) is { } other)
            return ([], $"{other.Name} was applied to this database in another form, and scripts that make tables never change: it was made by another build than a released one");
        return ([.. scripts.Where(s => applied.GetValueOrDefault(s.Name) != s.Digest)], null);
    }

    static async Task<Dictionary<string, string>> AppliedAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select name, sha256 from zfsha.schema_scripts", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var applied = new Dictionary<string, string>();
        while (await reader.ReadAsync(cancellation)) applied[reader.GetString(0)] = reader.GetString(1);
        return applied;
    }

    static async Task<bool> MayMakeRolesAsync(NpgsqlConnection connection, CancellationToken cancellation) => await ScalarAsync(connection,
        """
        select rolsuper or rolcreaterole or (select count(*) = 4 from pg_roles where rolname in ('zfsha_server', 'zfsha_agent', 'zfsha_reader', 'zfsha_marten'))
          from pg_roles where rolname = current_user
        """, cancellation) is true;

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA2100", Justification = "The text is a constant or a script embedded in this assembly.")]
    static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(cancellation);
    }

    static Task<object?> ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation) => ScalarAsync(connection, sql, cancellation);

    static string Resource(string name)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(Prefix + name)!);
        return reader.ReadToEnd();
    }
}
