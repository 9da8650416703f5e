using Shouldly;
using Xunit;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Server.Tests;

/// <summary>What the server is told when it is started.</summary>
public sealed class OptionTests
{
    [Theory]
    [InlineData(1.99, "2 or more")]
    [InlineData(0.001, "2 or more")]
    [InlineData(0, "greater than 0")]
    [InlineData(-3, "greater than 0")]
    [InlineData(double.NaN, "NaN")]
    public async Task A_lease_too_short_to_outlive_an_unnoticed_outage_is_refused(double seconds, string said)
    {
        await using var server = new ServerProcess { LeaseSeconds = seconds };
        server.Launch();

        (await server.EndedAsync()).ShouldBe(2);
        await Eventually.TrueAsync("its last words have arrived", () => server.Output.Contains(said, StringComparison.Ordinal));
        server.Output.ShouldNotContain("   at ");
        Directory.Exists(server.Data).ShouldBeFalse();
    }

    [Fact]
    public async Task The_shortest_lease_is_taken()
    {
        await using var server = new ServerProcess { LeaseSeconds = 2 };

        await server.StartAsync();
    }

    [Theory]
    [InlineData("0.9")]
    [InlineData("0")]
    [InlineData("-7")]
    [InlineData("3651")]
    [InlineData("NaN")]
    [InlineData("a week")]
    public async Task A_retention_of_handled_ids_that_makes_no_sense_is_refused(string days)
    {
        await using var server = new ServerProcess { Options = ["--handled-retention-days", days] };
        server.Launch();

        (await server.EndedAsync()).ShouldBe(2);
        await Eventually.TrueAsync("its last words have arrived", () => server.Output.Contains($"from 1 to 3650, not '{days}'", StringComparison.Ordinal));
        Directory.Exists(server.Data).ShouldBeFalse();
    }

    [Fact]
    public async Task What_was_handled_longer_ago_than_the_retention_is_forgotten_when_the_server_starts()
    {
        await using var server = new ServerProcess { Options = ["--handled-retention-days", "2.5"] };
        await server.StartAsync();
        await server.ExecuteAsync("insert into zfsha.handled_messages (key, handled_at) values ('x#old', now() - interval '61 hours'), ('x#new', now() - interval '59 hours')");
        await server.StopAsync();

        await server.StartAsync();

        await Eventually.TrueAsync("the old one is gone", async () => (long)(await server.ExecuteAsync("select count(*) from zfsha.handled_messages where key = 'x#old'"))! == 0);
        (await server.ExecuteAsync("select count(*) from zfsha.handled_messages where key = 'x#new'")).ShouldBe(1L);
    }

    [Theory]
    [InlineData("--connection", "Host=db1", "--data", "/somewhere")]
    [InlineData("database")]
    [InlineData("database", "backup")]
    [InlineData("database", "backup", "file", "--timeout-seconds", "0")]
    [InlineData("database", "burn", "file")]
    public async Task What_cannot_be_understood_is_bad_usage(params string[] arguments)
    {
        var (exitCode, _, error) = await ServerProcess.CommandAsync(arguments);

        exitCode.ShouldBe(2);
        error.ShouldNotBeEmpty();
        error.ShouldNotContain("   at ");
    }
}
