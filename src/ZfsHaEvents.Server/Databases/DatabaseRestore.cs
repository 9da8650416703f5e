using System.Globalization;
using System.Text;
using Npgsql;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Server.Databases;

/// <summary>
/// Brings back what <see cref="DatabaseBackup"/> wrote, as a new incarnation: what hosts were told since the backup was taken is not in it, so they open
/// new sessions, and orders of the history before are refused. All of it is one transaction: it is there whole, or not at all.
/// </summary>
static class DatabaseRestore
{
    const string Application = "zfsha-server database restore";

    /// <summary>Agents come back by themselves twice a second; between two of their attempts there is time enough.</summary>
    const int SwapsMax = 50;

    /// <summary>NAMEDATALEN of PostgreSQL less one.</summary>
    const int NameMax = 63;

    static readonly TimeSpan Again = TimeSpan.FromMilliseconds(100);

    /// <summary>What a restore led to.</summary>
    /// <param name="TakenAt">When the backup was taken, as pg_dump noted it; UTC.</param>
    /// <param name="Incarnation">The ordinal of the history that begins now.</param>
    /// <param name="KeptAs">The name under which the database that was there before is kept; null when there was nothing of ours in it.</param>
    public sealed record Restored(string TakenAt, int Incarnation, string? KeptAs);

    /// <param name="replace">Whether a database that holds a schema of ours may be replaced: by another one, which gets its name when it is complete.</param>
    /// <exception cref="DatabaseCommandException">The file is no backup, the database is in use or not empty, or something failed; nothing was changed.</exception>
    public static async Task<Restored> ReadAsync(string connectionString, string file, bool replace, CancellationToken cancellation)
    {
        file = Path.GetFullPath(file);
        var takenAt = await TakenAtAsync(file, cancellation);
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }; // Or our own idle connections would be in the way.
        await RefuseUsedAsync(settings.ConnectionString, cancellation);
        if (!await DatabaseBackup.HasSchemaAsync(connectionString, cancellation))
            return new(takenAt, await IntoAsync(settings.ConnectionString, file, takenAt, cancellation), KeptAs: null);

        if (!replace)
            throw new DatabaseCommandException("the database holds a history already (schema zfsha); name a new directory with --data, an empty database with --connection, or say --replace: the one that is there is then kept under another name");

