using System.Globalization;
using Npgsql;
using Xunit;
using ZfsHaEvents.Store.Tests;
using ZfsHaEvents.Testing;

[assembly: AssemblyFixture(typeof(TestDatabases))]

namespace ZfsHaEvents.Store.Tests;

/// <summary>One PostgreSQL for all tests, and a fresh database for each.</summary>
public sealed class TestDatabases : IAsyncLifetime
{
    const string Template = "zfsha_template";

    static int _numbers;

    PostgresServer? _server;

    public PostgresServer Server => _server!;

    public async ValueTask InitializeAsync()
    {
        _server = await PostgresServer.StartAsync();
        await Server.CreateDatabaseAsync(Template);
        await DatabaseClock.InstallAsync(Server.ConnectionString(Template) + ";Pooling=false");
        await using var database = PostgresConnection.Open(DatabaseClock.Following(Server.ConnectionString(Template)) + ";Pooling=false", "template");
        await PostgresSchema.ApplyAsync(database, CancellationToken.None);
        await DatabaseClock.LetFunctionsFollowAsync(Server.ConnectionString(Template) + ";Pooling=false");
    }

    /// <summary>A database with the product's schema, whose clock goes faster when told.</summary>
    /// <returns>Its connection string.</returns>
    public async Task<string> WithSchemaAsync() => DatabaseClock.Following(await NewAsync(Template));

    /// <summary>A database without anything in it.</summary>
    public Task<string> EmptyAsync() => NewAsync("template1");

    async Task<string> NewAsync(string template)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"test_{Interlocked.Increment(ref _numbers)}");
        await Server.CreateDatabaseAsync(name, template);
        return Server.ConnectionString(name);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
    }
}

/// <summary>
/// Lets time pass for the product's own SQL: its unqualified <c>clock_timestamp()</c> is found in a schema that stands before
/// <c>pg_catalog</c> in the search path.
/// </summary>
static class DatabaseClock
{
    public static string Following(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString) { SearchPath = "test_clock,pg_catalog" }.ConnectionString;

    public static Task InstallAsync(string connectionString) => ExecuteAsync(connectionString,
        """
        create schema test_clock;
        create table test_clock.passed (amount interval not null);
        insert into test_clock.passed values ('0');
        create function test_clock.clock_timestamp() returns timestamptz language sql volatile as
        $$ select pg_catalog.clock_timestamp() + (select amount from test_clock.passed) $$;
        """);

    /// <summary>Functions that run with their owner's rights have a search path of their own.</summary>
    public static Task LetFunctionsFollowAsync(string connectionString) => ExecuteAsync(connectionString,
        """
        do $$
        declare
            f regprocedure;
        begin
            for f in select oid from pg_proc where pronamespace = 'zfsha'::regnamespace and proconfig is not null loop
                execute format('alter function %s set search_path = test_clock, pg_catalog', f);
            end loop;
        end $$;
        """);

    public static Task PassAsync(string connectionString, TimeSpan time) =>
        ExecuteAsync(connectionString, "update test_clock.passed set amount = amount + $1", time);

    public static async Task ExecuteAsync(string connectionString, string sql, params object[] parameters)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters) command.Parameters.Add(new() { Value = parameter });
        await command.ExecuteNonQueryAsync();
    }
}
