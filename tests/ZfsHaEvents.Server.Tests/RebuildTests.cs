using Npgsql;
using Shouldly;
using Xunit;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Server.Tests;

/// <summary>Views and who keeps them, with servers that are killed and frozen.</summary>
public sealed class RebuildTests
{
    const int Pools = 50, EventsOfEach = 1000;

    const string Rebuild = "PoolActivity:Rebuild", Live = "PoolActivity:All";

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_killed_in_mid_rebuild_leaves_the_old_view_until_another_has_completed_the_new_one()
    {
        await using var first = new ServerProcess();
        await first.StartAsync();
        await ActivityCheck.WriteManyAsync(first.ConnectionString, Pools, EventsOfEach);
        await Eventually.TrueAsync("the view is there", async () => await CountedAsync(first) == Pools * EventsOfEach);
        await first.ExecuteAsync("update zfsha.mt_doc_poolactivity set data = jsonb_set(data, '{Halts}', '777777')"); // The old view, as nobody would make it.
        await using var second = new ServerProcess { Data = first.Data };

        ((int)(await first.PostAsync("/projections/PoolActivity/rebuilds", new { by = "alice" })).Status).ShouldBe(200);
        await using (var connection = new NpgsqlConnection(first.ConnectionString))
        {
            await connection.OpenAsync(Cancellation);
            await using var middle = await StoppedInTheMiddleAsync(connection);
            await second.StartAsync();
            await first.KillAsync();
            (await second.GetAsync("/activity")).Body.AsArray().Select(a => (long)a!["activity"]!["halts"]!).ShouldBe(Enumerable.Repeat(777_777L, Pools));
        }

        await ActivityCheck.OneMoreAsync(second, pool: 7); // The readers' tasks go on meanwhile.
        await Eventually.TrueAsync("another has completed it", async () =>
        {
            var (old, rebuilding) = await OldAsync(second);
            old.ShouldBe(rebuilding ? Pools : 0, "all of it is the old view, or all of it the new one");
            return !rebuilding;
        });
        await Eventually.TrueAsync("the last event is counted", async () => await CountedAsync(second) == (Pools * EventsOfEach) + 1);

        await ActivityCheck.ViewShouldBeTheFoldAsync(second.ConnectionString);
        ((long)(await second.ExecuteAsync("select count(*) from zfsha.mt_doc_poolactivity_rebuild"))!).ShouldBe(0);
    }

    [Fact]
    public async Task Of_two_servers_one_reads_and_when_it_is_frozen_or_killed_the_other_goes_on_and_counts_nothing_twice()
    {
        await using var first = new ServerProcess();
        await using var second = new ServerProcess { Data = first.Data };
        await first.StartAsync();
        await second.StartAsync();
        await ActivityCheck.WriteManyAsync(first.ConnectionString, pools: 5, eventsOfEach: 100);
        await Eventually.TrueAsync("the view is there", async () => await CountedAsync(first) == 500);

        // Whoever it was: while the first stands still, it is the second.
        await first.FreezeAsync();
        await ActivityCheck.OneMoreAsync(first, pool: 1);
        await Eventually.TrueAsync("the second reads", async () => await CountedAsync(first) == 501);
        await first.ThawAsync(); // It goes on where it stood, with a place that is no longer its own.
        for (var n = 1; n <= 20; n++) await ActivityCheck.OneMoreAsync(first, pool: 2);
        await Eventually.TrueAsync("one of them reads", async () => await CountedAsync(first) == 521);

        await first.FreezeAsync();
        await ActivityCheck.OneMoreAsync(first, pool: 1);
        await Eventually.TrueAsync("the second reads again", async () => await CountedAsync(first) == 522);
        var runner = await RunnerAsync(first);
        await second.KillAsync();
        await first.ThawAsync();
        for (var n = 1; n <= 20; n++) await ActivityCheck.OneMoreAsync(first, pool: 3);
        await Eventually.TrueAsync("the first reads", async () => await CountedAsync(first) == 542);

        (await RunnerAsync(first)).ShouldNotBe(runner);
        await ActivityCheck.ViewShouldBeTheFoldAsync(first.ConnectionString);
    }

    /// <summary>Holds the rebuild's place where it is, after its first page and before its last, as long as the transaction lasts.</summary>
    static async Task<NpgsqlTransaction> StoppedInTheMiddleAsync(NpgsqlConnection connection)
    {
        while (true)
        {
            var transaction = await connection.BeginTransactionAsync(Cancellation);
            await using var place = new NpgsqlCommand($"select last_seq_id from zfsha.mt_event_progression where name = '{Rebuild}' for update", connection, transaction);
            var reached = (await place.ExecuteScalarAsync(Cancellation)).ShouldBeOfType<long>("the rebuild is still running");
            if (reached > 0)
            {
                reached.ShouldBeLessThan(Pools * EventsOfEach);
                return transaction;
            }

            await transaction.DisposeAsync();
            await Task.Delay(5, Cancellation);
        }
    }

    /// <summary>How many pools have the numbers of the old view, and whether the new one is still being made, in the same moment.</summary>
    static async Task<(long Old, bool Rebuilding)> OldAsync(ServerProcess server)
    {
        var both = (string)(await server.ExecuteAsync(
            $"select count(*) filter (where data ->> 'Halts' = '777777') || ' ' || exists (select from zfsha.mt_event_progression where name = '{Rebuild}') from zfsha.mt_doc_poolactivity"))!;
        return (long.Parse(both.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture), both.EndsWith("true", StringComparison.Ordinal));
    }

    /// <summary>Events in the view that is read.</summary>
    static async Task<long> CountedAsync(ServerProcess server) => (long)(await server.ExecuteAsync("select coalesce(sum((data ->> 'Events')::bigint), 0)::bigint from zfsha.mt_doc_poolactivity"))!;

    static async Task<Guid> RunnerAsync(ServerProcess server) => (Guid)(await server.ExecuteAsync($"select runner from zfsha.mt_event_progression where name = '{Live}'"))!;
}
