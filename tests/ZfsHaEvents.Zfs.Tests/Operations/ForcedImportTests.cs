using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Zfs.Tests.Operations;

public sealed class ForcedImportTests : OperationsOnAHost
{
    static readonly ForceProof Proof = new(
        new EventId(Guid.Parse("11111111-1111-1111-1111-111111111111")), new EventId(Guid.Parse("22222222-2222-2222-2222-222222222222")), new ZfsHostId(0xa002));

    [Theory]
    [InlineData(0, "0xa002", true, "-f ")]
    [InlineData(1, "0xa002", true, "")]
    public async Task Proven_force_is_used_if_the_label_still_needs_it(int state, string hostId, bool mmp, string force)
    {
        Host.SetZdb(Zdb(state, hostId, mmp));
        var outcome = await ImportAsync(Import() with { Force = Proof, Leaves = Leaves });

        outcome.Failure.ShouldBe(ZpoolFailure.None);
        Sink.Kinds().ShouldBe(["LockAcquired LabelsRead ImportStarted", "ImportEnded LockReleased"]);
        Host.ZpoolCalls()[0].ShouldBe($"import -o cachefile=none {force}{Tank}");
        Sink.Single<HostFact.LabelsRead>().Label!.LeavesRead.ShouldBe(2);
    }

    [Theory]
    [InlineData(0, "0xa003", true, true, ZpoolFailure.ActiveElsewhere)]
    [InlineData(0, "0xa002", false, false, ZpoolFailure.MmpNotOnDisk)]
    [InlineData(2, "0xa002", true, true, ZpoolFailure.LabelsUnreadable)]
    public async Task Force_that_the_disks_do_not_bear_out_is_not_used_and_nothing_is_imported(
        int state, string hostId, bool mmp, bool fenced, ZpoolFailure failure)
    {
        Host.SetZdb(Zdb(state, hostId, mmp));
        var outcome = await ImportAsync(Import() with { Force = fenced ? Proof : Proof with { FencedBy = null }, Leaves = Leaves });

        (outcome.Failure, outcome.Run, outcome.Sight.Presence).ShouldBe((failure, null, PoolPresence.Absent));
        Sink.Kinds().ShouldBe(["LockAcquired LabelsRead ImportEnded LockReleased"]);
        Sink.Reports[0].Facts.Select(fact => fact.Sequence).ShouldBeInOrder();
        Host.ZpoolCalls().ShouldBeEmpty();
    }

    [Fact]
    public async Task Force_on_the_strength_of_mmp_is_not_used_while_a_leaf_is_unread_which_is_named()
    {
        Host.SetZdb($"[ $2 = {Leaves[1]} ] && {{ echo \"cannot open '$2': No such file or directory\"; exit 1; }}\n{Zdb(state: 0, "0xa002", mmp: true)}");
        var outcome = await ImportAsync(Import() with { Force = Proof with { FencedBy = null }, Leaves = Leaves });

        (outcome.Failure, outcome.Run).ShouldBe((ZpoolFailure.MmpNotOnDisk, null));
        outcome.Detail.ShouldContain(Leaves[1]);
        Sink.Single<HostFact.LabelsRead>().Detail.ShouldContain(Leaves[1]);
        Host.ZpoolCalls().ShouldBeEmpty();
    }

    [Fact]
    public async Task Without_a_readable_label_nothing_is_forced()
    {
        var outcome = await ImportAsync(Import() with { Force = Proof, Leaves = Leaves });

        outcome.Failure.ShouldBe(ZpoolFailure.LabelsUnreadable);
        Sink.Single<HostFact.LabelsRead>().Detail.ShouldContain($"{Leaves[1]}: cannot open '{Leaves[1]}': No such file or directory");
        Host.ZpoolCalls().ShouldBeEmpty();
    }

    [Fact]
    public async Task The_search_is_confined_to_the_leaves_if_all_of_them_are_here()
    {
        foreach (var leaf in Leaves) Host.Write(leaf, "");
        await ImportAsync(Import() with { Leaves = Leaves });
        Host.ZpoolCalls()[0].ShouldBe($"import -o cachefile=none -d {Leaves[0]} -d {Leaves[1]} {Tank}");
    }

    [Theory]
    [InlineData("/dev/disk/by-id/virtio-d0-part1", "/dev/disk/by-id/not-here")]
    [InlineData("/dev/disk/by-id/virtio-d0-part1", "/dev/sdb1")] // Another disk on another host.
    public async Task A_part_of_the_leaves_does_not_confine_it(string here, string other)
    {
        Host.Write(here, "");
        Host.Write("/dev/sdb1", "");
        await ImportAsync(Import() with { Leaves = [here, other] });
        Host.ZpoolCalls()[0].ShouldBe($"import -o cachefile=none {Tank}");
    }

    [Fact]
    public async Task Leaves_that_turn_out_to_be_other_disks_lead_to_one_search_of_all()
    {
        foreach (var leaf in Leaves) Host.Write(leaf, "");
        Host.SetZpool("case \"$*\" in import*\" -d \"*) echo \"cannot import '$last': no such pool available\" >&2; exit 1;; esac");
        var outcome = await ImportAsync(Import() with { Leaves = Leaves });

        outcome.Failure.ShouldBe(ZpoolFailure.None);
        Host.ZpoolCalls().Count(call => call.StartsWith("import")).ShouldBe(2);
        outcome.Run!.Arguments.ShouldBe(["zpool", "import", "-o", "cachefile=none", $"{Tank}"]);
    }

    [Fact]
    public async Task File_systems_stay_unmounted_if_so_asked()
    {
        await ImportAsync(Import() with { NoMount = true });
        Host.ZpoolCalls()[0].ShouldBe($"import -o cachefile=none -N {Tank}");
    }
}
