using Npgsql;
using Shouldly;
using Xunit;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Server.Tests;

/// <summary>A database that is there and says no: the server lives through it, and nobody is taken for dead for it.</summary>
public sealed class DatabaseRefusalTests
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_database_that_takes_no_writes_for_a_while_ends_neither_the_server_nor_a_lease()
    {
        await using var server = new ServerProcess { LeaseSeconds = 3 };
        await server.StartAsync();
        var (first, second) = (World.NewPool(), World.NewPool());
        await server.TellAsync(World.Opened("a", 1, (first, "tank")));

        await ReadOnlyAsync(server, "on");
        await Task.Delay(TimeSpan.FromSeconds(server.LeaseSeconds + 1), Cancellation);
        server.HasEnded.ShouldBeFalse(server.Output);
        var usable = await ReadOnlyAsync(server, "off");

        await server.TellAsync(World.Saw("a", second, "dozer"));
        (await server.GetAsync($"/pools/{second}")).Body["holder"]!.ToString().ShouldBe("a");
        await Eventually.TrueAsync("the watch goes on, and finds the lease that nobody renews", async () => await LostAsync(server) is not null);
        (await LostAsync(server))!.Value.ShouldBeGreaterThan(usable + TimeSpan.FromSeconds(server.LeaseSeconds)); // Its full time anew.
        server.Output.Split('\n').Count(line => line.Contains("25006", StringComparison.Ordinal)).ShouldBeInRange(1, 2, "once for the queue, once for the watch");
    }

    /// <summary>As on a standby: what the server has open goes, and what it opens can only read, or also write again.</summary>
    /// <returns>The database's clock afterwards.</returns>
    static async Task<DateTime> ReadOnlyAsync(ServerProcess server, string state)
    {
        await using var connection = new NpgsqlConnection($"Host={Path.Combine(server.Data, "socket")};Username=zfsha;Database=postgres;Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand($"alter database zfsha set default_transaction_read_only = {state}", connection);
        await command.ExecuteNonQueryAsync(Cancellation);
        command.CommandText = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'zfsha-server'";
        await command.ExecuteNonQueryAsync(Cancellation);
        command.CommandText = "select clock_timestamp()";
        return (DateTime)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    static async Task<DateTime?> LostAsync(ServerProcess server) => await server.ExecuteAsync("select max(timestamp) from zfsha.mt_events where type = 'host_lease_lost'") as DateTime?;
}
