using Shouldly;
using Xunit;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Tests.Operations;

namespace ZfsHaEvents.Zfs.Tests.Agent;

public sealed class OrderPumpTests
{
    [Theory]
    [InlineData(OrderRefusal.StaleSession)]
    [InlineData(OrderRefusal.ForeignIncarnation)]
    [InlineData(OrderRefusal.Expired)]
    public async Task An_order_that_no_longer_stands_is_refused_while_somebody_has_the_lock(OrderRefusal reason)
    {
        var sink = new RecordingSink();
        await using var agent = new AgentOnAHost(sink);
        using var other = OtherProcess.Start(agent.Host, "hold", TestHost.Tank.ToString(), "5");
        await other.ReadLineAsync();
        agent.StartSession();
        await agent.OpenedAsync();
        var (session, incarnation) = agent.Session.Current!.Value;
        await agent.OrderAsync("so-1/Export/1", new ExportPool(new(
            new("so-1/Export/1"), new("so-1"), TestHost.Tank,
            reason is OrderRefusal.ForeignIncarnation ? new(Guid.NewGuid()) : incarnation, new(7),
            reason is OrderRefusal.StaleSession ? new(Guid.NewGuid()) : session,
            DateTimeOffset.UtcNow.AddMinutes(reason is OrderRefusal.Expired ? -1 : 5), TimeSpan.FromSeconds(5))));
        agent.StartOrders();

        await Eventually.TrueAsync(() => sink.Reports.Count > 0); // The lock would be waited for four times as long.
        sink.Single<HostFact.OrderRefused>().Reason.ShouldBe(reason);
        sink.Ends.ShouldBe([true]);
        agent.Epochs.Obeyed(TestHost.Tank).ShouldBeNull();
    }

    [Theory]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-")]
    [InlineData("no trace context", "00-")]
    public async Task What_is_reported_of_an_order_goes_on_in_its_trace(string traceParent, string expected)
    {
        await using var agent = new AgentOnAHost();
        agent.StartSession();
        await agent.OpenedAsync();
        var (_, incarnation) = agent.Session.Current!.Value;
        await agent.OrderAsync("so-1/Export/1", new ExportPool(new(
            new("so-1/Export/1"), new("so-1"), TestHost.Tank, incarnation, new(7), new(Guid.NewGuid()), DateTimeOffset.UtcNow.AddMinutes(5), TimeSpan.FromSeconds(5))), traceParent);
        agent.StartOrders();

        await Eventually.TrueAsync(() => agent.Spool.ReadPending().Entries.Count > 0);
        var told = BusMessage.Read(agent.Spool.ReadPending().Entries.ShouldHaveSingleItem().Text);
        told.Message.ShouldBeOfType<HostReport>().Order.ShouldBe(new("so-1/Export/1"));
        told.TraceParent.ShouldNotBeNull().ShouldStartWith(expected);
        told.TraceParent.ShouldNotBe(traceParent); // A span of its own.
    }
}
