using System.Diagnostics;
using Microsoft.Win32.SafeHandles;
using Npgsql;

namespace ZfsHaEvents.Server;

/// <summary>The private PostgreSQL cannot be had; the message says why and what to do.</summary>
public sealed class PrivateClusterException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>How a private cluster is to be used.</summary>
public sealed record PrivateClusterUse
{
    /// <summary>Make the cluster when there is none; otherwise that is an error.</summary>
    public bool Create { get; init; } = true;

    /// <summary>Nobody else may use it meanwhile: refused while a server or a backup does, and they wait until this is over.</summary>
    public bool Alone { get; init; }

    /// <summary>How long PostgreSQL may take until it accepts connections: after a crash it first goes through its log.</summary>
    public TimeSpan ReadyLimit { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>
/// A PostgreSQL of our own, for when no connection string is given: an unprivileged user, a unix socket only, <c>fsync</c> on.
/// It outlives a killed server, which joins it again; it is started again when it dies itself; the last server to stop cleanly
/// stops it.
/// </summary>
public sealed class PrivateCluster : IAsyncDisposable
{
    const string Superuser = "zfsha";
    const string Database = "zfsha";
    const int StartsMax = 5;
    const int LeavesMax = 5;
    const string InUseLock = "servers.lock";
    const string StartingLock = "starting.lock";

    /// <summary>sun_path of unix(7) less PostgreSQL's own file name in it.</summary>
    const int SocketDirectoryMax = 107 - 14;

    static readonly TimeSpan CommandLimit = TimeSpan.FromSeconds(90);
    static readonly TimeSpan Again = TimeSpan.FromMilliseconds(100);

    readonly string _binaries;
    readonly string _directory;
    readonly TimeSpan _readyLimit;
    readonly ILogger _log;
    readonly SafeFileHandle _inUse;
    readonly CancellationTokenSource _stopping = new();
    Task _supervising = Task.CompletedTask;

    PrivateCluster(string binaries, string directory, TimeSpan readyLimit, SafeFileHandle inUse, ILogger log) =>
        (_binaries, _directory, _readyLimit, _inUse, _log) = (binaries, directory, readyLimit, inUse, log);

    string Data => DataIn(_directory);

    string Socket => Path.Combine(_directory, "socket");

    /// <summary>For agents and people on this machine too.</summary>
    public string ConnectionString => new NpgsqlConnectionStringBuilder { Host = Socket, Username = Superuser, Database = Database }.ConnectionString;

    /// <inheritdoc cref="StartAsync(string, PrivateClusterUse, ILogger, CancellationToken)"/>
    public static Task<PrivateCluster> StartAsync(string directory, ILogger log, CancellationToken cancellation) => StartAsync(directory, new(), log, cancellation);

    /// <summary>Starts the cluster in this directory, or joins it when it runs already; makes it when there is none. It accepts connections when this returns.</summary>
    /// <exception cref="PrivateClusterException">No PostgreSQL is installed, the directory is another's or in use, or the server does not start.</exception>
    public static async Task<PrivateCluster> StartAsync(string directory, PrivateClusterUse use, ILogger log, CancellationToken cancellation)
    {
        directory = Path.GetFullPath(directory);
        if (Path.Combine(directory, "socket").Length > SocketDirectoryMax)
            throw new PrivateClusterException($"'{directory}' is too long for a unix socket in it; choose a directory of at most {SocketDirectoryMax - 7} characters with --data");

        var madeBy = VersionOf(DataIn(directory));
        if (madeBy is null && !use.Create)
            throw new PrivateClusterException($"there is no private PostgreSQL in '{directory}'; name its directory with --data, or another PostgreSQL with --connection");
        var binaries = PostgresPrograms.Find("initdb", madeBy);
        RefuseSomebodyElses(directory);
        Directory.CreateDirectory(directory);
        var inUse = FileLock.Open(Path.Combine(directory, InUseLock));
        var cluster = new PrivateCluster(binaries, directory, use.ReadyLimit, inUse, log);
        var started = false;
        try
        {
            // Held shared by everybody who uses the cluster, so that the last one to stop knows that it is the last.
            if (!use.Alone) await FileLock.SharedAsync(inUse, cancellation);
            else if (!FileLock.TryExclusive(inUse))
                throw new PrivateClusterException($"the private PostgreSQL in '{directory}' is in use ({InUseLock} there is locked by a server or a backup that runs): stop every zfsha-server on it first");
            await cluster.EnsureRunningAsync(cancellation);
            await cluster.CreateDatabaseAsync(cancellation);
            cluster._supervising = Task.Run(cluster.SuperviseAsync, CancellationToken.None);
            started = true;
            return cluster;
        }
        finally
        {
            if (!started) await cluster.DisposeAsync(); // Or it would count as one of the cluster's users.
        }
    }

    static string DataIn(string directory) => Path.Combine(directory, "data");

    /// <summary>The major version that made the cluster; null when there is none.</summary>
    static string? VersionOf(string data) => Path.Combine(data, "PG_VERSION") is var file && File.Exists(file) ? File.ReadAllText(file).Trim() : null;

    /// <summary>
    /// Before anything is written: the directory is handed to PostgreSQL's user, and that must not befall <c>/srv</c> or another
    /// PostgreSQL's files. A directory in which a server of ours has started is ours, whatever state it is in.
    /// </summary>
    static void RefuseSomebodyElses(string directory)
    {
        if (!Directory.Exists(directory)) return;
        string[] harmless = [InUseLock, "lost+found"];
        var found = Directory.EnumerateFileSystemEntries(directory).FirstOrDefault(e => !harmless.Contains(Path.GetFileName(e)));
        // Asked last: another server may be making its cluster there in this moment, and begins with that file.
        if (found is not null && !File.Exists(Path.Combine(directory, StartingLock)))
            throw new PrivateClusterException($"'{directory}' is not empty (it holds '{Path.GetFileName(found)}'), and no server of ours has ever started there; choose another directory with --data");
    }

    async Task EnsureRunningAsync(CancellationToken cancellation)
    {
        using var starting = FileLock.Open(Path.Combine(_directory, StartingLock));
        await FileLock.ExclusiveAsync(starting, cancellation);
        if (IsRunning())
        {
            _log.PrivateCluster($"joined the one that runs in {_directory}");
        }
        else
        {
            if (VersionOf(Data) is null) await InitializeAsync(cancellation);
            var (made, installed) = (VersionOf(Data), await MajorVersionAsync(cancellation));
            if (made != installed)
                throw new PrivateClusterException($"the cluster in {Data} was made by PostgreSQL {made}, and {installed} is installed in {_binaries}: install {made}, or move it over with pg_upgrade");

            await StartPostgresAsync(cancellation);
            _log.PrivateCluster($"started in {_directory}");
        }

        await AcceptsConnectionsAsync(cancellation);
    }

    /// <summary>A PostgreSQL that was killed, and its children, are still there for a moment; until its pid and shared memory are free none can start.</summary>
    async Task StartPostgresAsync(CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (Postmaster.RemoveStale(Data) is { } another) _log.PrivateCluster($"the pid {another} in {Data}/postmaster.pid is another process by now; the file is removed");
            try
            {
                await RunAsync("pg_ctl", ["start", "--wait", "--timeout=30", "--silent", "-D", Data, "-l", Path.Combine(_directory, "postgres.log")], cancellation);
                return;
            }
            catch (PrivateClusterException) when (IsRunning())
            {
                return; // Recovery after a crash takes longer than pg_ctl waits, and is waited for afterwards.
            }
            catch (PrivateClusterException e) when (attempt < StartsMax)
            {
                _log.PrivateCluster($"did not start, tried again in a second: {e.Message}");
                await Task.Delay(TimeSpan.FromSeconds(1), cancellation);
            }
        }
    }

    /// <summary>One that is still in recovery after a crash is there, and turns everybody away until it is through.</summary>
    async Task AcceptsConnectionsAsync(CancellationToken cancellation)
    {
        await using var server = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(ConnectionString) { Database = "postgres", Pooling = false, Timeout = 5, CommandTimeout = 30 });
        var began = Stopwatch.GetTimestamp();
        for (string? said = null; ;)
        {
            try
            {
                await using var fsync = server.CreateCommand("show fsync");
                if ((string?)await fsync.ExecuteScalarAsync(cancellation) != "on")
                    throw new PrivateClusterException($"fsync is off in {Data}: after a power loss, events would be missing that were acknowledged. Take it out of postgresql.conf and postgresql.auto.conf there, and restart");
                return;
            }
            catch (NpgsqlException e) when (e is not PostgresException { SqlState: not PostgresErrorCodes.CannotConnectNow })
            {
                if (!IsRunning()) throw new PrivateClusterException($"PostgreSQL ended in {_directory} before it accepted connections: {LastWords()} (see {Path.Combine(_directory, "postgres.log")})", e);
                if (Stopwatch.GetElapsedTime(began) > _readyLimit)
                {
                    throw new PrivateClusterException(
                        $"the PostgreSQL in {_directory} runs and has not accepted connections for {_readyLimit.TotalSeconds:0} s ({Reason(e)}). Recovery after a crash goes on by itself: see {Path.Combine(_directory, "postgres.log")}, and start again later", e);
                }

                if (Reason(e) != said) _log.PrivateCluster($"does not accept connections yet, waiting: {said = Reason(e)}");
                await Task.Delay(Again, cancellation);
            }
        }
    }

