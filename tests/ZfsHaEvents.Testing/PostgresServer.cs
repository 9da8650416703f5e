using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace ZfsHaEvents.Testing;

/// <summary>
/// A PostgreSQL server for tests: a cluster of its own below the temporary directory, a unix socket only, an unprivileged user
/// (the server refuses root). It ends, and its files go, when this is disposed of or when the test process dies.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    /// <summary>
    /// Runs the server and waits for standard input to end, which it does however the test process dies; then a fast shutdown.
    /// The word "keep" there ends the server too, and leaves its files.
    /// The parent-death signal of prctl(2) would not do: it is bound to the thread that started the child, and pools retire threads.
    /// </summary>
    const string UntilInputEnds =
        """
        directory=$1; shift
        "$@" >"$directory/postgres.log" 2>&1 &
        server=$!
        read -r word
        kill -INT $server 2>/dev/null
        wait $server
        [ "$word" = keep ] || rm -rf "$directory"
        """;

    static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    static int _numbers;

    readonly string _directory;
    readonly IReadOnlyList<string> _settings;
    SmallDisk? _disk;
    bool _tablesOnDisk;
    Process? _process;

    PostgresServer(IReadOnlyList<string> settings)
    {
        _directory = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"zfsha-pg-{Environment.ProcessId}-{Interlocked.Increment(ref _numbers)}"));
        _settings = settings;
    }

    /// <summary>Where PostgreSQL's programs are.</summary>
    public static string Binaries { get; } = FindBinaries();

    /// <summary>The process that accepts connections.</summary>
    public int Pid => int.Parse(File.ReadLines((_disk?.Seen ?? "") + Path.Combine(Data, "postmaster.pid")).First(), CultureInfo.InvariantCulture);

    /// <summary>The directory of its unix socket, as a connection string's <c>Host</c>.</summary>
    public string Host => _directory;

    string Data => Path.Combine(_tablesOnDisk ? _disk!.Directory : _directory, "data");

    /// <param name="settings">Of PostgreSQL, each <c>name=value</c>.</param>
    public static async Task<PostgresServer> StartAsync(params string[] settings)
    {
        var server = await NewAsync(settings);
        await RunAsync([.. AsOwner(Path.Combine(Binaries, "initdb")), "-D", server.Data, "-U", "zfsha", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]);
        await server.LaunchAsync();
        return server;
    }

    /// <summary>A server with its tables, its write-ahead log or both on a disk that may fill up.</summary>
    public static async Task<PostgresServer> StartAsync(SmallDisk disk, bool tables, bool log, params string[] settings)
    {
        var server = await NewAsync(settings);
        (server._disk, server._tablesOnDisk) = (disk, tables);
        string[] elsewhere = log == tables ? [] : [$"--waldir={Path.Combine(log ? disk.Directory : server._directory, "wal")}"];
        await RunAsync([.. disk.Enter, .. AsOwner(Path.Combine(Binaries, "initdb")), "-D", server.Data, "-U", "zfsha", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions", "--wal-segsize=1", .. elsewhere]);
        await server.LaunchAsync();
        return server;
    }

    /// <summary>Another server that follows this one by streaming replication, from a copy of what there is now.</summary>
    public async Task<PostgresServer> StandbyAsync()
    {
        var standby = await NewAsync([]);
        await RunAsync([.. AsOwner(Path.Combine(Binaries, "pg_basebackup")), "-D", standby.Data, "-h", _directory, "-U", "zfsha", "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]);
        await standby.LaunchAsync();
        return standby;
    }

    /// <summary>Ends replication: from its return on this standby is a primary.</summary>
    public Task PromoteAsync() => ExecuteAsync("do $$ begin if not pg_promote(true, 25) then raise exception 'not promoted within 25 s'; end if; end $$");

    /// <summary>SIGKILL to the process that accepts connections; the others end when they notice.</summary>
    public void Kill()
    {
        using var process = Process.GetProcessById(Pid);
        process.Kill();
    }

    /// <summary>SIGKILL to the process that accepts connections, and the end of the others, which notice. Nothing is started again: <see cref="RestartAsync"/> does.</summary>
    public async Task CrashAsync()
    {
        var pid = Pid;
        await RunAsync("kill", ["-STOP", $"{pid}"]); // So that it has no more children than are read here.
        var children = (await File.ReadAllTextAsync($"/proc/{pid}/task/{pid}/children")).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Kill();
        await Eventually.TrueAsync("every process of a killed PostgreSQL ends", () => !children.Append($"{pid}").Any(IsPostgres));
    }

    /// <summary>Whether the process that accepts connections is there.</summary>
    public bool IsRunning
    {
        get
        {
            try
            {
                return IsPostgres($"{Pid}");
            }
            catch (Exception e) when (e is IOException or InvalidOperationException)
            {
                return false; // It takes its file away as it ends.
            }
        }
    }

    static bool IsPostgres(string pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat"); // proc(5): pid, (name), state.
            return stat.Contains("(postgres)", StringComparison.Ordinal) && stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Runs one of PostgreSQL's own client programs on this server.</summary>
    public Task RunClientAsync(string program, params string[] arguments) => RunAsync([.. AsOwner(Path.Combine(Binaries, program)), "-h", _directory, "-U", "zfsha", .. arguments]);

    static async Task<PostgresServer> NewAsync(IReadOnlyList<string> settings)
    {
        var server = new PostgresServer(settings);
        Directory.CreateDirectory(server._directory);
        if (Environment.UserName == "root") await RunAsync("chown", ["postgres:postgres", server._directory]);
        return server;
    }

    /// <summary>Stops the server and starts it again on the same files.</summary>
    public async Task RestartAsync()
    {
        await _process!.StandardInput.WriteLineAsync("keep");
        await StopAsync();
        await LaunchAsync();
    }

    public string ConnectionString(string database) =>
        new NpgsqlConnectionStringBuilder { Host = _directory, Username = "zfsha", Database = database, MaxPoolSize = 20 }.ConnectionString;

    /// <summary>Makes a database, empty or as a copy of another one.</summary>
    public Task CreateDatabaseAsync(string name, string template = "template1") => ExecuteAsync($"create database \"{name}\" template \"{template}\"");

    public Task DropDatabaseAsync(string name) => ExecuteAsync($"drop database \"{name}\" with (force)");

    /// <summary>Runs a statement on the server's maintenance database.</summary>
    public async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString("postgres") + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    async Task LaunchAsync()
    {
        string[] server =
        [
            Path.Combine(Binaries, "postgres"), "-D", Data, "-k", _directory, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off",
            "-c", "max_connections=300", "-c", "shared_buffers=64MB", .. _settings.SelectMany(s => (string[])["-c", s]),
        ];
        string[] command = [.. _disk?.Enter ?? [], .. AsOwner(["/bin/sh", "-c", UntilInputEnds, "sh", _directory, .. server])];
        _process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardInput = true, WorkingDirectory = "/" })!;
        var started = Stopwatch.GetTimestamp();
        while (!await AnswersAsync())
        {
            if (Stopwatch.GetElapsedTime(started) > StartLimit)
                throw new TimeoutException($"PostgreSQL did not start within {StartLimit.TotalSeconds} s: {await File.ReadAllTextAsync(Path.Combine(_directory, "postgres.log"))}");
            await Task.Delay(20);
        }
    }

    async Task<bool> AnswersAsync()
    {
        try
        {
            await ExecuteAsync("select 1");
            return true;
        }
        catch (NpgsqlException)
        {
            return false; // No socket yet, or still starting up.
        }
    }

    async Task StopAsync()
    {
        if (_process is not { } process) return;
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(StartLimit);
        await process.WaitForExitAsync(limit.Token);
        process.Dispose();
        _process = null;
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    static string FindBinaries() =>
        (Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql") : [])
            .OrderByDescending(d => double.TryParse(Path.GetFileName(d), CultureInfo.InvariantCulture, out var version) ? version : 0)
            .Select(d => Path.Combine(d, "bin")).FirstOrDefault(d => File.Exists(Path.Combine(d, "initdb")))
        ?? throw new InvalidOperationException("no PostgreSQL server is installed under /usr/lib/postgresql: apt-get install postgresql");

    /// <summary>The command as the user that the cluster belongs to.</summary>
    static string[] AsOwner(params string[] command) =>
        Environment.UserName == "root" ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", .. command] : command;

    static Task RunAsync(string program, IReadOnlyList<string> arguments) => RunAsync([program, .. arguments]);

    static async Task RunAsync(IReadOnlyList<string> command)
    {
        using var process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" })!;
        using var limit = new CancellationTokenSource(StartLimit);
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var error = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        if (process.ExitCode != 0) throw new InvalidOperationException($"{string.Join(' ', command)} exited with {process.ExitCode}: {await output}{await error}");
    }
}
