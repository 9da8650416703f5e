using System.Collections.Concurrent;
using Npgsql;
using Shouldly;
using Xunit;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Store.Tests;

/// <summary>A connection string with several hosts follows the primary: on a real primary and a real streaming standby.</summary>
public sealed class SeveralHostsTests : IAsyncLifetime
{
    const int Writers = 4;

    PostgresServer? _primary;
    PostgresServer? _standby;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _primary = await PostgresServer.StartAsync("synchronous_standby_names=*", "synchronous_commit=remote_apply");
        _standby = await _primary.StandbyAsync();
        await _primary.CreateDatabaseAsync("zfsha"); // Answered, hence on the standby too.
        await using var database = PostgresConnection.Open(_primary.ConnectionString("zfsha"), "schema");
        await PostgresSchema.ApplyAsync(database, Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        if (_standby is not null) await _standby.DisposeAsync(); // First: a primary that stops waits for its standby to have everything.
        if (_primary is not null) await _primary.DisposeAsync();
    }

    static string Hosts(params PostgresServer[] servers) =>
        new NpgsqlConnectionStringBuilder(servers[0].ConnectionString("zfsha")) { Host = string.Join(',', servers.Select(s => s.Host)) }.ConnectionString;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Appends_go_on_at_the_promoted_standby_and_nothing_acknowledged_is_missing(bool standbyNamedFirst)
    {
        var (primary, standby) = (_primary!, _standby!);
        await using var database = PostgresConnection.Open(standbyNamedFirst ? Hosts(standby, primary) : Hosts(primary, standby), "several hosts");
        await using var wakeUps = new WakeUps(database);
        var store = new PostgresEventStore(database, wakeUps);
        var acknowledged = Enumerable.Range(0, Writers).Select(_ => new ConcurrentQueue<Guid>()).ToArray();
        using var enough = new CancellationTokenSource();
        var writing = Enumerable.Range(0, Writers).Select(n => Task.Run(() => AppendAsync(store, $"pool-{n}", acknowledged[n], enough.Token), Cancellation)).ToArray();
        Task AllGoOnAsync(string when)
        {
            var before = acknowledged.Select(a => a.Count).ToArray();
            return Eventually.TrueAsync($"every writer appends {when}", () => acknowledged.Select((a, n) => a.Count > before[n] + 20).All(on => on) || writing.Any(w => w.IsFaulted));
        }

        await AllGoOnAsync("at the primary");
        primary.Kill();
        await standby.PromoteAsync();
        await AllGoOnAsync("at the promoted standby");
        await enough.CancelAsync();
        await Task.WhenAll(writing);

        for (var n = 0; n < Writers; n++)
        {
            var read = await store.LoadAsync($"pool-{n}", Cancellation);
            read.Events.Select(e => e.Id).ShouldBe(acknowledged[n]); // Each once, none lost, in the order in which they were written.
            read.Events.Select(e => e.Version).ShouldBe(Enumerable.Range(1, acknowledged[n].Count).Select(v => (long)v));
        }
    }

    /// <summary>One event after the other. What has no answer is looked up, and written again only if it is not there.</summary>
    static async Task AppendAsync(PostgresEventStore store, string stream, ConcurrentQueue<Guid> acknowledged, CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
        {
            var next = PostgresOnlyTests.Event();
            while (!await IsThereAsync(store, stream, acknowledged.Count, next)) await Task.Delay(20, Cancellation);
            acknowledged.Enqueue(next.Id);
        }
    }

    static async Task<bool> IsThereAsync(PostgresEventStore store, string stream, long version, NewEvent next)
    {
        try
        {
            if (await store.CommitAsync(new(stream, "pool", version, DateTimeOffset.UtcNow, null) { Events = [next] }, Cancellation) == CommitResult.Committed) return true;
            (await store.LoadAsync(stream, Cancellation)).Events[^1].Id.ShouldBe(next.Id); // It was there already: only the answer had been lost.
            return true;
        }
        catch (Exception e) when (DatabaseOutage.Is(e) || DatabaseOutage.SaysNo(e))
        {
            return false; // No primary to be found yet, or one that died meanwhile.
        }
    }

    [Fact]
    public async Task A_lease_is_renewed_at_the_promoted_standby_and_nothing_stays_connected_afterwards()
    {
        var (primary, standby) = (_primary!, _standby!);
        var session = Guid.NewGuid();
        await using (var database = PostgresConnection.OpenForLeases(Hosts(primary, standby), "leases"))
        {
            await using var wakeUps = new WakeUps(database);
            var (store, leases) = (new PostgresEventStore(database, wakeUps), new PostgresMessageQueue(database, wakeUps));
            await store.CommitAsync(new("host-a", "host", 0, DateTimeOffset.UtcNow, null) { Lease = new LeaseChange.Grant("a", session, TimeSpan.FromMinutes(10), "{}") }, Cancellation);
            leases.Renew("a", session).ShouldBeTrue();

            primary.Kill();
            await standby.PromoteAsync();

            await Eventually.TrueAsync("the lease is renewed", () => Renews(leases, session));
        }

        await using var connection = new NpgsqlConnection(standby.ConnectionString("postgres") + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var count = new NpgsqlCommand("select count(*) from pg_stat_activity where application_name = 'leases'", connection);
        await Eventually.TrueAsync("its connections are closed", async () => await count.ExecuteScalarAsync(Cancellation) is 0L);
    }

    static bool Renews(PostgresMessageQueue leases, Guid session)
    {
        try
        {
            return leases.Renew("a", session);
        }
        catch (Exception e) when (DatabaseOutage.Is(e) || DatabaseOutage.SaysNo(e))
        {
            return false;
        }
    }

    [Fact]
    public async Task With_standbys_alone_nothing_is_written_and_it_counts_as_an_outage()
    {
        await using var database = PostgresConnection.Open(Hosts(_standby!, _standby!), "standbys");
        await using var wakeUps = new WakeUps(database);

        DatabaseOutage.Is(await Should.ThrowAsync<NpgsqlException>(() => new PostgresEventStore(database, wakeUps).LoadAsync("pool-1", Cancellation))).ShouldBeTrue();
    }
}

/// <summary>What connection strings with several hosts are taken to mean.</summary>
public sealed class SeveralHostsSettingsTests
{
    [Fact]
    public async Task Time_limits_are_those_of_each_host_and_given_ones_are_kept()
    {
        await using var plain = PostgresConnection.Open("Host=/a,/b", "test");
        await using var said = PostgresConnection.Open("Host=/a,/b;Timeout=33;Command Timeout=44;Host Recheck Seconds=55;Keepalive=66;Target Session Attributes=read-write", "test");
        await using var leases = PostgresConnection.OpenForLeases("Host=/a,/b;Timeout=33;Host Recheck Seconds=55", "test");

        Limits(plain).ShouldBe((2, 15, 2, 10));
        Limits(said).ShouldBe((33, 44, 55, 66));
        Limits(leases).ShouldBe((1, 1, 1, 10));
    }

    [Theory]
    [InlineData("standby")]
    [InlineData("prefer-standby")]
    [InlineData("any")]
    public void A_connection_string_that_may_lead_to_a_standby_is_refused(string target) =>
        Should.Throw<ArgumentException>(() => PostgresConnection.Open($"Host=/a,/b;Target Session Attributes={target}", "test")).Message.ShouldContain("read-write");

    static (int Connect, int Command, int Recheck, int KeepAlive) Limits(NpgsqlDataSource database)
    {
        var settings = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        return (settings.Timeout, settings.CommandTimeout, settings.HostRecheckSeconds, settings.KeepAlive);
    }
}
