using System.Diagnostics;
using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Zfs.Tests.Operations;

public sealed class ReadLabelsTests : OperationsOnAHost
{
    [Fact]
    public async Task Labels_are_read_without_the_lock()
    {
        using var other = OtherProcess.Start(Host, "hold", Tank.ToString(), "5");
        await other.ReadLineAsync();
        Host.SetZdb(Zdb(state: 0, "0xa002", mmp: true));

        var outcome = await ReadLabelsAsync([.. Leaves, "virtio-d2"]);

        outcome.Label.ShouldBe(new(LabelState.Active, "tank1", new ZfsHostId(0xa002), "hostb", 120, MmpActive: true, LeavesRead: 2, LeavesAsked: 3));
        Sink.Kinds().ShouldBe(["LabelsRead"]);
        Sink.Single<HostFact.LabelsRead>().Detail.ShouldBe("virtio-d2: not an absolute path");
        Sink.Reports[0].Name.ShouldBe(new PoolName("tank1"));
    }

    [Fact]
    public async Task Reading_labels_can_be_refused_as_well()
    {
        var outcome = await ReadLabelsAsync(Leaves, Terms with { Gate = () => Task.FromResult<Refusal?>(new(OrderRefusal.StaleSession, "an earlier session")) });
        outcome.Refused!.Reason.ShouldBe(OrderRefusal.StaleSession);
        Sink.Kinds().ShouldBe(["OrderRefused"]);
    }

    [Fact]
    public async Task Leaves_are_read_side_by_side_within_one_limit()
    {
        Host.SetZdb($"sleep 0.5\n{Zdb(state: 0, "0xa002", mmp: true)}");
        var leaves = Enumerable.Range(0, 8).Select(i => $"/dev/disk/by-id/virtio-d{i}-part1").ToList();
        var started = Stopwatch.GetTimestamp();
        (await ReadLabelsAsync(leaves)).Label!.LeavesRead.ShouldBe(8);
        Stopwatch.GetElapsedTime(started).TotalSeconds.ShouldBeInRange(0.9, 15);

        Host.SetZdb("exec sleep 30");
        started = Stopwatch.GetTimestamp();
        var outcome = await ReadLabelsAsync(leaves, Terms with { Limit = TimeSpan.FromSeconds(0.5) });
        Stopwatch.GetElapsedTime(started).TotalSeconds.ShouldBeInRange(0.49, 15);
        outcome.Failure.ShouldBe(ZpoolFailure.LabelsUnreadable);
        outcome.Detail.Split('\n').Length.ShouldBe(8);
    }
}
