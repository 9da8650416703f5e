using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Operations;

namespace ZfsHaEvents.Zfs.Tests.Operations;

public class ForceCheckTests
{
    static readonly EventId Asked = new(Guid.Parse("11111111-1111-1111-1111-111111111111"));
    static readonly EventId Fenced = new(Guid.Parse("22222222-2222-2222-2222-222222222222"));

    [Theory]
    [InlineData(LabelState.Active, 0xa001, true, true, true, ZpoolFailure.None)]
    [InlineData(LabelState.Active, 0xa001, true, false, true, ZpoolFailure.None)]
    [InlineData(LabelState.Active, 0xa001, false, true, true, ZpoolFailure.None)]
    [InlineData(LabelState.Active, 0xa001, false, false, false, ZpoolFailure.MmpNotOnDisk)]
    [InlineData(LabelState.Active, 0xa002, true, true, false, ZpoolFailure.ActiveElsewhere)]
    [InlineData(LabelState.Active, 0xa002, false, true, false, ZpoolFailure.ActiveElsewhere)]
    [InlineData(LabelState.Active, 0, true, true, false, ZpoolFailure.ActiveElsewhere)]
    [InlineData(LabelState.Exported, 0xa001, true, true, false, ZpoolFailure.None)]
    [InlineData(LabelState.Exported, 0xa002, false, false, false, ZpoolFailure.None)]
    [InlineData(LabelState.Other, 0xa001, true, true, false, ZpoolFailure.LabelsUnreadable)]
    public void Force_is_used_only_against_the_holder_in_the_proof_and_with_its_evidence(
        LabelState state, uint holder, bool fenced, bool mmpActive, bool force, ZpoolFailure failure)
    {
        var proof = new ForceProof(Asked, fenced ? Fenced : null, new ZfsHostId(0xa001));
        var check = ForceCheck.Of(proof, new(new(state, "tank1", new ZfsHostId(holder), "host", 100, mmpActive, 2, 2), "", 0));

        (check.Force, check.Failure).ShouldBe((force, failure));
        check.Detail.ShouldNotBeEmpty();
    }

    [Fact]
    public void Without_a_label_there_is_no_import_at_all()
    {
        var check = ForceCheck.Of(new(Asked, Fenced, new ZfsHostId(0xa001)), new(null, "", 0));
        (check.Force, check.Failure).ShouldBe((false, ZpoolFailure.LabelsUnreadable));
    }

    [Theory]
    [InlineData(false, LabelState.Active, false, ZpoolFailure.MmpNotOnDisk)]
    [InlineData(true, LabelState.Active, true, ZpoolFailure.None)] // The other host is fenced: nothing rests on what is not read.
    [InlineData(false, LabelState.Exported, false, ZpoolFailure.None)]
    public void A_proof_that_rests_on_mmp_needs_every_leaf_to_be_read(bool fenced, LabelState state, bool force, ZpoolFailure failure)
    {
        var proof = new ForceProof(Asked, fenced ? Fenced : null, new ZfsHostId(0xa001));
        var check = ForceCheck.Of(proof, new(new(state, "tank1", new ZfsHostId(0xa001), "host", 100, MmpActive: true, 1, 2), "/dev/sdb1: No such device", 0));

        (check.Force, check.Failure).ShouldBe((force, failure));
        check.Detail.Contains("/dev/sdb1").ShouldBe(failure is not ZpoolFailure.None);
    }
}
