using Shouldly;
using Xunit;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Tests.Operations;

namespace ZfsHaEvents.Zfs.Tests.Agent;

public sealed class WatcherTests : IAsyncLifetime
{
    readonly RecordingSink _sink = new();
    readonly AgentOnAHost _agent;

    public WatcherTests() => _agent = new(_sink);

    TestHost Host => _agent.Host;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _agent.DisposeAsync();

    [Fact]
    public async Task What_an_order_has_imported_is_told_within_seconds_although_its_command_does_not_end()
    {
        Host.SetZpool("exec sleep 30"); // As while another import's activity check runs.
        using (_agent.Watcher.LeaveAlone(TestHost.Tank))
        {
            _agent.StartWatcher();
            Host.Import("tank1", TestHost.Tank);

            await Eventually.TrueAsync(() => _sink.Reports.Count > 0);
            var told = _sink.Single<HostFact.Observed>();
            told.Sight.ShouldBe(new(PoolPresence.Imported, PoolHealth.Online, null, []));
            Host.ZpoolCalls().ShouldBeEmpty(); // That is for the order.

            await Task.Delay(2500, TestContext.Current.CancellationToken);
            _sink.Reports.Count.ShouldBe(1); // Once.
        }
    }

    [Fact]
    public async Task What_an_order_reports_in_time_is_not_told_twice()
    {
        using (_agent.Watcher.LeaveAlone(TestHost.Tank))
        {
            _agent.StartWatcher();
            Host.Import("tank1", TestHost.Tank);
            _agent.Watcher.Reported(TestHost.Tank, new(PoolPresence.ReadWrite, PoolHealth.Online, Multihost: true, []));
            await Task.Delay(2500, TestContext.Current.CancellationToken);
        }

        _sink.Reports.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_pool_that_the_kernel_is_still_importing_is_not_told_of()
    {
        using (_agent.Watcher.LeaveAlone(TestHost.Tank))
        {
            _agent.StartWatcher();
            Host.SetImporting(TestHost.Tank);
            Host.Import("tank1", TestHost.Tank);
            await Task.Delay(2500, TestContext.Current.CancellationToken);
            _sink.Reports.ShouldBeEmpty();

            Host.SetImporting(null);
            await Eventually.TrueAsync(() => _sink.Reports.Count == 1);
        }
    }
}
