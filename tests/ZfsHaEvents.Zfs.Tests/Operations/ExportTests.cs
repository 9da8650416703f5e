using Shouldly;
using Xunit;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Operations;

namespace ZfsHaEvents.Zfs.Tests.Operations;

public sealed class ExportTests : OperationsOnAHost
{
    [Fact]
    public async Task An_export_uses_the_name_that_the_pool_has_here()
    {
        Host.Import("renamed", Tank);
        Host.Import("tank1", new(1));
        var outcome = await ExportAsync();

        (outcome.Failure, outcome.Sight.Presence).ShouldBe((ZpoolFailure.None, PoolPresence.Absent));
        Sink.Kinds().ShouldBe(["LockAcquired ExportStarted", "ExportEnded LockReleased"]);
        Sink.Single<HostFact.ExportStarted>().Arguments.ShouldBe(["zpool", "export", "renamed"]);
        Host.ZpoolCalls().ShouldBe(["export renamed"]);
        Host.HasImported("tank1").ShouldBeTrue();
    }

    [Fact]
    public async Task An_export_of_a_name_that_passed_to_another_pool_meanwhile_is_not_run()
    {
        Host.Import("tank1", Tank);
        var sink = new RecordingSink(report =>
        {
            if (report.Facts.Any(fact => fact is HostFact.ExportStarted)) Host.Import("tank1", new(1));
        });
        var outcome = await new PoolOperations(Host.Environment, sink, TimeProvider.System).ExportAsync(new(Tank, Terms), Token);

        (outcome.Failure, outcome.Run).ShouldBe((ZpoolFailure.None, null)); // Ours is gone, which is what was asked.
        Host.ZpoolCalls().ShouldBeEmpty();
    }

    [Fact]
    public async Task An_export_of_what_is_absent_is_done_already()
    {
        var outcome = await ExportAsync();
        (outcome.Failure, outcome.Run).ShouldBe((ZpoolFailure.None, null));
        Sink.Kinds().ShouldBe(["LockAcquired ExportEnded LockReleased"]);
    }

    [Theory]
    [InlineData("exit 0", ZpoolFailure.DidNothing, true)]
    [InlineData("rm -r $kstat/$2; exit 1", ZpoolFailure.None, false)]
    [InlineData("echo \"cannot unmount '/tank1/fs1': pool or dataset is busy\" >&2; exit 1", ZpoolFailure.Busy, true)]
    public async Task An_export_is_judged_by_what_is_seen(string export, ZpoolFailure failure, bool imported)
    {
        Host.Import("tank1", Tank);
        Host.SetZpool($"[ $1 = export ] && {{ {export}; }}");
        var outcome = await ExportAsync();
        (outcome.Failure, outcome.Sight.IsImported()).ShouldBe((failure, imported));
    }
}
