using System.Diagnostics;
using System.Globalization;
using Npgsql;
using ZfsHaEvents.Store;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Benchmarks.Store;

/// <summary>
/// What every rate is compared with: <c>pgbench</c>, 8 clients, prepared statements, calling a function that appends one event of 400 bytes to a table with Marten's
/// columns and indexes and nothing else, takes its number from a sequence and raises the version of its stream. Each call is a commit.
/// No program that appends an event at a time gets past it on the same machine at the same time.
/// </summary>
sealed class Floor
{
    /// <summary>As many streams as there are for each connection of ours.</summary>
    public const int StreamsPerClient = 100;

    /// <summary>How many connections, everywhere.</summary>
    public const int Clients = 8;

    const string Name = "pgbench";

    const string Schema =
        """
        create schema floor;
        create table floor.streams (
            id varchar not null primary key, type varchar, version bigint, timestamp timestamptz not null default now(), snapshot jsonb, snapshot_version integer,
            created timestamptz not null default now(), tenant_id varchar default '*DEFAULT*', is_archived bool default false);
        create table floor.events (
            seq_id bigint not null primary key, id uuid not null, stream_id varchar, version bigint not null, data jsonb not null, bdata bytea, type varchar(500) not null,
            timestamp timestamptz not null default now(), tenant_id varchar default '*DEFAULT*', mt_dotnet_type varchar, correlation_id varchar, causation_id varchar,
            headers jsonb, user_name varchar, is_archived bool default false);
        create unique index on floor.events (stream_id, version);
        create sequence floor.events_sequence;
        create function floor.append(p_stream integer, p_body jsonb, p_headers jsonb) returns bigint language plpgsql as
        $$
        declare
            added bigint;
        begin
            update floor.streams set version = version + 1, timestamp = now() where id = p_stream::text returning version into added;
            insert into floor.events (seq_id, id, stream_id, version, data, type, mt_dotnet_type, headers, user_name)
            values (nextval('floor.events_sequence'), gen_random_uuid(), p_stream::text, added, p_body, 'pool_observed',
                    'ZfsHaEvents.Domain.Pools.PoolObserved, ZfsHaEvents.Domain', p_headers, 'zfsha-agent');
            return added;
        end
        $$;
        insert into floor.streams (id, type, version) select n::text, 'pool', 0 from generate_series(0, 799) n;
        """;

    static readonly string Script = string.Create(CultureInfo.InvariantCulture,
        $"\\set stream :client_id * {StreamsPerClient} + random(0, {StreamsPerClient - 1})\nselect floor.append(:stream, :body, :headers);\n");

    readonly StoreDatabase _database;
    readonly NewEvent _event = Samples.Event();
    readonly NpgsqlDataSource _source;

    Floor(StoreDatabase database) => (_database, _source) = (database, database.Open());

    public static async Task<Floor> OnAsync(StoreDatabase database, CancellationToken cancellation)
    {
        await database.ExecuteAsync(Schema, cancellation);
        return new(database);
    }

    /// <summary>The series as a floor.</summary>
    public static (string What, IReadOnlyList<double> Values) Of(IReadOnlyList<double> commitsPerSecond) => (Name, commitsPerSecond);

    /// <summary>Commits per second over so long.</summary>
    public async Task<double> CommitsPerSecondAsync(TimeSpan time, CancellationToken cancellation)
    {
        var script = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"zfsha-floor-{Environment.ProcessId}.sql"));
        await File.WriteAllTextAsync(script, Script, cancellation);
        try
        {
            string[] arguments =
            [
                "--host", _database.SocketDirectory, "--username", "zfsha", "--no-vacuum", "--protocol=prepared", string.Create(CultureInfo.InvariantCulture, $"--client={Clients}"), "--jobs=2",
                string.Create(CultureInfo.InvariantCulture, $"--time={Math.Ceiling(time.TotalSeconds)}"), "--file", script, "--define", $"body={_event.Json}", "--define", $"headers={_event.HeadersJson}",
                new NpgsqlConnectionStringBuilder(_database.ConnectionString).Database!,
            ];
            var printed = await RunAsync(Path.Combine(PostgresServer.Binaries, Name), arguments, time + TimeSpan.FromSeconds(30), cancellation);
            const string Before = "tps = ";
            var at = printed.LastIndexOf(Before, StringComparison.Ordinal);
            if (at < 0) throw new InvalidOperationException($"pgbench did not say how many transactions it made in a second: {printed}");
            return double.Parse(printed.AsSpan(at + Before.Length).TrimStart()[..printed.AsSpan(at + Before.Length).IndexOf(' ')], CultureInfo.InvariantCulture);
        }
        finally
        {
            File.Delete(script);
        }
    }

    /// <summary>The same function called through Npgsql, prepared: as much as can be had from .NET.</summary>
    public async Task<int> AppendRawAsync(NpgsqlConnection connection, int client, int round, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select floor.append($1, $2, $3)", connection)
        {
            Parameters =
            {
                new NpgsqlParameter<int> { TypedValue = client * StreamsPerClient + round % StreamsPerClient },
                new NpgsqlParameter<string> { TypedValue = _event.Json, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Jsonb },
                new NpgsqlParameter<string> { TypedValue = _event.HeadersJson, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Jsonb },
            },
        };
        await command.PrepareAsync(cancellation); // Nothing is sent when this connection has it.
        await command.ExecuteNonQueryAsync(cancellation);
        return 1;
    }

    /// <summary>Connections for <see cref="AppendRawAsync"/>, one for each client.</summary>
    public ValueTask<NpgsqlConnection> ConnectAsync(CancellationToken cancellation) => _source.OpenConnectionAsync(cancellation);

    static async Task<string> RunAsync(string program, IReadOnlyList<string> arguments, TimeSpan limit, CancellationToken cancellation)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limited.CancelAfter(limit);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limited.Token);
            var error = process.StandardError.ReadToEndAsync(limited.Token);
            await process.WaitForExitAsync(limited.Token);
            return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"{program} exited with {process.ExitCode}: {await output}{await error}");
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
    }
}
