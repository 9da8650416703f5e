using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Commands;

namespace ZfsHaEvents.Zfs.Tests.Commands;

public class ZdbOutputTests
{
    const string Leaf0 = "/dev/disk/by-id/virtio-d0-part1";
    static readonly PoolGuid Tank = new(5617477934682210394);

    [Fact]
    public void An_active_label_names_its_holder()
    {
        var leaf = ZdbOutput.Leaf(Transcript.Of("70", $"zdb -l {Leaf0}").Stdout).ShouldNotBeNull();

        leaf.Label.ShouldBe(new(0, "tank1", Tank, new ZfsHostId(0xa001), "hosta", 4));
        leaf.Label.PoolState().ShouldBe(LabelState.Active);
        leaf.Newest.ShouldBeNull();
    }

    [Fact]
    public void An_exported_label_keeps_its_last_holder()
    {
        var exported = Transcript.All.Last(recorded => recorded.File.StartsWith("70", StringComparison.Ordinal) && recorded.Command == $"zdb -l {Leaf0}");
        var leaf = ZdbOutput.Leaf(exported.Stdout).ShouldNotBeNull();

        leaf.Label.ShouldBe(new(1, "tank1", Tank, new ZfsHostId(0xa001), "hosta", 78));
        leaf.Label.PoolState().ShouldBe(LabelState.Exported);
    }

    [Theory]
    [InlineData("zdb -l /dev/disk/by-id/virtio-d5")] // Never had a label.
    [InlineData("zdb -l /dev/disk/by-id/virtio-nosuch")]
    public void What_is_no_label_is_none(string command) => ZdbOutput.Leaf(Transcript.Of("70", command).Stdout).ShouldBeNull();

    [Fact]
    public void The_newest_uberblock_is_the_one_of_the_highest_txg()
    {
        var leaf = ZdbOutput.Leaf(Transcript.Of("71", $"zdb -lu {Leaf0}").Stdout).ShouldNotBeNull();

        leaf.Newest.ShouldBe(new Uberblock(12, 1795202422, Uberblock.Magic, 762385744, 0, 1000));
        leaf.Newest!.MmpActive().ShouldBeTrue();
    }

    [Fact]
    public void While_multihost_is_off_the_magic_is_there_and_the_delay_is_not()
    {
        // The labels are printed before the uberblocks; this recording shows only the latter.
        var uberblocks = Transcript.All.Single(recorded => recorded.File.StartsWith("71", StringComparison.Ordinal) && recorded.Command.StartsWith("zdb -lu /dev/disk/by-id/virtio-d4-part1 | grep", StringComparison.Ordinal));
        var leaf = ZdbOutput.Leaf(LabelText(state: 0, txg: 4) + uberblocks.Stdout).ShouldNotBeNull();

        leaf.Newest.ShouldBe(new Uberblock(6, 1795202398, Uberblock.Magic, 0, 0));
        leaf.Newest!.MmpActive().ShouldBeFalse();
    }

    [Fact]
    public void The_multihost_writes_of_the_ring_s_last_slot_are_read_and_invalid_slots_are_not()
    {
        var tail = Transcript.All.Single(recorded => recorded.File.StartsWith("71", StringComparison.Ordinal) && recorded.Command.StartsWith("zdb -luuuu /dev/disk/by-id/virtio-d0-part1 | tail", StringComparison.Ordinal));
        ZdbOutput.Leaf(LabelText(state: 0, txg: 4) + tail.Stdout)!.Newest.ShouldBe(new Uberblock(18, 1795202457, Uberblock.Magic, 624707793, 2, 1000));
    }

    [Theory]
    [InlineData(10, 100, 0, 9, 200, 5, true)]
    [InlineData(10, 100, 0, 10, 99, 5, true)]
    [InlineData(10, 100, 2, 10, 100, 1, true)]
    [InlineData(10, 100, 1, 10, 100, 1, false)]
    [InlineData(9, 100, 0, 10, 1, 0, false)]
    public void Uberblocks_are_ordered_by_txg_then_time_then_multihost_sequence(
        ulong txg, long time, int sequence, ulong otherTxg, long otherTime, int otherSequence, bool newer) =>
        new Uberblock(txg, time, 0, 0, sequence).IsNewerThan(new(otherTxg, otherTime, 0, 0, otherSequence)).ShouldBe(newer);

