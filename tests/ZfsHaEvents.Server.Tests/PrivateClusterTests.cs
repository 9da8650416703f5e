using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;
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

    // ---- after a crash -----------------------------------------------------------------------------------------------

    /// <summary>A real recovery, after a backend was killed; held up by stopping the process that does it.</summary>
    [Fact]
    public async Task Who_joins_a_cluster_in_crash_recovery_waits_until_it_accepts_connections()
    {
        await using var cluster = await StartAsync();
        await ExecuteAsync(cluster.ConnectionString, "create table much (n bigint, filler text)");
        int recovery, rounds = 0;
        do
        {
            rounds++;
            await ExecuteAsync(cluster.ConnectionString, "insert into much select n, repeat('x', 500) from generate_series(1, 200000) n"); // Over 100 MB of log to go through.
            recovery = await StoppedInRecoveryAsync(cluster.ConnectionString);
        }
        while (recovery == 0);

        var log = new KeptLog();
        var impatient = await Should.ThrowAsync<PrivateClusterException>(() => PrivateCluster.StartAsync(_directory, new() { ReadyLimit = TimeSpan.Zero }, log, Cancellation));
        var joining = PrivateCluster.StartAsync(_directory, new(), log, Cancellation);
        await Eventually.TrueAsync("it waits", () => log.Text.Contains("does not accept connections yet", StringComparison.Ordinal));
        joining.IsCompleted.ShouldBeFalse();
        Signal("CONT", recovery);

        await using var second = await joining;
        ((long?)await ExecuteAsync(second.ConnectionString, "select count(*) from much")).ShouldBe(200_000L * rounds);
        impatient.Message.ShouldContain("recovery");
        impatient.Message.ShouldContain("postgres.log");
    }

    /// <summary>Kills a backend, upon which the postmaster starts recovery.</summary>
    /// <returns>The process that recovers, stopped; 0 when it was through before it could be.</returns>
    async Task<int> StoppedInRecoveryAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        Signal("KILL", connection.ProcessID);
        var recovery = 0;
        await Eventually.TrueAsync("it recovers", async () =>
        {
            for (var n = 0; n < 1000 && recovery == 0; n++) recovery = Directory.GetDirectories("/proc").FirstOrDefault(IsRecovering) is { } found ? Number(found) : 0;
            if (recovery != 0) Signal("STOP", recovery);
            return recovery != 0 || await AcceptsAsync(connectionString);
        });
        if (recovery == 0 || !await AcceptsAsync(connectionString)) return recovery;
        Signal("CONT", recovery);
        return 0;
    }

    bool IsRecovering(string process)
    {
        try
        {
            return Number(process) > 0 && File.ReadAllText(process + "/cmdline").StartsWith("postgres: startup", StringComparison.Ordinal)
                && File.ReadAllText(process + "/status").Contains($"PPid:\t{Pid()}\n", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false; // It has ended meanwhile.
        }
    }

    static int Number(string process) => int.TryParse(Path.GetFileName(process), CultureInfo.InvariantCulture, out var pid) ? pid : 0;

    static async Task<bool> AcceptsAsync(string connectionString)
    {
        try
        {
            return await ExecuteAsync(connectionString, "select true") is true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    /// <summary>As after a boot, when pids are given out anew.</summary>
    [Fact]
    public async Task A_pid_that_is_another_PostgreSQLs_by_now_is_not_trusted()
    {
        await (await StartAsync()).DisposeAsync();
        using var other = new PrivateClusterTests();
        await using var theirs = await other.StartAsync();
        var stale = File.ReadAllLines(Path.Combine(other._directory, "data", "postmaster.pid"));
        stale[1] = Path.Combine(_directory, "data"); // Its own directory in the file, as the crashed one left it; the pid is the other's.
        await File.WriteAllLinesAsync(Path.Combine(_directory, "data", "postmaster.pid"), stale, Cancellation);

        await using var cluster = await StartAsync();

        Pid().ShouldNotBe(other.Pid());
        ((string?)await ExecuteAsync(cluster.ConnectionString, "show data_directory")).ShouldBe(Path.Combine(_directory, "data"));
        ((string?)await ExecuteAsync(theirs.ConnectionString, "show data_directory")).ShouldBe(Path.Combine(other._directory, "data"));
    }

    [Fact]
    public async Task A_cluster_with_fsync_off_is_refused()
    {
        await (await StartAsync()).DisposeAsync();
        await File.AppendAllTextAsync(Path.Combine(_directory, "data", "postgresql.conf"), "fsync = off\n", Cancellation);

        (await Should.ThrowAsync<PrivateClusterException>(StartAsync)).Message.ShouldContain("fsync");

        File.Exists(Path.Combine(_directory, "data", "postmaster.pid")).ShouldBeFalse(); // Nobody uses it, so it was stopped.
    }

    [Fact]
    public async Task Who_wants_it_alone_is_refused_while_somebody_uses_it_and_keeps_others_waiting()
    {
        var user = await StartAsync();
        (await Should.ThrowAsync<PrivateClusterException>(() => PrivateCluster.StartAsync(_directory, new() { Alone = true }, NullLogger.Instance, Cancellation))).Message.ShouldContain("servers.lock");
        ((int?)await ExecuteAsync(user.ConnectionString, "select 1")).ShouldBe(1);
        await user.DisposeAsync();

        var alone = await PrivateCluster.StartAsync(_directory, new() { Alone = true }, NullLogger.Instance, Cancellation);
        var waiting = StartAsync();
        ((int?)await ExecuteAsync(alone.ConnectionString, "select 1")).ShouldBe(1);
        waiting.IsCompleted.ShouldBeFalse();
        await alone.DisposeAsync();

        await using var next = await waiting;
        ((int?)await ExecuteAsync(next.ConnectionString, "select 1")).ShouldBe(1);
    }

    [Fact]
    public async Task Where_there_is_no_cluster_none_is_made_unless_that_is_wanted()
    {
        (await Should.ThrowAsync<PrivateClusterException>(() => PrivateCluster.StartAsync(_directory, new() { Create = false }, NullLogger.Instance, Cancellation))).Message.ShouldContain("--data");

        Directory.Exists(_directory).ShouldBeFalse();
    }

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

    static void Kill(int pid) => Signal("KILL", pid);

    static void Signal(string name, int pid)
    {
        using var kill = Process.Start("/bin/sh", ["-c", $"kill -{name} {pid}"]); // The shell's own; /bin/kill is not everywhere.
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

    /// <summary>What was logged.</summary>
    sealed class KeptLog : ILogger
    {
        readonly ConcurrentQueue<string> _lines = new();

        public string Text => string.Join('\n', _lines);

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => _lines.Enqueue(formatter(state, exception));
    }
}
