using Shouldly;
using Xunit;
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
}
