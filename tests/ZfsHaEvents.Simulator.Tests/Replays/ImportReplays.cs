using Xunit;

namespace ZfsHaEvents.Simulator.Tests.Replays;

public sealed class ImportReplays(ReplayTotals totals)
{
    internal const string CreateTank1 = "zpool create -o cachefile=none -o multihost=on -O canmount=off tank1 mirror /dev/disk/by-id/virtio-d0 /dev/disk/by-id/virtio-d1";
    internal const string CreateTank2 = "zpool create -o cachefile=none -o multihost=on -O canmount=off tank2 mirror /dev/vdc /dev/vdd";
    const string CreateThrown = "zpool create -o cachefile=none -O canmount=off thrown /dev/disk/by-id/virtio-d4";

    [Fact]
    public async Task Imports_of_pools_that_are_held_elsewhere_answer_as_real_ones()
    {
        await using var replay = await Replay.BeginAsync(totals, "10-");
        await replay.SetUpAsync("hosta", CreateTank1);
        await replay.SetUpAsync("hosta", CreateTank2);
        await replay.TypeAsync("hostb", "zpool import");
        await replay.TypeAsync("hostb", "zpool import -o cachefile=none tank1");
        await replay.TypeAsync("hostb", "zpool import -f -o cachefile=none tank1");
        await replay.TypeAsync("hostb", "zpool import -o readonly=on -o cachefile=none tank1");
        await replay.TypeAsync("hostb", "zpool import -f -o readonly=on -o cachefile=none tank1");
        await replay.TypeAsync("hostb", "zpool import -f -N -o cachefile=none tank1");
        await replay.TypeAsync("hostb", "zpool list -H; dmesg | grep -i -E \"zfs|mmp|multihost\" | tail -5; cat /proc/spl/kstat/zfs/import_progress 2>/dev/null");
        await replay.TypeAsync("hosta", "zpool status tank1; zpool events -H | tail -5", typed: "zpool status tank1", leaveOut: @"^Nov 20 .*sysevent.*\n");
        replay.Finish();

        var off = replay.Of("11-");
        await off.TypeAsync("hosta", CreateThrown + " && zpool get -H multihost thrown");
        await off.TypeAsync("hostb", "blockdev --rereadpt /dev/vde; udevadm settle; zpool import", typed: "zpool import");
        await off.TypeAsync("hostb", "zpool import -o cachefile=none thrown");
        await off.TypeAsync("hostb", "zpool import -o readonly=on -o cachefile=none thrown");
        await off.TypeAsync("hostb", "zpool import -N thrown");
        await off.TypeAsync("hostb", "zpool import -f -o readonly=on -o cachefile=none thrown; echo rc $?; zpool list -H; zpool export thrown; echo rc $?");
        await off.TypeAsync(
            "hostb", "zpool import -f -o cachefile=none thrown; echo rc $?; zpool list -H; zfs create thrown/onb; dd if=/dev/urandom of=/thrown/onb/x bs=1M count=8 2>&1; sync; zpool status thrown",
            typed: "zpool import -f -o cachefile=none thrown; echo rc $?; zfs create thrown/onb; sim write $HOST thrown; zpool status thrown", leaveOut: @"^thrown\t240M.*\n");
        await off.TypeAsync(
            "hosta", "zfs create thrown/ona; dd if=/dev/urandom of=/thrown/ona/x bs=1M count=8 2>&1; sync; zpool sync thrown; zpool status thrown; zpool list -H thrown",
            typed: "zfs create thrown/ona; sim write $HOST thrown; zpool sync thrown; zpool status thrown", leaveOut: @"^thrown\t240M.*\n");
        await off.TypeAsync(
            "hostb", "zpool export thrown; echo rc $?; zpool import -o cachefile=none thrown; echo rc $?; zpool status -v thrown; zpool scrub -w thrown; zpool status -v thrown; zfs list -r thrown",
            typed: "zpool export thrown; echo rc $?; zpool import -o cachefile=none thrown; echo rc $?; zpool status -v thrown; zpool status -v thrown; zfs list -H -o name -r thrown",
            leaveOut: @"^  scan: .*\n|^NAME  .*\n|(?<=^thrown(?:/onb)?) +\d.*(?=\n)");
        await off.TypeAsync(
            "hosta", "zpool scrub -w thrown; zpool status -v thrown; zfs list -r thrown; timeout 20 zpool export thrown; echo rc $?",
            typed: "zpool status -v thrown; zfs list -H -o name -r thrown; timeout 20 zpool export thrown; echo rc $?",
            leaveOut: @"^  scan: .*\n|^NAME  .*\n|(?<=^thrown(?:/ona)?) +\d.*(?=\n)");
        await off.TypeAsync("hostb", "timeout 20 zpool export thrown; echo rc $?; zpool import -d /dev/disk/by-id; dmesg | tail -5");
        off.Finish();
    }

