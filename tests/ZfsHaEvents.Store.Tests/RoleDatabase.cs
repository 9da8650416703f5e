using Npgsql;
using Shouldly;
using Xunit;

namespace ZfsHaEvents.Store.Tests;

/// <summary>A database with the product's schema as it is applied, something of everything in it, and a login for each role.</summary>
public sealed class RoleDatabase(TestDatabases databases) : IAsyncLifetime
{
    static int _numbers;

    readonly string _suffix = $"_{Environment.ProcessId}_{Interlocked.Increment(ref _numbers)}";
    readonly Dictionary<string, NpgsqlDataSource> _logins = [];
    string _connectionString = "";

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public NpgsqlDataSource Owner => _logins[""];

    public static Guid SessionOfA { get; } = Guid.NewGuid();

    public static Guid SessionOfB { get; } = Guid.NewGuid();

    /// <summary>The login of that short name.</summary>
    public NpgsqlDataSource As(string login) => _logins[login];

    public string NameOf(string login) => login + _suffix;

    public async ValueTask InitializeAsync()
    {
        _connectionString = await databases.EmptyAsync();
        _logins[""] = PostgresConnection.Open(_connectionString, "owner");
        await PostgresSchema.ApplyAsync(Owner, Cancellation);
        foreach (var (login, role) in ((string, string)[])
            [("server", "zfsha_server"), ("agent_a", "zfsha_agent"), ("agent_b", "zfsha_agent"), ("agent_of_nobody", "zfsha_agent"), ("reader", "zfsha_reader"), ("marten", "zfsha_marten")])
        {
            await ExecuteAsync(Owner, $"create role {NameOf(login)} login in role {role}");
            _logins[login] = PostgresConnection.Open(new NpgsqlConnectionStringBuilder(_connectionString) { Username = NameOf(login) }.ConnectionString, login);
        }

        await ExecuteAsync(Owner, $"insert into zfsha.agent_logins (login, host) values ('{NameOf("agent_a")}', 'a'), ('{NameOf("agent_b")}', 'b')");
        await using var wakeUps = new WakeUps(Owner);
        var store = new PostgresEventStore(Owner, wakeUps);
        foreach (var (stream, holder, session) in ((string, string, Guid)[])[("host-a", "a", SessionOfA), ("host-b", "b", SessionOfB)])
            await CommitAsync(store, stream, new LeaseChange.Grant(holder, session, TimeSpan.FromHours(1), "{}"));
        foreach (var stream in (string[])["pool-1", "pool-archived"]) await CommitAsync(store, stream, null);
        await ExecuteAsync(Owner, "select zfsha.mt_archive_stream('pool-archived')");
    }

    static async Task CommitAsync(PostgresEventStore store, string stream, LeaseChange? lease) => (await store.CommitAsync(new(stream, stream.Split('-')[0], 0, DateTimeOffset.UtcNow, null)
    {
        Events = [PostgresOnlyTests.Event(), PostgresOnlyTests.Event()],
        Documents = stream == "pool-1" ? [.. ((string[])["poolownership", "dossier", "alert", "hostview"]).Select(k => new Document(k, "1", "{}", "T", 2))] : [],
        Lease = lease,
    }, Cancellation)).ShouldBe(CommitResult.Committed);

    /// <summary>Every row of every table of ours.</summary>
    public async Task<List<string>> ContentsAsync()
    {
        var rows = new List<string>();
        foreach (var table in await ListAsync(Owner, "select relname::text from pg_class where relnamespace = 'zfsha'::regnamespace and relkind = 'r' order by 1"))
            rows.AddRange((await ListAsync(Owner, $"select t::text from zfsha.{table} t order by 1")).Select(row => $"{table}: {row}"));
        return rows;
    }

    /// <summary>Each statement, in a session of its own, is refused for want of a right or because events are kept, and nothing is otherwise afterwards.</summary>
    public async Task ShouldBeRefusedAsync(string login, params string[] statements)
    {
        var before = await ContentsAsync();
        foreach (var statement in statements)
        {
            var refusal = await Should.ThrowAsync<PostgresException>(() => ExecuteAsync(As(login), statement), statement);
            refusal.SqlState.ShouldBeOneOf([PostgresErrorCodes.InsufficientPrivilege, "ZE001"], $"{statement}: {refusal.MessageText}");
        }

        (await ContentsAsync()).ShouldBe(before);
    }

    public static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    public static async Task<List<string>> ListAsync(NpgsqlDataSource database, string sql, params object[] values)
    {
        await using var command = database.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        var rows = new List<string>();
        while (await reader.ReadAsync(Cancellation)) rows.Add(reader.IsDBNull(0) ? "" : reader.GetString(0));
        return rows;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var login in _logins.Values) await login.DisposeAsync();
    }
}
