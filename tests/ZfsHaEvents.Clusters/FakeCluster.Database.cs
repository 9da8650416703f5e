using System.Globalization;
using Npgsql;
using Shouldly;

namespace ZfsHaEvents.Clusters;

/// <summary>The cluster's PostgreSQL, and what only it can tell.</summary>
sealed partial class FakeCluster
{
    public string ConnectionString => $"Host={Path.Combine(Directory, "pg", "socket")};Username=zfsha;Database=zfsha;Pooling=false";

    /// <summary>
    /// From now on nobody starts or stops PostgreSQL but <see cref="Postgres"/>: the server that did is killed, and another one uses it as
    /// a database that is no business of its.
    /// </summary>
    public async Task LeaveDatabaseAloneAsync()
    {
        Server.KillHard();
        _database = ["--connection", ConnectionString.Replace(";Pooling=false", "", StringComparison.Ordinal)];
        StartServer();
        await ServerReadyAsync();
        await EverybodyInSessionAsync();
    }

    /// <summary>Runs pg_ctl on the database's directory, as the directory's owner.</summary>
    public void Postgres(string verb, params IReadOnlyList<string> arguments)
    {
        var data = Path.Combine(Directory, "pg", "data");
        _pgCtl ??= Path.Combine(Path.GetDirectoryName(new FileInfo($"/proc/{PostgresPid()}/exe").LinkTarget!)!, "pg_ctl");
        string[] command = [_pgCtl, verb, "--wait", "--silent", "-D", data, .. arguments, .. verb == "start" ? (string[])["-l", Path.Combine(Directory, "pg", "postgres.log")] : []];
        var (code, output) = Environment.UserName == "root" ? Running.Run("setpriv", ["--reuid=postgres", "--regid=postgres", "--init-groups", "--", .. command]) : Running.Run(command[0], command[1..]);
        code.ShouldBe(0, output);
    }

    /// <summary>An empty database in the place of the one there was, which nobody may be connected to. <see cref="LeaveDatabaseAloneAsync"/> comes first.</summary>
    public async Task EmptyDatabaseAsync()
    {
        var maintenance = new NpgsqlConnectionStringBuilder(ConnectionString) { Database = "postgres" }.ConnectionString;
        await ExecuteInAsync(maintenance, "drop database zfsha with (force)");
        await ExecuteInAsync(maintenance, "create database zfsha template template0");
    }

    /// <summary>Has every process stand still for the time, as a machine does that is suspended or starved.</summary>
    public static async Task StallAsync(TimeSpan time, params IReadOnlyList<int> pids)
    {
        foreach (var pid in pids) Running.Signal(pid, Running.SigStop);
        await Task.Delay(time);
        foreach (var pid in pids) Running.Signal(pid, Running.SigCont);
    }

    public int PostgresPid() => PostgresPidOrNull() ?? throw new InvalidOperationException("the private PostgreSQL does not run");

    /// <summary>Null while it is stopped or just starting.</summary>
    public int? PostgresPidOrNull()
    {
        try
        {
            return int.TryParse(File.ReadLines(Path.Combine(Directory, "pg", "data", "postmaster.pid")).FirstOrDefault(), CultureInfo.InvariantCulture, out var pid) ? pid : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Every process of the private PostgreSQL.</summary>
    public IReadOnlyList<int> PostgresPids()
    {
        var postmaster = PostgresPid().ToString(CultureInfo.InvariantCulture);
        return [PostgresPid(), .. File.ReadAllText($"/proc/{postmaster}/task/{postmaster}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(p => int.Parse(p, CultureInfo.InvariantCulture))];
    }

    public async Task<T> QueryAsync<T>(string sql, params object[] parameters)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters) command.Parameters.Add(new() { Value = parameter });
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public Task ExecuteAsync(string sql, params object[] parameters) => ExecuteInAsync(ConnectionString, sql, parameters);

    static async Task ExecuteInAsync(string connectionString, string sql, params object[] parameters)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters) command.Parameters.Add(new() { Value = parameter });
        await command.ExecuteNonQueryAsync();
    }
}
