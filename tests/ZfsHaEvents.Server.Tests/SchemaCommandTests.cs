using System.Diagnostics;
using System.Text.Json.Nodes;
using Npgsql;
using Shouldly;
using Xunit;
using ZfsHaEvents.Store;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Server.Tests;

/// <summary><c>zfsha-server schema</c> on a PostgreSQL that was given, and what a server does about the schema when it starts.</summary>
public sealed class SchemaCommandTests : IAsyncLifetime
{
    PostgresServer? _server;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    string Owner => _server!.ConnectionString("audit");

    /// <summary>May connect and no more, unless roles.sql says so.</summary>
    string Login => new NpgsqlConnectionStringBuilder(Owner) { Username = "control_plane" }.ConnectionString;

    public async ValueTask InitializeAsync()
    {
        _server = await PostgresServer.StartAsync();
        await _server.CreateDatabaseAsync("audit");
        await _server.ExecuteAsync("create role control_plane login");
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
    }

    static async Task<(int ExitCode, JsonNode Output)> SchemaAsync(string verb, string connectionString)
    {
        var (exitCode, output, error) = await ServerProcess.CommandAsync("schema", verb, "--connection", connectionString, "--json");
        return (exitCode, JsonNode.Parse(output.Length > 0 ? output : error)!);
    }

    async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(Owner + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    [Fact]
    public async Task Checked_applied_and_checked_again()
    {
        var (before, said) = await SchemaAsync("check", Owner);
        before.ShouldBe(1);
        ((bool)said["current"]!).ShouldBeFalse();
        said["pending"]!.AsArray().Count.ShouldBe(PostgresSchema.Scripts().Count);

        (await SchemaAsync("apply", Owner)).Output["applied"]!.AsArray().Count.ShouldBe(PostgresSchema.Scripts().Count);

        (await SchemaAsync("apply", Owner)).Output["applied"]!.AsArray().ShouldBeEmpty();
        var (after, current) = await SchemaAsync("check", Owner);
        after.ShouldBe(0, current.ToJsonString());
        ((bool)current["current"]!).ShouldBeTrue();
        await ExecuteAsync("drop index zfsha.ix_events_host");
        var (differs, problems) = await SchemaAsync("check", Owner);
        differs.ShouldBe(1);
        problems["problems"]!.AsArray().ShouldContain(p => ((string)p!).Contains("ix_events_host"));
    }

    [Fact]
    public async Task The_script_is_for_psql_and_can_be_run_twice()
    {
        var (exitCode, script, error) = await ServerProcess.CommandAsync("schema", "script");
        exitCode.ShouldBe(0, error);

        for (var n = 0; n < 2; n++)
        {
            using var psql = Process.Start(new ProcessStartInfo(Path.Combine(PostgresServer.Binaries, "psql"), ["-h", _server!.Host, "-U", "zfsha", "-d", "audit", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null"])
            {
                RedirectStandardInput = true,
                RedirectStandardError = true,
            })!;
            var errors = psql.StandardError.ReadToEndAsync(Cancellation);
            await psql.StandardInput.WriteAsync(script);
            psql.StandardInput.Close();
            await psql.WaitForExitAsync(Cancellation);
            psql.ExitCode.ShouldBe(0, await errors);
        }

        (await SchemaAsync("check", Owner)).ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task A_server_whose_user_may_not_apply_the_schema_names_the_command_and_starts_once_it_was_run()
    {
        await using var server = new ServerProcess { Connection = Login };
        server.Launch();
        (await server.EndedAsync()).ShouldBe(1);
        await Eventually.TrueAsync("its last words have arrived", () => server.Output.Contains("zfsha-server schema apply", StringComparison.Ordinal));
        server.Output.ShouldContain("0001-events.sql");
        server.Output.ShouldNotContain("   at ");
        var (refused, said) = await SchemaAsync("apply", Login);
        refused.ShouldBe(1);
        ((string)said["error"]!).ShouldContain("owner");

        (await SchemaAsync("apply", Owner)).ExitCode.ShouldBe(0);
        await ExecuteAsync("grant zfsha_server to control_plane");
        await server.StartAsync();

        server.Output.ShouldNotContain("\"EventId\":18,"); // LogMessages.SchemaDiffers: a user of another name and another search path sees the same schema.
        (await SchemaAsync("check", Login)).ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task A_server_whose_user_may_applies_what_is_missing()
    {
        await using var server = new ServerProcess { Connection = Owner };

        await server.StartAsync();

        (await SchemaAsync("check", Owner)).ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task A_database_of_a_newer_version_is_refused_by_all()
    {
        await SchemaAsync("apply", Owner);
        await ExecuteAsync("insert into zfsha.schema_scripts (name, sha256) values ('9999-later.sql', '')");

        var (check, problems) = await SchemaAsync("check", Owner);
        check.ShouldBe(1);
        ((string)problems["problems"]![0]!).ShouldContain("newer version");
        var (apply, said) = await SchemaAsync("apply", Owner);
        apply.ShouldBe(1);
        ((string)said["error"]!).ShouldContain("newer version");
        await using var server = new ServerProcess { Connection = Owner };
        server.Launch();
        (await server.EndedAsync()).ShouldBe(1);
        await Eventually.TrueAsync("its last words have arrived", () => server.Output.Contains("newer version", StringComparison.Ordinal));
    }
}
