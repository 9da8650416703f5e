using System.Net.Sockets;
using Npgsql;
using Shouldly;
using Xunit;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Store;
using ZfsHaEvents.Zfs.Tests.Operations;

namespace ZfsHaEvents.Zfs.Tests.Agent;

/// <summary>The agent goes on where its disk or its database fails it: with it would go the lease.</summary>
public sealed class TroublesTests
{
    [Theory]
    [InlineData(false)] // The session finds out,
    [InlineData(true)] // or what is to be told before it.
    public async Task A_database_that_cannot_be_used_yet_is_waited_for_whatever_it_says_and_each_of_its_words_is_logged_once(bool spooled)
    {
        await using var agent = new AgentOnAHost();
        string[] states = [PostgresErrorCodes.UndefinedTable, PostgresErrorCodes.ReadOnlySqlTransaction, PostgresErrorCodes.InvalidCatalogName, PostgresErrorCodes.InvalidPassword];
        if (spooled) agent.Spool.Append(Message("first"));
        agent.Database.Fault = Saying(states[0]);
        agent.StartSession();
        agent.StartOutbox();
        agent.StartOrders();

        foreach (var state in states)
        {
            agent.Database.Fault = Saying(state);
            var failed = agent.Database.Failed;
            await Eventually.TrueAsync(() => agent.Database.Failed >= failed + 2);
        }

        agent.HasEnded.ShouldBeFalse();
        agent.Warnings.Count(line => line.Contains(states[0])).ShouldBe(1);
        agent.Database.Fault = null;
        await agent.OpenedAsync();
    }

    [Fact]
    public async Task A_session_outlives_a_database_that_has_become_a_standby()
    {
        await using var agent = new AgentOnAHost();
        agent.StartSession();
        agent.StartOrders();
        await agent.OpenedAsync();
        var session = agent.Session.Current;

        agent.Database.Fault = Saying(PostgresErrorCodes.ReadOnlySqlTransaction);
        await Eventually.TrueAsync(() => agent.Database.Failed > 4);
        agent.Database.Fault = null;
        await Eventually.TrueAsync(() => agent.Warnings.Count >= 2);

        (agent.HasEnded, agent.Session.Current).ShouldBe((false, session));
        agent.Warnings.Count.ShouldBe(2, string.Join('\n', agent.Warnings)); // Of the session, and of the orders.
    }

    [Fact]
    public async Task A_spool_that_cannot_be_emptied_is_told_once_and_emptied_later()
    {
        await using var agent = new AgentOnAHost();
        string[] hosts = ["first", "second"];
        foreach (var name in hosts) agent.Spool.Append(Message(name));
        var counter = Directory.CreateDirectory(Path.Join(agent.Host.Environment.StateDirectory, "spool", "counter")); // Cannot be written, as on a full disk.
        agent.StartOutbox();
        agent.StartSession();
        await agent.OpenedAsync();
        await Eventually.TrueAsync(() => agent.Warnings.Count > 0);
        await Task.Delay(TimeSpan.FromSeconds(1.5), Running.Token); // It is tried again meanwhile.

        agent.HasEnded.ShouldBeFalse();
        agent.Warnings.ShouldHaveSingleItem().ShouldContain("cannot be removed");
        agent.Spool.ReadPending().Entries.Count.ShouldBe(1, "only the one whose number would be forgotten with it");

        counter.Delete();
        await Eventually.TrueAsync(() => agent.Spool.ReadPending().Entries.Count == 0);
        agent.Database.Sent<EvictHost>().Select(message => message.Host.Value).ShouldBe(hosts);
    }

    [Fact]
    public async Task What_could_not_be_reported_for_a_full_disk_is_reported_later()
    {
        var (full, tries) = (true, 0);
        var sink = new RecordingSink(_ =>
        {
            tries++;
            if (Volatile.Read(ref full)) throw new HostException("the disk is full");
        });
        await using var agent = new AgentOnAHost(sink);
        agent.Host.Import("tank1", TestHost.Tank);
        agent.StartWatcher();
        await Eventually.TrueAsync(() => Volatile.Read(ref tries) >= 2);

        agent.HasEnded.ShouldBeFalse();
        agent.Warnings.ShouldHaveSingleItem().ShouldContain("the disk is full");
        Volatile.Write(ref full, false);
        await Eventually.TrueAsync(() => sink.Reports.Count > 0);
    }

    [Fact]
    public void A_files_failure_is_not_the_databases()
    {
        DatabaseOutage.Is(new IOException("No space left on device")).ShouldBeFalse();
        DatabaseOutage.Is(new FileNotFoundException()).ShouldBeFalse();
        DatabaseOutage.Is(new IOException("Unable to read data from the transport connection", new SocketException())).ShouldBeTrue();
        DatabaseOutage.Is(new NpgsqlException("Exception while reading from stream", new EndOfStreamException())).ShouldBeTrue();
    }

    static PostgresException Saying(string sqlState) => new($"no, because of {sqlState}", "ERROR", "ERROR", sqlState);

    static string Message(string host) =>
        new Domain.Bus.BusMessage(host, "a test", null, null, new EvictHost(new(host), TestHost.Tank, new("fo-1"))).Write(DateTimeOffset.UtcNow);
}
