using System.Diagnostics;
using Npgsql;
using Shouldly;
using Xunit;
using ZfsHaEvents.Agent;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Store;
using ZfsHaEvents.Zfs.Tests.Operations;

namespace ZfsHaEvents.Zfs.Tests.Agent;

public sealed class SessionTests
{
    static readonly PoolGuid Tank = TestHost.Tank;

    [Fact]
    public async Task No_session_is_opened_while_a_record_of_what_was_obeyed_cannot_be_read()
    {
        await using var agent = new AgentOnAHost();
        var incarnation = new Incarnation(Guid.NewGuid());
        agent.Epochs.TryObey(Tank, incarnation, new(7), out _).ShouldBeTrue();
        var record = Path.Join(agent.Host.Environment.StateDirectory, "epochs", $"{Tank}.json");
        var text = File.ReadAllText(record);
        File.WriteAllText(record, "{");
        agent.StartSession();
        await Eventually.TrueAsync(() => agent.Warnings.Count > 0);
        await Task.Delay(TimeSpan.FromSeconds(1.5), Running.Token); // It is tried again meanwhile.

        (agent.Session.Current, agent.Database.Sent<OpenSession>().Count).ShouldBe((null, 0));
        agent.Warnings.ShouldHaveSingleItem().ShouldContain("the server knows both"); // What to write into it.
        File.WriteAllText(record, text);
        await agent.OpenedAsync();
        agent.Database.Sent<OpenSession>().ShouldHaveSingleItem().Pools.ShouldHaveSingleItem().Obeyed.ShouldBe(new(incarnation, new(7)));
    }

    [Fact]
    public async Task A_pool_that_the_kernel_is_importing_is_reported_as_unknown_and_as_absent_once_that_was_refused()
    {
        var sink = new RecordingSink();
        await using var agent = new AgentOnAHost(sink);
        agent.Epochs.TryObey(Tank, new(Guid.NewGuid()), new(7), out _).ShouldBeTrue();
        agent.Host.SetImporting(Tank);
        agent.StartSession();
        await agent.OpenedAsync();
        agent.StartWatcher();

        agent.Database.Sent<OpenSession>().ShouldHaveSingleItem().Pools.ShouldHaveSingleItem().Sight.Presence.ShouldBe(PoolPresence.Unknown);
        agent.Host.SetImporting(null);
        await Eventually.TrueAsync(() => sink.Reports.Count > 0);
        sink.Single<HostFact.Observed>().Sight.ShouldBe(PoolSight.Absent);
    }

    [Fact]
    public async Task A_session_that_nobody_grants_is_told_of_once_and_asked_for_by_one_message()
    {
        await using var agent = new AgentOnAHost(time: new TwentyfoldTime());
        agent.Database.Grants = false;
        agent.StartSession();
        await Eventually.TrueAsync(() => agent.Database.Sent<OpenSession>().Count >= 3);

        string[] told = ["No session was granted in 10 s; does a zfsha-server run on this database?"];
        agent.Warnings.ShouldBe(told);
        agent.Database.Grants = true;
        await agent.OpenedAsync();
        (await agent.Database.EmptyAsync(Queues.Server)).ShouldBe(1);

        agent.Database.Grants = false; // It is lost, and there is no server again.
        await Eventually.TrueAsync(() => agent.Warnings.Count >= 3);
        agent.Warnings[^1].ShouldBe(told[0]);
    }

    [Fact]
    public void A_renewal_that_failed_is_repeated_at_once_and_from_then_on_in_the_usual_pace() =>
        (Session.PauseAfter(1), Session.PauseAfter(2), Session.PauseAfter(9)).ShouldBe((TimeSpan.Zero, Session.PauseAfter(0), Session.PauseAfter(0)));

    [Fact]
    public void A_renewal_that_hangs_is_given_up_in_less_than_half_the_lease()
    {
        using var database = PostgresConnection.OpenForLeases("Host=/nowhere", "a test");
        var settings = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        (settings.Timeout, settings.CommandTimeout).ShouldBe((2, 1));
    }

    sealed class TwentyfoldTime : TimeProvider
    {
        public override long GetTimestamp() => 20 * Stopwatch.GetTimestamp();
    }
}
