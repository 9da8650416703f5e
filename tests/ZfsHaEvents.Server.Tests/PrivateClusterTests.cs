using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Shouldly;
using Xunit;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Server.Tests;

/// <summary>The PostgreSQL that the server starts itself.</summary>
public sealed class PrivateClusterTests : IDisposable
{
    static int _numbers;

    readonly string _directory = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"zfsha-cluster-{Environment.ProcessId}-{Interlocked.Increment(ref _numbers)}"));

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        if (Directory.Exists(_directory)) Directory.Delete(_directory, recursive: true);
    }

    Task<PrivateCluster> StartAsync() => PrivateCluster.StartAsync(_directory, NullLogger.Instance, Cancellation);

    int Pid() => int.Parse(File.ReadLines(Path.Combine(_directory, "data", "postmaster.pid")).First(), CultureInfo.InvariantCulture);

    static bool Runs(int pid) => File.Exists($"/proc/{pid}/cmdline") && File.ReadAllText($"/proc/{pid}/cmdline").Length > 0;

    static async Task<object?> ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Cancellation);
    }

    [Fact]
    public async Task A_cluster_is_made_started_stopped_and_started_again_with_its_data()
    {
        await using (var cluster = await StartAsync())
        {
            await ExecuteAsync(cluster.ConnectionString, "create table kept as select 42 as n");
            ((string?)await ExecuteAsync(cluster.ConnectionString, "show fsync")).ShouldBe("on");
            ((string?)await ExecuteAsync(cluster.ConnectionString, "show listen_addresses")).ShouldBe("");
            File.GetUnixFileMode(Path.Combine(_directory, "socket")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        File.Exists(Path.Combine(_directory, "data", "postmaster.pid")).ShouldBeFalse();
        await using var again = await StartAsync();
        ((int?)await ExecuteAsync(again.ConnectionString, "select n from kept")).ShouldBe(42);
    }

    [Fact]
    public async Task A_second_server_joins_and_the_last_to_stop_stops_it()
    {
        var first = await StartAsync();
        var pid = Pid();
        await using (var second = await StartAsync())
        {
            Pid().ShouldBe(pid);
            await first.DisposeAsync();
            ((int?)await ExecuteAsync(second.ConnectionString, "select 1")).ShouldBe(1);
        }

        Runs(pid).ShouldBeFalse();
    }

    [Fact]
    public async Task Servers_that_start_at_once_share_one_cluster()
    {
        var clusters = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(StartAsync)));

        foreach (var cluster in clusters) ((int?)await ExecuteAsync(cluster.ConnectionString, "select 1")).ShouldBe(1);
        var pid = Pid();
        foreach (var cluster in clusters) await cluster.DisposeAsync();
        Runs(pid).ShouldBeFalse();
    }

    [Fact]
    public async Task A_cluster_that_was_killed_is_started_again_with_what_was_committed()
    {
        await using var cluster = await StartAsync();
        await ExecuteAsync(cluster.ConnectionString, "create table kept as select 42 as n");
        var pid = Pid();

        Kill(pid);

        await Eventually.TrueAsync("it runs again", async () =>
        {
            try
            {
                return Pid() != pid && await ExecuteAsync(cluster.ConnectionString, "select n from kept") is 42;
            }
            catch (Exception e) when (e is NpgsqlException or IOException or InvalidOperationException or FormatException)
            {
                return false; // Down, or between two pid files.
            }
        });
    }

    [Theory]
    [InlineData("somebody's.txt")]
    [InlineData("data/somebody's.txt")]
    public async Task A_directory_of_somebody_elses_is_refused_and_left_alone(string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_directory, file))!);
        await File.WriteAllTextAsync(Path.Combine(_directory, file), "important", Cancellation);
        var owner = Owner(_directory);

        var refused = await Should.ThrowAsync<PrivateClusterException>(StartAsync);

        refused.Message.ShouldContain("--data");
        Owner(_directory).ShouldBe(owner);
        Directory.EnumerateFiles(_directory, "*", SearchOption.AllDirectories).ShouldBe([Path.Combine(_directory, file)]);
    }

    [Fact]
    public async Task A_cluster_of_another_major_version_is_refused_and_nothing_holds_on_to_it()
    {
        await (await StartAsync()).DisposeAsync();
        var version = Path.Combine(_directory, "data", "PG_VERSION");
        var ours = await File.ReadAllTextAsync(version, Cancellation);
        await File.WriteAllTextAsync(version, "9.6\n", Cancellation);

        var refused = await Should.ThrowAsync<PrivateClusterException>(StartAsync);

        refused.Message.ShouldContain("9.6");
        refused.Message.ShouldContain(ours.Trim());
        refused.Message.ShouldContain("pg_upgrade");
        await File.WriteAllTextAsync(version, ours, Cancellation);
        var cluster = await StartAsync();
        var pid = Pid();
        await cluster.DisposeAsync();
        Runs(pid).ShouldBeFalse(); // The refused start is not counted as a user of the cluster.
    }

    [Fact]
    public async Task A_directory_whose_name_is_too_long_for_a_socket_is_refused_with_the_limit() =>
        (await Should.ThrowAsync<PrivateClusterException>(() => PrivateCluster.StartAsync("/tmp/" + new string('x', 90), NullLogger.Instance, Cancellation))).Message.ShouldContain("at most");

    // ---- as the process that it is -----------------------------------------------------------------------------------

    [Fact]
    public async Task A_server_killed_leaves_the_cluster_running_and_the_next_one_joins_it()
    {
        await using var server = new ServerProcess();
        await server.StartAsync();
        var pool = World.NewPool();
        await server.TellAsync(World.Opened("a", 1, (pool, "tank")));
        var pid = int.Parse(File.ReadLines(Path.Combine(server.Data, "data", "postmaster.pid")).First(), CultureInfo.InvariantCulture);
        await server.KillAsync();
        Runs(pid).ShouldBeTrue();

        await server.StartAsync();

        Runs(pid).ShouldBeTrue();
        (await server.GetAsync($"/pools/{pool}/history")).Body.AsArray().Count.ShouldBe(3);
        (await server.StopAsync()).ShouldBe(0, server.Output);
        Runs(pid).ShouldBeFalse();
    }

    [Fact]
    public async Task Server_and_cluster_killed_together_come_back_with_everything_committed()
    {
        await using var server = new ServerProcess();
        await server.StartAsync();
        var pool = World.NewPool();
        await server.TellAsync(World.Opened("a", 1, (pool, "tank")));
        await server.KillAsync();
        Kill(int.Parse(File.ReadLines(Path.Combine(server.Data, "data", "postmaster.pid")).First(), CultureInfo.InvariantCulture));

        await server.StartAsync();

        (await server.GetAsync($"/pools/{pool}/history")).Body.AsArray().Count.ShouldBe(3);
    }

    [Fact]
    public async Task Without_PostgreSQLs_programs_the_server_says_so_and_ends()
    {
        await using var server = new ServerProcess();
        server.Launch(("ZFSHA_POSTGRES_BIN", "/nowhere"));

        (await server.EndedAsync()).ShouldBe(1);
        await Eventually.TrueAsync("its last words have arrived", () => server.Output.Contains("ZFSHA_POSTGRES_BIN", StringComparison.Ordinal));
        server.Output.ShouldContain("/nowhere");
        server.Output.ShouldNotContain("   at ");
    }

    static void Kill(int pid)
    {
        using var kill = Process.Start("/bin/sh", ["-c", $"kill -KILL {pid}"]); // The shell's own; /bin/kill is not everywhere.
        kill.WaitForExit(10_000).ShouldBeTrue();
        kill.ExitCode.ShouldBe(0);
    }

    static string Owner(string path)
    {
        using var stat = Process.Start(new ProcessStartInfo("stat", ["-c", "%U:%G %a", path]) { RedirectStandardOutput = true })!;
        var owner = stat.StandardOutput.ReadToEnd();
        stat.WaitForExit(10_000).ShouldBeTrue();
        return owner;
    }
}