    [Fact]
    public async Task Exports_and_imports_on_one_host_answer_as_real_ones()
    {
        await using var replay = await Replay.BeginAsync(totals, "12-");
        await replay.SetUpAsync("hosta", CreateTank1);
        await replay.SetUpAsync("hosta", CreateTank2);
        await replay.SetUpAsync("hosta", "zfs create tank1/fs1; zfs unmount tank1/fs1; " + CreateThrown + "; zpool export thrown");
        await replay.TypeAsync("hostb", "zpool export tank1");
        await replay.TypeAsync("hostb", "zpool export nosuch");
        await replay.TypeAsync("hostb", "zpool export -f nosuch");
        await replay.TypeAsync("hostb", "zpool export");
        await replay.TypeAsync(
            "hosta", "zfs mount tank1/fs1; echo hello > /tank1/fs1/f; (cd /tank1/fs1 && exec sleep 1000 >/dev/null 2>&1 </dev/null) & sleep 0.5; zpool export tank1; echo rc $?; zpool list -H -o name,health; zfs list -H -o name,mounted",
            typed: "zfs mount tank1/fs1; sim busy $HOST tank1/fs1 on; zpool export tank1; echo rc $?; zpool list -H -o name,health; zfs list -H -o name,mounted");
        await replay.TypeAsync(
            "hosta", "time zpool export -f tank1; echo rc $?; zpool list -H -o name,health; mount | grep zfs; ls -l /proc/[0-9]*/cwd 2>/dev/null | grep tank1",
            typed: "time zpool export -f tank1; echo rc $?; zpool list -H -o name,health", leaveOut: @"^tank1/fs1 on .*\n|^lrwx.*\n");
        await replay.TypeAsync(
            "hosta", "pidof sleep; kill $(pidof sleep); sleep 0.5; zpool export tank1; echo rc $?; zpool list -H -o name,health",
            typed: "sim busy $HOST tank1/fs1 off; zpool export tank1; echo rc $?; zpool list -H -o name,health", leaveOut: @"^377 183\n");
        await replay.TypeAsync("hosta", "zpool export tank1");
        await replay.TypeAsync("hosta", "zpool import -o cachefile=none tank1");
        await replay.TypeAsync(
            "hosta", "zfs get -H -o name,value mounted -r tank1; (exec 7>/tank1/fs1/open; exec sleep 1000 >/dev/null 2>&1 </dev/null) & sleep 0.5;  zpool export tank1; echo rc $?; zpool export -f tank1; echo rc $?; kill %1; kill $(pidof sleep); sleep 0.3; zpool export -f tank1; echo rc $?",
            typed: "zfs get -H -o name,value mounted -r tank1; sim busy $HOST tank1/fs1 on; zpool export tank1; echo rc $?; zpool export -f tank1; echo rc $?; sim busy $HOST tank1/fs1 off; zpool export -f tank1; echo rc $?");
        await replay.TypeAsync(
            "hosta", "zpool import -o cachefile=none tank1; zfs create tank1/fs2; zfs create tank1/aa; (cd /tank1/fs1 && exec sleep 1000 >/dev/null 2>&1 </dev/null) & sleep 0.5; zpool export tank1; echo rc $?; zfs list -H -r -o name,mounted tank1; zpool export -f tank1; echo rc $?;  zfs list -H -r -o name,mounted tank1; kill $(pidof sleep); sleep 0.3; zfs list -H -r -o name,mounted tank1; zfs mount -a; zfs list -H -r -o name,mounted tank1",
            typed: "zpool import -o cachefile=none tank1; zfs create tank1/fs2; zfs create tank1/aa; sim busy $HOST tank1/fs1 on; zpool export tank1; echo rc $?; zfs list -H -r -o name,mounted tank1; zpool export -f tank1; echo rc $?;  zfs list -H -r -o name,mounted tank1; sim busy $HOST tank1/fs1 off; zfs list -H -r -o name,mounted tank1; zfs mount -a; zfs list -H -r -o name,mounted tank1");
        replay.Finish();

        var import = replay.Of("13-");
        await import.TypeAsync("hosta", "zpool import tank1");
        await import.TypeAsync("hosta", "zpool import -f tank1");
        await import.TypeAsync("hosta", "zpool import nosuch");
        await import.TypeAsync("hosta", "zpool import -f nosuch");
        await import.TypeAsync("hosta", "zpool import 12345678901234567");
        await import.TypeAsync("hosta", "zpool import -d /nonexistent tank1");
        await import.TypeAsync("hosta", "zpool export tank1; zpool import");
        await import.TypeAsync("hosta", "zpool import -d /dev/disk/by-id -o cachefile=none 1185814460880299980; echo rc $?; zpool get -H -o value guid tank1; zpool export tank1");
        await import.TypeAsync("hosta", "zpool import -o cachefile=none 1185814460880299980; echo rc $?; zpool get -H -o value guid tank1; zpool export tank1");
        await import.TypeAsync("hosta", "zpool import -d /dev/disk/by-id -o cachefile=none tank1; echo rc $?; zpool status -P tank1; zpool export tank1");
        await import.TypeAsync("hosta", "zpool import -d /dev/vda1 -d /dev/vdb1 -o cachefile=none tank1; echo rc $?; zpool status -P tank1; zpool export tank1");
        await import.TypeAsync("hosta", "zpool import -N -o cachefile=none tank1; echo rc $?; zfs list -H -o name,mounted -r tank1; zpool export tank1");
        await import.TypeAsync(
            "hosta", "zpool import -o readonly=on -o cachefile=none tank1; echo rc $?; zpool get -H readonly,multihost tank1; zfs create tank1/x; echo rc $?; zpool set comment=x tank1; echo rc $?; mount | grep zfs; cat /proc/spl/kstat/zfs/tank1/state; zpool export tank1; echo rc $?",
            leaveOut: @"^tank1/\w+ on .*\n", typed: "mount() { :; }; zpool import -o readonly=on -o cachefile=none tank1; echo rc $?; zpool get -H readonly,multihost tank1; zfs create tank1/x; echo rc $?; zpool set comment=x tank1; echo rc $?; cat /proc/spl/kstat/zfs/tank1/state; zpool export tank1; echo rc $?");
        await import.TypeAsync("hosta", "zpool import -o readonly=on -o multihost=off -o cachefile=none tank1; echo rc $?; zpool get -H readonly,multihost tank1; zpool export tank1");
        await import.TypeAsync("hosta", "zpool import -R /alt -o cachefile=none tank1; echo rc $?; zfs list -H -o name,mountpoint -r tank1; zpool export tank1");
        await import.TypeAsync("hosta", "zpool import -o nosuch=1 tank1");
        await import.TypeAsync("hosta", "zpool import -o cachefile=none tank1 tank1new; echo rc $?; zpool list -H -o name; zpool export tank1new; zpool import -o cachefile=none tank1new tank1; echo rc $?");
        import.Finish();
    }

