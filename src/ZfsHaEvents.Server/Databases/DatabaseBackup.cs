using System.Globalization;
using Npgsql;

namespace ZfsHaEvents.Server.Databases;

/// <summary>Writes everything of ours in a database to one file, in pg_dump's custom format. Servers may run meanwhile: it is of one moment.</summary>
static class DatabaseBackup
{
    /// <param name="file">Is there whole and durable when this returns, readable by its owner alone; or is as it was before.</param>
    /// <param name="overwrite">Whether it may replace a file.</param>
    /// <returns>The file's size in bytes.</returns>
    /// <exception cref="DatabaseCommandException">There is nothing to back up, the file cannot be written, or pg_dump failed.</exception>
    public static async Task<long> WriteAsync(string connectionString, string file, bool overwrite, CancellationToken cancellation)
    {
        file = Path.GetFullPath(file);
        var directory = Path.GetDirectoryName(file) ?? throw new DatabaseCommandException($"'{file}' is no name for a file");
        if (Directory.Exists(file)) throw new DatabaseCommandException($"'{file}' is a directory; name a file in it");
        if (!Directory.Exists(directory)) throw new DatabaseCommandException($"'{directory}' does not exist; make it first");
        if (File.Exists(file) && !overwrite) throw Exists(file);
        if (!await HasSchemaAsync(connectionString, cancellation)) throw new DatabaseCommandException("there is nothing to back up: the database has no schema zfsha");

        RemoveLeftovers(directory, Path.GetFileName(file));
        var temporary = Temporary(directory, Path.GetFileName(file), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        try
        {
            await using (File.Open(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite })) { }
            await new Progress("backup").WhileAsync(
                PostgresProgram.RunAsync("pg_dump", ["--format=custom", "--schema=zfsha", "--no-password", $"--file={temporary}"], connectionString, cancellation), temporary);
            // Read to its end, and every compressed block checked: a backup that nobody has read is none.
            await PostgresProgram.RunAsync("pg_restore", ["--file=/dev/null", temporary], connectionString: null, cancellation);
            using (var written = File.OpenHandle(temporary, FileMode.Open, FileAccess.ReadWrite)) RandomAccess.FlushToDisk(written);
            File.Move(temporary, file, overwrite); // Without overwriting this is link(2), which fails when the name was taken meanwhile.
            DurableDirectory.Sync(directory);
            return new FileInfo(file).Length;
        }
        catch (IOException e) when (!overwrite && File.Exists(file))
        {
            throw Exists(file, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DatabaseCommandException($"'{file}' cannot be written: {e.Message}", e);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Whether the database holds a schema of ours, of whatever state.</summary>
    public static async Task<bool> HasSchemaAsync(string connectionString, CancellationToken cancellation)
    {
        await using var database = Store.PostgresConnection.Open(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString, "zfsha-server database");
        await using var command = database.CreateCommand("select to_regnamespace('zfsha') is not null");
        return await command.ExecuteScalarAsync(cancellation) is true;
    }

    static DatabaseCommandException Exists(string file, Exception? inner = null) => new($"'{file}' exists already; choose another name, or replace it with --overwrite", inner);

    static string Temporary(string directory, string name, string pid) => Path.Combine(directory, $".{name}.tmp-{pid}");

    /// <summary>Of backups to the same name that were killed.</summary>
    static void RemoveLeftovers(string directory, string name)
    {
        var prefix = Temporary(directory, name, "");
        foreach (var left in Directory.EnumerateFiles(directory, ".*.tmp-*").Where(f => f.StartsWith(prefix, StringComparison.Ordinal)))
            if (int.TryParse(left[prefix.Length..], CultureInfo.InvariantCulture, out var pid) && !Directory.Exists($"/proc/{pid}")) File.Delete(left);
    }
}