    [Fact]
    public void Copies_that_differ_on_one_device_give_the_newest()
    {
        var leaf = ZdbOutput.Leaf(LabelText(state: 1, txg: 78) + LabelText(state: 0, txg: 90)).ShouldNotBeNull();
        (leaf.Label.State, leaf.Label.Txg).ShouldBe((0, 90UL));
    }

    [Fact]
    public void The_leaves_of_a_pool_combine_to_the_newest_label_and_the_newest_uberblock()
    {
        VdevLabel exported = new(1, "tank1", Tank, new(0xa001), "hosta", 78), active = new(0, "tank1", Tank, new(0xa002), "hostb", 90);
        Uberblock old = new(81, 1, Uberblock.Magic, 1, 0), off = new(95, 2, Uberblock.Magic, 0, 0);

        var label = ZdbOutput.Combine(Tank, [new(exported, old), new(active, off)], leavesAsked: 3);

        label.ShouldBe(new PoolLabel(LabelState.Active, "tank1", new(0xa002), "hostb", 95, MmpActive: false, LeavesRead: 2, LeavesAsked: 3));
    }

    [Fact]
    public void A_disk_that_is_another_pool_s_by_now_does_not_count()
    {
        VdevLabel ours = new(1, "tank1", Tank, new(0xa001), "hosta", 78), other = new(0, "tank1", new PoolGuid(1), new(0xa002), "hostb", 9000);

        ZdbOutput.Combine(Tank, [new(ours, null), new(other, null)], 2).ShouldNotBeNull().LeavesRead.ShouldBe(1);
        ZdbOutput.Combine(Tank, [new(other, null)], 1).ShouldBeNull();
    }

    [Fact]
    public void A_label_tells_which_devices_are_missing()
    {
        var leaf = ZdbOutput.Leaf(Transcript.Of("70", $"zdb -l {Leaf0}").Stdout).ShouldNotBeNull();
        var tree = leaf.Tree.ShouldNotBeNull();
        (tree.TopLevels, tree.Leaves).ShouldBe((1, 2)); // A mirror of two.

        ZdbOutput.Missing([leaf, leaf]).ShouldBeNull();
        ZdbOutput.Missing([leaf]).ShouldBe($"the labels tell of 2 leaves of the top-level vdev {tree.TopLevel}, and 1 were read");
        ZdbOutput.Missing([leaf with { Tree = tree with { TopLevels = 3 } }, leaf]).ShouldBe("the labels tell of 3 top-level vdevs, and the devices read belong to 1");
        ZdbOutput.Missing([leaf, leaf, leaf with { Tree = null }]).ShouldBe("a label does not tell which devices the pool has");
    }

    [Fact]
    public void A_top_level_vdev_that_was_removed_is_not_missed()
    {
        var text = Transcript.Of("70", $"zdb -l {Leaf0}").Stdout.Replace("    vdev_children: 1\n", "    hole_array[0]: 1\n    vdev_children: 2\n", StringComparison.Ordinal);
        ZdbOutput.Leaf(text)!.Tree!.TopLevels.ShouldBe(1);
    }

    [Fact]
    public void A_spare_s_label_belongs_to_no_pool() =>
        ZdbOutput.Leaf("------------------------------------\nLABEL 0 \n------------------------------------\n    version: 5000\n    state: 3\n    guid: 5\n    labels = 0 1 2 3 \n")
            .ShouldNotBeNull().Label.ShouldBe(new(3, "", null, default, "", 0));

    static string LabelText(int state, ulong txg) => $"""
        ------------------------------------
        LABEL 0 
        ------------------------------------
            version: 5000
            name: 'tank1'
            state: {state}
            txg: {txg}
            pool_guid: {Tank}
            hostid: 40961
            hostname: 'hosta'
            guid: 16766668131563984113
            labels = 0 1 2 3 

        """;
}
