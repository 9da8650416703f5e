using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Spooling;

namespace ZfsHaEvents.Zfs.Tests;

public sealed class SpooledReportsTests : IDisposable
{
    static readonly OrderId Order = new("move-1/import/1");

    readonly TestHost _host = new();

    [Fact]
    public void A_report_has_an_id_of_its_own_even_when_a_number_came_twice_and_keeps_it_when_told_twice()
    {
        Reports().Append(Report(Order, new HostFact.Observed(7, default, PoolSight.Absent)), endsOrder: false);
        Reports().Append(Report(Order, new HostFact.Observed(7, default, PoolSight.Absent)), endsOrder: false);

        var ids = Ids();
        ids.ShouldBeUnique();
        ids.ShouldAllBe(id => id.StartsWith($"{Order}@"));
        Ids().ShouldBe(ids);
    }

    [Fact]
    public void An_entry_completes_its_order_only_when_the_order_is_over_with_it()
    {
        var labels = Report(Order, new HostFact.LabelsRead(7, default, null, "", 0)); // As an import with a proof reads them before it begins.
        Reports().Append(labels, endsOrder: false);
        Reports().Append(labels, endsOrder: true);
        Reports().Append(labels with { Order = null }, endsOrder: true);
        _host.Spool.ReadPending().Entries.Select(entry => entry.Completes).ShouldBe([null, Order, null]);
    }

    public void Dispose() => _host.Dispose();

    SpooledReports Reports() => new(_host.Environment, _host.Spool, TimeProvider.System);

    IReadOnlyList<string> Ids() => [.. _host.Spool.ReadPending().Entries.Select(entry => BusMessage.Read(entry.Text).Id)];

    HostReport Report(OrderId? order, params HostFact[] facts) =>
        new(TestHost.Tank, new PoolName("tank1"), _host.Environment.Name, _host.Environment.ReadBootId(), order, "zfsha-agent", facts);
}
