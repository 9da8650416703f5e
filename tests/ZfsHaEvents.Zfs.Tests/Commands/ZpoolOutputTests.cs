using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Commands;

namespace ZfsHaEvents.Zfs.Tests.Commands;

public class ZpoolOutputTests
{
    [Fact]
    public void Imported_pools_are_read_from_list() =>
        ZpoolOutput.List(Transcript.Of("03", "zpool list -H -p -o name,guid,health tank1").Stdout)
            .ShouldBe([new(new PoolName("tank1"), new PoolGuid(1185814460880299980), PoolHealth.Online)]);

    [Fact]
    public void No_pools_are_an_empty_list() => ZpoolOutput.List(Transcript.Of("03", "zpool list -H").Stdout).ShouldBeEmpty();

    [Fact]
    public void What_is_printed_for_people_is_not_a_pool() => ZpoolOutput.List(Transcript.Of("03", "zpool list", 1).Stdout).ShouldBeEmpty();

    [Fact]
    public void Properties_are_read_from_get() =>
        ZpoolOutput.Properties(Transcript.Of("73", "zpool get -H -p -o property,value guid,readonly,multihost,health tank1").Stdout)
            .ShouldBe(new(new PoolGuid(5617477934682210394), ReadOnly: false, Multihost: true, PoolHealth.Online));

    [Theory]
    [InlineData("")]
    [InlineData("guid\t5617477934682210394\nreadonly\toff\nhealth\tONLINE\n")]
    [InlineData("guid\t5617477934682210394\nreadonly\tmaybe\nmultihost\ton\nhealth\tONLINE\n")]
    [InlineData("guid\t-\nreadonly\toff\nmultihost\ton\nhealth\tONLINE\n")]
    public void Properties_that_are_not_all_there_are_none(string stdout) => ZpoolOutput.Properties(stdout).ShouldBeNull();

    [Fact]
    public void Leaves_are_read_from_status() =>
        ZpoolOutput.Leaves(Transcript.Of("73", "zpool status -P -p tank1").Stdout)
            .ShouldBe(["/dev/disk/by-id/virtio-d0-part1", "/dev/disk/by-id/virtio-d1-part1"]);

    [Fact]
    public void A_missing_leaf_is_known_by_its_former_path()
    {
        // The recording is of status without -P; with it the healthy leaf is a path as well, the missing one reads the same.
        var stdout = Transcript.All.First(recorded => recorded.File.StartsWith("42", StringComparison.Ordinal) && recorded.Stdout.Contains("was /dev"))
            .Stdout.Split("\n  pool:")[1].Replace("virtio-d0 ", "/dev/disk/by-id/virtio-d0-part1 ");
        ZpoolOutput.Leaves(stdout).ShouldBe(["/dev/disk/by-id/virtio-d0-part1", "/dev/disk/by-id/virtio-d1-part1"]);
    }

    [Fact]
    public void Leaves_have_states_and_the_names_that_zpool_takes_also_without_a_path()
    {
        var stdout = Transcript.All.First(recorded => recorded.File.StartsWith("42", StringComparison.Ordinal) && recorded.Stdout.Contains("was /dev"))
            .Stdout.Split("\n  pool:")[1].Replace("virtio-d0 ", "/dev/disk/by-id/virtio-d0-part1 ");
        ZpoolOutput.LeafStates(stdout).ShouldBe(
            [new("/dev/disk/by-id/virtio-d0-part1", "/dev/disk/by-id/virtio-d0-part1", "ONLINE"), new("15203008273232919344", "/dev/disk/by-id/virtio-d1-part1", "OFFLINE")]);
        ZpoolOutput.LeafStates(stdout.Replace("  was /dev/disk/by-id/virtio-d1-part1", "").Replace("OFFLINE", "UNAVAIL"))[1].ShouldBe(new("15203008273232919344", null, "UNAVAIL"));
    }

    [Fact]
    public void Leaves_of_every_kind_of_vdev_are_read_but_not_caches_and_spares()
    {
        // In the layout of zpool_main.c's print_status_config; OpenZFS 2.3.
        const string stdout = """
              pool: tank
             state: DEGRADED
            status: One or more devices is being resilvered.
            	/dev/mentioned/in/text ONLINE should not count, were it not for the tab
              scan: resilver in progress since Fri Nov 20 17:19:39 2026
            config:

            	NAME                                   STATE     READ WRITE CKSUM
            	tank                                   DEGRADED     0     0     0
            	  raidz2-0                             DEGRADED     0     0     0
            	    /dev/disk/by-id/a-part1            ONLINE       0     0     0
            	    spare-1                            DEGRADED     0     0     0
            	      1234567890                       UNAVAIL      0     0     0  was /dev/disk/by-id/b-part1
            	      /dev/disk/by-id/s-part1          ONLINE       0     0     0  (resilvering)
            	    replacing-2                        DEGRADED     0     0     0
            	      /dev/disk/by-id/c-part1          FAULTED     12     0     0  too many errors
            	      /dev/disk/by-id/n-part1          ONLINE       0     0     0  (resilvering)
            	  draid1:4d:8c:1s-1                    ONLINE       0     0     0
            	    /dev/mapper/mpatha                 ONLINE       0     0     0
            	    99999                              OFFLINE      0     0     0  was /dev/mapper/mpath b  (awaiting resilver)
            	    draid1-1-0                         ONLINE       0     0     0
            	  indirect-3                           ONLINE       0     0     0
            	special	
            	  mirror-4                             ONLINE       0     0     0
            	    /dev/nvme0n1p1                     ONLINE       0     0     0
            	logs	
            	  /srv/a file with spaces              ONLINE       0     0     0  block size: 512B configured, 4096B native
            	cache
            	  /dev/disk/by-id/l2-part1             ONLINE       0     0     0
            	spares
            	  /dev/disk/by-id/s-part1              INUSE     currently in use
            	  /dev/disk/by-id/t-part1              AVAIL

            errors: No known data errors
            """;
        ZpoolOutput.Leaves(stdout.Replace("\t/dev/mentioned/in/text ONLINE", "\tdevices")).ShouldBe(
        [
            "/dev/disk/by-id/a-part1", "/dev/disk/by-id/b-part1", "/dev/disk/by-id/s-part1", "/dev/disk/by-id/c-part1", "/dev/disk/by-id/n-part1",
            "/dev/mapper/mpatha", "/dev/mapper/mpath b", "/dev/nvme0n1p1", "/srv/a file with spaces",
        ]);
    }

    [Theory]
    [InlineData("cache")]
    [InlineData("spares")]
    public void A_pool_named_like_a_section_is_a_pool(string name) =>
        ZpoolOutput.Leaves($"config:\n\n\tNAME  STATE  READ WRITE CKSUM\n\t{name}  ONLINE  0  0  0\n\t  /dev/sda1  ONLINE  0  0  0\n").ShouldBe(["/dev/sda1"]);
}
