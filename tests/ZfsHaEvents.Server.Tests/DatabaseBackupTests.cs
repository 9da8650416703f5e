using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Npgsql;
using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Server.Tests;

/// <summary><c>zfsha-server database backup</c> and <c>restore</c>, as the processes that they are, on real databases.</summary>
public sealed class DatabaseBackupTests : IDisposable
{
    const UnixFileMode OwnerAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>PostgreSQL runs as another user than the tests where these run as root.</summary>
    const UnixFileMode ForAll = OwnerAlone | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    readonly string _directory = Directory.CreateTempSubdirectory("zfsha-backup-").FullName;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    string Backup => Path.Combine(_directory, "zfsha.dump");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    /// <summary>A server with a history, and a backup of it.</summary>
    async Task<PoolGuid> BackedUpAsync(ServerProcess server)
    {
        await server.StartAsync();
        var pool = World.NewPool();
        await server.TellAsync(World.Opened("a", 1, (pool, "tank")));
        await ShouldSucceedAsync("database", "backup", Backup, "--data", server.Data);
        return pool;
    }

    static async Task<string> ShouldSucceedAsync(params string[] arguments)
    {
        var (exitCode, output, error) = await ServerProcess.CommandAsync(arguments);
        exitCode.ShouldBe(0, error);
        return output;
    }

    static async Task ShouldFailAsync(string saying, params string[] arguments)
    {
        var (exitCode, _, error) = await ServerProcess.CommandAsync(arguments);
        exitCode.ShouldBe(1, error);
        error.ShouldContain(saying);
        error.ShouldNotContain("   at ");
    }

    static async Task<int> EventsAsync(ServerProcess server, PoolGuid pool) => (await server.GetAsync($"/pools/{pool}/history")).Body.AsArray().Count;

    static async Task<string> IncarnationAsync(ServerProcess server) => (string)(await server.GetAsync("/health")).Body["incarnation"]!;