        return await ReplaceAsync(settings, file, takenAt, cancellation);
    }

    /// <summary>From the archive's own table of contents.</summary>
    static async Task<string> TakenAtAsync(string file, CancellationToken cancellation)
    {
        if (!File.Exists(file)) throw new DatabaseCommandException($"'{file}' does not exist");
        string contents;
        try
        {
            contents = await PostgresProgram.RunAsync("pg_restore", ["--list", file], connectionString: null, cancellation);
        }
        catch (DatabaseCommandException e)
        {
            throw new DatabaseCommandException($"'{file}' cannot be read as a backup: {e.Message}", e);
        }

        if (!contents.Contains(" SCHEMA - zfsha ", StringComparison.Ordinal)) throw new DatabaseCommandException($"'{file}' is a backup of something else: it holds no schema zfsha");
        const string Created = "Archive created at ";
        return contents.Split('\n').First(l => l.Contains(Created, StringComparison.Ordinal)).Split(Created)[1].Trim();
    }

    /// <summary>A server that decides on one history while another takes its place would tell hosts what neither knows of. Agents only ask and report.</summary>
    static async Task RefuseUsedAsync(string connectionString, CancellationToken cancellation)
    {
        await using var database = PostgresConnection.Open(connectionString, Application);
        await using var command = database.CreateCommand("""
            select coalesce(nullif(application_name, ''), 'a program without a name') || ' (pid ' || pid || ', user ' || usename || ')' from pg_stat_activity
             where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid() and application_name not like 'zfsha-agent%'
             order by 1
            """);
        var users = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation)) users.Add(reader.GetString(0));
        if (users.Count > 0) throw new DatabaseCommandException($"the database is in use, by {string.Join(", ", users)}: pg_stat_activity shows them. Stop every zfsha-server on it first, and whoever else is connected");
    }

    /// <summary>
    /// Everything within one transaction that is ours to end, so that neither a damaged file nor a killed restore leaves half of it: what is fed to psql
    /// says "commit" only when pg_restore has said that it has read everything. Rights are granted afterwards, to the roles that there are here.
    /// </summary>
    /// <returns>The new incarnation.</returns>
    static async Task<int> IntoAsync(string connectionString, string file, string takenAt, CancellationToken cancellation)
    {
        await using var psql = PostgresProgram.Start("psql", ["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--output=/dev/null"], connectionString);
        await using var archive = PostgresProgram.Start("pg_restore", ["--file=-", "--no-owner", "--no-privileges", file], connectionString: null);
        try
        {
            await WriteAsync(psql, "begin;\n", cancellation);
            var progress = new Progress("restore");
            var buffer = new byte[64 * 1024];
            for (long copied = 0; await archive.Output.ReadAsync(buffer, cancellation) is > 0 and var read; progress.At(copied += read))
                await psql.Input.WriteAsync(buffer.AsMemory(0, read), cancellation);
            await archive.EndedAsync(cancellation);
            // Nobody else writes here yet, so that a history is begun by its row alone, whatever version the backup is of. The server that starts says where it is.
            var reason = $"restored from {Path.GetFileName(file)} of {takenAt}".Replace("'", "''", StringComparison.Ordinal);
            await WriteAsync(psql, $"""

                insert into zfsha.incarnations (ordinal, reason) select max(ordinal) + 1, '{reason}' from zfsha.incarnations;
                delete from zfsha.leases;
                delete from zfsha.schema_scripts where name = '{PostgresSchema.Roles}';
                commit;

                """, cancellation);
            psql.Input.Close();
        }
        catch (IOException)
        {
            // psql has ended early; why is what it says.
        }

        await psql.EndedAsync(cancellation);
        await SchemaAtStart.ApplyAsync(connectionString, cancellation);
        await using var database = PostgresConnection.Open(connectionString, Application);
        await using var command = database.CreateCommand("select zfsha.current_incarnation()");
        return (int)(await command.ExecuteScalarAsync(cancellation))!;
    }

    static async Task WriteAsync(PostgresProgram psql, string sql, CancellationToken cancellation) => await psql.Input.WriteAsync(Encoding.UTF8.GetBytes(sql), cancellation);

    /// <summary>Into a second database, which then takes the first one's name. Until then nothing of the first is touched.</summary>
    static async Task<Restored> ReplaceAsync(NpgsqlConnectionStringBuilder settings, string file, string takenAt, CancellationToken cancellation)
    {
        var name = settings.Database ?? settings.Username!;
        var (second, kept) = (name + "_restoring", string.Create(CultureInfo.InvariantCulture, $"{name}_before_{DateTimeOffset.UtcNow:yyyyMMddHHmmss}"));
        if (Encoding.UTF8.GetByteCount(kept) > NameMax) throw new DatabaseCommandException($"'{name}' is too long a name for another one beside it ('{kept}'); restore into an empty database instead");
        await using var server = PostgresConnection.Open(new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Database = name == "postgres" ? "template1" : "postgres" }.ConnectionString, Application);
        try
        {
            await ExecuteAsync(server, $"drop database if exists {Quoted(second)}", cancellation); // What a restore that was killed left.
            await ExecuteAsync(server, await CreationAsync(server, name, second, cancellation), cancellation);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ObjectInUse)
        {
            throw new DatabaseCommandException($"another restore is under way: the database {second} is in use", e);
        }
        catch (PostgresException e)
        {
            throw new DatabaseCommandException($"a second database is needed for --replace, and cannot be made: {e.MessageText}. Do it as a user with CREATEDB who owns {name}, or restore into an empty database", e);
        }

        var swapped = false;
        try
        {
            var incarnation = await IntoAsync(new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Database = second }.ConnectionString, file, takenAt, cancellation);
            await RefuseUsedAsync(settings.ConnectionString, cancellation);
            await SwapAsync(server, name, second, kept, cancellation);
            swapped = true;
            return new(takenAt, incarnation, kept);
        }
        finally
        {
            if (!swapped) await ExecuteAsync(server, $"drop database if exists {Quoted(second)} with (force)", CancellationToken.None);
        }
    }

    /// <summary>Like the one that it is to replace.</summary>
    static async Task<string> CreationAsync(NpgsqlDataSource server, string like, string name, CancellationToken cancellation)
    {
        await using var command = server.CreateCommand("""
            select format('create database %I template template0 owner %I encoding %L lc_collate %L lc_ctype %L', $2, pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype)
              from pg_database where datname = $1
            """);
        command.Parameters.Add(new() { Value = like });
        command.Parameters.Add(new() { Value = name });
        return (string)(await command.ExecuteScalarAsync(cancellation))!;
    }

    /// <summary>Both names at once, in one transaction. PostgreSQL renames no database that somebody is connected to.</summary>
    static async Task SwapAsync(NpgsqlDataSource server, string name, string second, string kept, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var cut = server.CreateCommand("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1 and application_name like 'zfsha-agent%'");
                cut.Parameters.Add(new() { Value = name });
                await cut.ExecuteNonQueryAsync(cancellation);
                await ExecuteAsync(server, $"alter database {Quoted(name)} rename to {Quoted(kept)}; alter database {Quoted(second)} rename to {Quoted(name)}", cancellation);
                return;
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ObjectInUse && attempt < SwapsMax)
            {
                await Task.Delay(Again, cancellation); // An agent was quicker.
            }
            catch (PostgresException e)
            {
                throw new DatabaseCommandException($"the database {name} cannot be given another name: {e.MessageText}. It is as it was", e);
            }
        }
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA2100", Justification = "Names are quoted as identifiers.")]
    static async Task ExecuteAsync(NpgsqlDataSource server, string sql, CancellationToken cancellation)
    {
        await using var command = server.CreateCommand(sql);
        command.CommandTimeout = 60; // A copy of template0 and its checkpoint.
        await command.ExecuteNonQueryAsync(cancellation);
    }

    static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