    static string Reason(NpgsqlException e) => e is PostgresException said ? said.MessageText : e.Message;

    string LastWords()
    {
        try
        {
            return File.ReadLines(Path.Combine(_directory, "postgres.log")).LastOrDefault() ?? "it said nothing";
        }
        catch (IOException e)
        {
            return e.Message;
        }
    }

    async Task InitializeAsync(CancellationToken cancellation)
    {
        if (Directory.Exists(Data) && Directory.EnumerateFileSystemEntries(Data).Any())
            throw new PrivateClusterException($"{Data} is not empty and holds no PostgreSQL cluster; choose another directory with --data");

        foreach (var made in (string[])[Data, Socket])
        {
            Directory.CreateDirectory(made);
            File.SetUnixFileMode(made, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        if (IsRoot())
        {
            await CheckedAsync("chown", ["postgres:postgres", _directory, Data, Socket], cancellation);
        }

        await RunAsync("initdb", ["-D", Data, "-U", Superuser, "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--locale=C", "--no-instructions"], cancellation);
        await File.AppendAllTextAsync(Path.Combine(Data, "postgresql.conf"),
            $"""

            # Written once when this cluster was made.
            listen_addresses = ''
            unix_socket_directories = '{Socket.Replace("'", "''", StringComparison.Ordinal)}'
            unix_socket_permissions = 0700
            shared_buffers = 64MB
            max_connections = 200
            # Readers wait for the oldest transaction; one that was forgotten must not hold them up for ever.
            idle_in_transaction_session_timeout = 30s

            """, cancellation);
        _log.PrivateCluster($"made in {_directory}");
    }

    bool IsRunning() => Postmaster.Runs(Data, Socket);

    async Task CreateDatabaseAsync(CancellationToken cancellation)
    {
        await using var server = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(ConnectionString) { Database = "postgres", Pooling = false });
        try
        {
            await using var create = server.CreateCommand($"create database {Database}");
            await create.ExecuteNonQueryAsync(cancellation);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DuplicateDatabase or PostgresErrorCodes.UniqueViolation)
        {
            // There already, or made by another server in this moment.
        }
    }

    async Task SuperviseAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(TimeSpan.FromSeconds(1), _stopping.Token);
                if (!IsRunning()) await EnsureRunningAsync(_stopping.Token);
            }
            catch (OperationCanceledException)
            {
                return; // Stopping.
            }
            catch (Exception e) when (e is PrivateClusterException or NpgsqlException or IOException)
            {
                _log.PrivateCluster($"not running, tried again in a second: {e.Message}");
            }
        }
    }

    async Task<string> MajorVersionAsync(CancellationToken cancellation)
    {
        var text = await CheckedAsync(Path.Combine(_binaries, "postgres"), ["--version"], cancellation); // postgres (PostgreSQL) 15.18 (Debian …)
        return text.Split(' ')[2].Split('.')[0];
    }

    /// <summary>Runs one of PostgreSQL's programs as the unprivileged user: its server refuses root.</summary>
    Task<string> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        var path = Path.Combine(_binaries, program);
        return IsRoot()
            ? CheckedAsync("setpriv", ["--reuid=postgres", "--regid=postgres", "--init-groups", "--", path, .. arguments], cancellation)
            : CheckedAsync(path, arguments, cancellation);
    }

    async Task<string> CheckedAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _directory };
        start.Environment["LC_ALL"] = "C";
        using var process = Process.Start(start) ?? throw new PrivateClusterException($"{program} could not be started");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(CommandLimit);
        try
        {
            // Standard output is read only to its first pause: pg_ctl leaves a server behind that inherits it.
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            if (process.ExitCode == 0) return program.EndsWith("postgres", StringComparison.Ordinal) ? await process.StandardOutput.ReadToEndAsync(limit.Token) : "";
            throw new PrivateClusterException($"{string.Join(' ', [program, .. arguments])} exited with {process.ExitCode}: {(await error).Trim()} (see also {Path.Combine(_directory, "postgres.log")})");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new PrivateClusterException($"{program} did not end within {CommandLimit.TotalSeconds} s");
        }
    }

    /// <summary>Nobody else uses the cluster. Asked more than once: a program that is being started has our descriptors, and with them the lock, until its exec.</summary>
    async Task<bool> IsLastAsync()
    {
        for (var attempt = 1; attempt <= LeavesMax; attempt++)
        {
            if (FileLock.TryExclusive(_inUse)) return true;
            await Task.Delay(Again, CancellationToken.None);
        }

        return false;
    }

    static bool IsRoot() => Environment.UserName == "root";

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _supervising;
        _stopping.Dispose();
        try
        {
            if (await IsLastAsync() && IsRunning())
            {
                await RunAsync("pg_ctl", ["stop", "--mode=fast", "--wait", "--timeout=60", "--silent", "-D", Data], CancellationToken.None);
                _log.PrivateCluster("stopped");
            }
        }
        catch (PrivateClusterException e)
        {
            _log.PrivateCluster($"could not be stopped: {e.Message}");
        }

        _inUse.Dispose();
    }
}