    static async Task<object?> AskAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Cancellation);
    }

    // ---- there and back ----------------------------------------------------------------------------------------------

    [Fact]
    public async Task A_backup_of_a_running_server_becomes_a_new_incarnation_in_a_new_directory()
    {
        await using var server = new ServerProcess();
        var pool = await BackedUpAsync(server);
        var before = await IncarnationAsync(server);
        File.GetUnixFileMode(Backup).ShouldBe(OwnerAlone);
        Directory.GetFileSystemEntries(_directory).ShouldBe([Backup]);
        await using var restored = new ServerProcess();

        var said = JsonNode.Parse(await ShouldSucceedAsync("database", "restore", Backup, "--data", restored.Data, "--json"))!;
        await restored.StartAsync();

        ((int)said["incarnation"]!).ShouldBe(2);
        (await EventsAsync(restored, pool)).ShouldBe(await EventsAsync(server, pool));
        (await IncarnationAsync(restored)).ShouldNotBe(before);
        (await restored.ExecuteAsync("select count(*) from zfsha.leases")).ShouldBe(0L);
        ((string)(await restored.ExecuteAsync("select reason from zfsha.incarnations order by ordinal desc limit 1"))!).ShouldStartWith("restored from zfsha.dump of 20");
        (await server.ExecuteAsync("select count(*) from zfsha.leases")).ShouldBe(1L); // Of the first one nothing has changed.
        await restored.TellAsync(World.Opened("a", 1, (pool, "tank"))); // And it goes on.
        (await EventsAsync(restored, pool)).ShouldBeGreaterThan(await EventsAsync(server, pool));
    }

    [Fact]
    public async Task A_history_is_replaced_only_when_told_and_what_was_there_is_kept()
    {
        await using var server = new ServerProcess();
        var pool = await BackedUpAsync(server);
        var later = World.NewPool();
        await server.TellAsync(World.Saw("a", later, "later"));
        (await EventsAsync(server, later)).ShouldBeGreaterThan(0);
        await ShouldFailAsync("servers.lock", "database", "restore", Backup, "--data", server.Data, "--replace");
        await server.StopAsync();
        await ShouldFailAsync("--replace", "database", "restore", Backup, "--data", server.Data);

        var said = JsonNode.Parse(await ShouldSucceedAsync("database", "restore", Backup, "--data", server.Data, "--replace", "--json"))!;
        await server.StartAsync();

        (await EventsAsync(server, pool)).ShouldBeGreaterThan(0);
        (await server.ExecuteAsync("select count(*) from zfsha.mt_streams where id = $1", $"pool-{later}")).ShouldBe(0L);
        var kept = $"Host={Path.Combine(server.Data, "socket")};Username=zfsha;Database={(string)said["keptAs"]!}";
        (await AskAsync(kept, $"select count(*) from zfsha.mt_streams where id = 'pool-{later}'")).ShouldBe(1L);
    }

    /// <summary>Agents come back twice a second whatever happens, and must not keep a database from being replaced.</summary>
    [Fact]
    public async Task On_any_PostgreSQL_as_a_user_with_a_password_while_an_agent_is_connected()
    {
        var rules = Path.Combine(_directory, "pg_hba.conf");
        await File.WriteAllTextAsync(rules, "local all zfsha trust\nlocal all all scram-sha-256\n", Cancellation);
        File.SetUnixFileMode(_directory, ForAll);
        await using var server = await PostgresServer.StartAsync($"hba_file={rules}");
        await server.ExecuteAsync("create role person login createdb password 'open sesame'");
        foreach (var database in (string[])["one", "two"]) await server.ExecuteAsync($"create database {database} owner person");
        string As(string database) => new NpgsqlConnectionStringBuilder { Host = server.Host, Username = "person", Password = "open sesame", Database = database }.ConnectionString;
        await using (var one = Store.PostgresConnection.Open(As("one"), "test")) await Store.PostgresSchema.ApplyAsync(one, Cancellation);
        await ShouldFailAsync("nothing to back up", "database", "backup", Backup, "--connection", As("two"));
        await ShouldSucceedAsync("database", "backup", Backup, "--connection", As("one"));

        await ShouldSucceedAsync("database", "restore", Backup, "--connection", As("two"));
        await using var agent = Store.PostgresConnection.Open(As("one"), "zfsha-agent a");
        await AgentAsksAsync(agent);
        await using (var person = new NpgsqlConnection(As("one") + ";Pooling=false;Application Name=psql"))
        {
            await person.OpenAsync(Cancellation);
            await ShouldFailAsync("psql", "database", "restore", Backup, "--connection", As("one"), "--replace");
        }

        await ShouldSucceedAsync("database", "restore", Backup, "--connection", As("one"), "--replace");

        foreach (var database in (string[])["one", "two"]) (await AskAsync(As(database), "select max(ordinal) from zfsha.incarnations")).ShouldBe(2);
        (await AskAsync(As("postgres"), "select count(*) from pg_database where datname like 'one%'")).ShouldBe(2L);
    }

    static async Task AgentAsksAsync(NpgsqlDataSource agent)
    {
        await using var command = agent.CreateCommand("select 1");
        await command.ExecuteScalarAsync(Cancellation);
    }

    // ---- refused, damaged, killed ------------------------------------------------------------------------------------

    [Fact]
    public async Task A_file_that_is_there_is_replaced_only_when_told()
    {
        await using var server = new ServerProcess();
        await BackedUpAsync(server);
        await File.WriteAllTextAsync(Backup, "somebody's", Cancellation);

        await ShouldFailAsync("--overwrite", "database", "backup", Backup, "--data", server.Data);
        (await File.ReadAllTextAsync(Backup, Cancellation)).ShouldBe("somebody's");
        await ShouldSucceedAsync("database", "backup", Backup, "--data", server.Data, "--overwrite");

        (await File.ReadAllBytesAsync(Backup, Cancellation))[..5].ShouldBe("PGDMP"u8.ToArray());
        File.GetUnixFileMode(Backup).ShouldBe(OwnerAlone);
        await ShouldFailAsync("does not exist", "database", "backup", Path.Combine(_directory, "no", "such"), "--data", server.Data);
    }

    [Fact]
    public async Task Where_there_is_no_database_none_is_made_to_back_it_up()
    {
        var nowhere = Path.Combine(_directory, "nowhere");

        await ShouldFailAsync("--data", "database", "backup", Backup, "--data", nowhere);

        Directory.GetFileSystemEntries(_directory).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_damaged_file_changes_nothing()
    {
        await using var server = new ServerProcess();
        var pool = await BackedUpAsync(server);
        var events = await EventsAsync(server, pool);
        await server.StopAsync();
        var whole = await File.ReadAllBytesAsync(Backup, Cancellation);
        var bent = whole.ToArray();
        for (var at = whole.Length * 3 / 4; at < whole.Length - 100; at += 50) bent[at] ^= 0x55; // In the tables' rows, which come last.
        foreach (var damaged in (byte[][])[bent, whole[..(whole.Length * 3 / 4)], whole[..100], "no dump"u8.ToArray(), []])
        {
            await File.WriteAllBytesAsync(Backup, damaged, Cancellation);
            var (exitCode, _, error) = await ServerProcess.CommandAsync("database", "restore", Backup, "--data", server.Data, "--replace");
            exitCode.ShouldBe(1, error);
            error.ShouldContain("pg_restore");
        }

        await server.StartAsync();

        (await EventsAsync(server, pool)).ShouldBe(events);
        (await server.ExecuteAsync("select max(ordinal) from zfsha.incarnations")).ShouldBe(1);
        (await server.ExecuteAsync("select count(*) from pg_database where datname like 'zfsha%'")).ShouldBe(1L);
    }

    [Fact]
    public async Task A_backup_that_was_killed_or_took_too_long_leaves_no_file_under_its_name_and_shows_no_password()
    {
        await using var server = await PostgresServer.StartAsync();
        await server.CreateDatabaseAsync("one");
        await using (var one = Store.PostgresConnection.Open(server.ConnectionString("one"), "test")) await Store.PostgresSchema.ApplyAsync(one, Cancellation);
        string[] backup = ["database", "backup", Backup, "--connection", server.ConnectionString("one") + ";Password=open sesame"];
        await using (var holder = new NpgsqlConnection(server.ConnectionString("one") + ";Pooling=false"))
        {
            await holder.OpenAsync(Cancellation);
            await using var locked = new NpgsqlCommand("begin; lock table zfsha.mt_events in access exclusive mode", holder);
            await locked.ExecuteNonQueryAsync(Cancellation);
            await ShouldFailAsync("--timeout-seconds", [.. backup, "--timeout-seconds", "2"]);
            Directory.GetFileSystemEntries(_directory).ShouldBeEmpty();

            using var process = ServerProcess.StartCommand(backup);
            var dump = "";
            await Eventually.TrueAsync("pg_dump runs, which waits for the table", () =>
                (dump = Directory.GetDirectories("/proc").Select(CommandLine).FirstOrDefault(c => c.Contains("bin/pg_dump", StringComparison.Ordinal) && c.Contains(_directory, StringComparison.Ordinal), "")) != "");
            dump.ShouldNotContain("sesame");
            process.Kill();
            await process.WaitForExitAsync(Cancellation);
        }

        File.Exists(Backup).ShouldBeFalse();
        Directory.GetFileSystemEntries(_directory).ShouldHaveSingleItem();
        await Eventually.TrueAsync("the orphaned pg_dump has ended", () => !Directory.GetDirectories("/proc").Any(p => CommandLine(p).Contains(_directory, StringComparison.Ordinal)));
        await ShouldSucceedAsync(backup);
        Directory.GetFileSystemEntries(_directory).ShouldBe([Backup]);
    }

    static string CommandLine(string process)
    {
        try
        {
            return char.IsDigit(Path.GetFileName(process)[0]) ? File.ReadAllText(process + "/cmdline").Replace('\0', ' ') : "";
        }
        catch (IOException)
        {
            return ""; // It has ended meanwhile.
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_restore_that_was_killed_half_way_changes_nothing_and_can_be_done_again(bool replacing)
    {
        await using var server = new ServerProcess();
        var pool = await BackedUpAsync(server);
        var events = await EventsAsync(server, pool);
        await server.StopAsync();
        await using var target = new ServerProcess();
        var data = (replacing ? server : target).Data;
        string[] restore = ["database", "restore", Backup, "--data", data, "--replace"];
        // PostgreSQL's programs, of which pg_restore writes no more than a part and then says nothing.
        File.SetUnixFileMode(_directory, ForAll);
        var binaries = Directory.CreateDirectory(Path.Combine(_directory, "bin")).FullName;
        foreach (var program in Directory.GetFiles(PostgresServer.Binaries)) File.CreateSymbolicLink(Path.Combine(binaries, Path.GetFileName(program)), program);
        var (slow, pid) = (Path.Combine(binaries, "pg_restore"), Path.Combine(_directory, "pid"));
        File.Delete(slow);
        await File.WriteAllTextAsync(slow, $"""
            #!/bin/sh
            [ "$1" = --list ] && exec {PostgresServer.Binaries}/pg_restore "$@"
            {PostgresServer.Binaries}/pg_restore "$@" | head -c 20000
            echo $$ >{pid}.new && mv {pid}.new {pid}
            exec sleep 600

            """, Cancellation);
        File.SetUnixFileMode(slow, OwnerAlone | UnixFileMode.UserExecute);

        using (var process = ServerProcess.StartCommand(restore, binaries))
        {
            await Eventually.TrueAsync("it is half way", () => File.Exists(pid) || (process.HasExited ? throw new InvalidOperationException(process.StandardError.ReadToEnd()) : false));
            process.Kill();
            await process.WaitForExitAsync(Cancellation);
        }

        using (var sleeping = Process.GetProcessById(int.Parse(await File.ReadAllTextAsync(pid, Cancellation), CultureInfo.InvariantCulture))) sleeping.Kill();
        var host = $"Host={Path.Combine(data, "socket")};Username=zfsha;Database=";
        (await AskAsync(host + "zfsha", "select to_regnamespace('zfsha') is not null")).ShouldBe(replacing);
        await ShouldSucceedAsync(restore);
        var restored = replacing ? server : target;
        await restored.StartAsync();
        (await EventsAsync(restored, pool)).ShouldBe(events);
        (await restored.ExecuteAsync("select max(ordinal) from zfsha.incarnations")).ShouldBe(2);
        (await restored.ExecuteAsync("select count(*) from pg_database where datname like '%restoring%'")).ShouldBe(0L);
    }
}