    [Fact]
    public async Task Two_pools_of_one_name_answer_as_real_ones()
    {
        await using var replay = await Replay.BeginAsync(totals, "76-");
        await replay.SetUpAsync("hostb", CreateTank1 + "; zpool export tank1");
        await replay.TypeAsync("hosta", "zpool create -f -o cachefile=none -O canmount=off dup /dev/disk/by-id/virtio-d4; zpool get -H -o value guid dup; zpool export dup; zpool create -f -o cachefile=none -O canmount=off dup /dev/disk/by-id/virtio-d5;  zpool get -H -o value guid dup; zpool export dup; echo rc $?");
        await replay.TypeAsync("hostb", "zpool import");
        await replay.TypeAsync("hostb", "zpool import -d /dev/disk/by-id dup");
        await replay.TypeAsync("hostb", "zpool import -o cachefile=none -N -d /dev/disk/by-id dup; echo rc $?; zpool import -f dup; echo rc $?; zpool list -H");
        await replay.TypeAsync("hostb", "zpool import -o cachefile=none -N 8466408782483170671; echo rc $?; zpool list -H -o name,guid,health");
        await replay.TypeAsync("hostb", "zpool import", index: 1);
        await replay.TypeAsync("hostb", "zpool import dup; echo rc $?");
        await replay.TypeAsync("hostb", "zpool import 11406615774794820949; echo rc $?; zpool import -o cachefile=none 11406615774794820949 dup2; echo rc $?; zpool list -H -o name,guid,health; zpool export dup2; zpool import 8466408782483170671 dup3; echo rc $?");
        await replay.TypeAsync("hostb", "zdb -l /dev/disk/by-id/virtio-d4-part1 | grep -E \" name| state\"");
        await replay.TypeAsync("hostb", "zpool import -o cachefile=none 11406615774794820949 dup; echo rc $?; zpool import -N dup2 dup4; echo rc $?; zpool export dup4; zpool list -H -o name,guid");
        // The scan listed dup4 first there: the one order in all recordings that the labels' paths do not explain.
        const string Refused = "zpool import dup; echo rc $?; zpool import -N -o cachefile=none 8466408782483170671; echo rc $?";
        await replay.TypeAsync("hosta", "zpool import; " + Refused, Refused, leaveOut: @"\A  pool: (?:.*\n)*?(?=rc 1)");
        await replay.SetUpAsync("hosta", "zpool import -N dup4 dup && zpool export dup");
        await replay.TypeAsync("hosta", "zpool import dup; echo rc $?; zpool import -f dup; echo rc $?; zpool import -d /dev/disk/by-id/virtio-d4-part1 -N -o cachefile=none dup; echo rc $?; zpool list -H -o name,guid; zpool export dup; zpool list -H");
        replay.Finish();
    }
}
