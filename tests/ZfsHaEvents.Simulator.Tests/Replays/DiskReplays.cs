using Xunit;
using ZfsHaEvents.Zfs.Tests;

namespace ZfsHaEvents.Simulator.Tests.Replays;

public sealed class DiskReplays(ReplayTotals totals)
{
    const string CreateSolo = "zpool create -o cachefile=none -O canmount=off solo /dev/disk/by-id/virtio-d4";
    const string D0 = "/dev/disk/by-id/virtio-d0-part1";
    const string D1 = "/dev/disk/by-id/virtio-d1-part1";
    const string D4 = "/dev/disk/by-id/virtio-d4-part1";

    [Fact]
    public async Task Labels_read_as_real_ones()
    {
        await using var replay = await Replay.BeginAsync(totals, "70-");
        const string Create = ImportReplays.CreateTank1 + "; echo rc $?; zfs create tank1/fs1; zpool list -H -p -o name,guid,health,multihost,readonly";
        await replay.TypeAsync("hosta", Create + "; ls -l /dev/disk/by-id", Create, leaveOut: @"^total 0\n|^lrwx.*\n");
        await replay.TypeAsync("hosta", CreateSolo + "; echo rc $?");
        await replay.TypeAsync("hosta", $"zdb -l {D0}");
        await replay.TypeAsync("hostb", $"zdb -l {D0}");
        await replay.TypeAsync("hosta", $"zdb -l {D1}");
        await replay.TypeAsync("hostb", $"zdb -l {D4}");
        await replay.TypeAsync("hostb", "zdb -l /dev/disk/by-id/virtio-d5");
        await replay.TypeAsync("hostb", "zdb -l /dev/disk/by-id/virtio-nosuch");
        await replay.TypeAsync("hostb", "zdb -l virtio-d0-part1");
        await replay.TypeAsync("hostb", "zdb -l /dev/disk/by-id/virtio-d0");
        await replay.TypeAsync("hostb", "zdb -l /dev/vda");
        await replay.TypeAsync("hostb", "zdb -l vda1");
        await replay.TypeAsync("hostb", "zdb -l /dev/disk/by-id/virtio-d0-part9");
        await replay.TypeAsync("hostb", $"zdb -l {D0} /dev/disk/by-id/virtio-d5");
        await replay.TypeAsync("hostb", "zdb -lll /dev/disk/by-id/virtio-d5");
        await replay.TypeAsync("hosta", "zpool export tank1; echo rc $?; zpool export solo; echo rc $?; zpool list -H; ls -d /proc/spl/kstat/zfs/*/",
            typed: "zpool export tank1; echo rc $?; zpool export solo; echo rc $?; zpool list -H; ls -d /proc/spl/kstat/zfs/*/ 2> /dev/null || false",
            leaveOut: @"^ls: .*\n");
        await replay.TypeAsync("hostb", $"zdb -l {D0}", index: 1);
        await replay.TypeAsync("hosta", $"zdb -l {D0} | head -14");
        await replay.TypeAsync("hostb", $"zdb -l {D4} | head -14");
        replay.Finish();
    }

    [Fact]
    public async Task Uberblocks_read_as_real_ones()
    {
        await using var replay = await Replay.BeginAsync(totals, "71-");
        var nub = "nub() { " + Transcript.Of("71-", "cat /bin/nub").Stdout + "}; ";
        var mmpslot = "mmpslot() { " + Transcript.Of("71-", "cat /bin/mmpslot").Stdout + "}; ";
        await replay.SetUpAsync("hosta", ImportReplays.CreateTank1 + "; zfs create tank1/fs1; " + CreateSolo);
        await replay.PairGuidAsync("hosta", "tank1", "5617477934682210394");
        var all = Transcript.Of("71-", $"zdb -lu {D0}").Stdout;
        await replay.TypeAsync("hostb", $"zdb -lu {D0}",
            $"until [ $(zdb -lu {D0} | grep -c Uberblock) -gt 9 ]; do command sleep 0.2; done; zdb -lu {D0} | head -{all.Count(character => character == '\n')}");
        await replay.TypeAsync("hostb", $"zdb -luuuu {D0} | tail -40; date; date +%s",
            $"until zdb -luuuu {D0} | tail -17 | grep -q 'Uberblock.127.$'; do command sleep 0.2; done; zdb -luuuu {D0} | tail -40", leaveOut: @"^\w{3} \w{3} .*UTC 2026\n|^1\d{9}\n");
        // Between a transaction group and the next multihost write to this disk the newest is the group's own.
        var beat = nub + $"beat() {{ until seen=$(nub {D0} uuuu); echo \"$seen\" | grep -q 'Uberblock.127.'; do :; done; echo \"$seen\"; }}; ";
        await replay.TypeAsync("hostb", $"nub {D0} uuuu; sleep 3; echo; nub {D0} uuuu", beat + "beat; sleep 3; echo; beat");
        await replay.TypeAsync("hostb", $"nub {D0} u", nub + $"nub {D0} u");
        await replay.TypeAsync("hostb", $"nub {D0} u; date +%s", nub + $"nub {D0} u; date +%s");
        await replay.TypeAsync("hostb", $"zdb -lu {D4} | grep -E \"^ *Uberblock|mmp_|txg =|timestamp\"", leaveOut: @"^    Uberblock\[6\]\n(?:\t.*\n){6}");
        await replay.TypeAsync("hostb", $"nub {D4} u; date +%s; sleep 6; nub {D4} uuuu; date +%s", nub + $"nub {D4} u; date +%s; sleep 6; nub {D4} uuuu; date +%s");
        await replay.SetUpAsync("hosta", "zpool export tank1; zpool export solo");
        await replay.TypeAsync("hostb", $"nub {D4} u; date +%s", nub + $"nub {D4} u; date +%s");
        await replay.TypeAsync("hostb", $"zdb -lu {D0} > /tmp/x1; sleep 6; zdb -lu {D0} | diff /tmp/x1 - ; echo diff rc $?", $"x=$(mktemp); zdb -lu {D0} > $x; sleep 6; zdb -lu {D0} | diff $x - ; echo diff rc $?; rm $x");
        await replay.TypeAsync("hostb", $"zdb -lqu {D4} | head -12");
        replay.Finish();
    }

    [Fact]
    public async Task Kstats_read_as_real_ones()
    {
        await using var replay = await Replay.BeginAsync(totals, "72-");
        await replay.SetUpAsync("hosta", ImportReplays.CreateTank1 + "; zfs create tank1/fs1; " + CreateSolo);
        await replay.PairGuidAsync("hosta", "tank1", "5617477934682210394");
        await replay.PairGuidAsync("hosta", "solo", "5553365397357904498");
        await replay.TypeAsync("hosta", "cd /proc/spl/kstat/zfs/tank1; for f in state guid multihost iostats; do echo \"== $f\"; cat $f; done",
            "cd /proc/spl/kstat/zfs/tank1; for f in state guid multihost; do echo \"== $f\"; cat $f; done", leaveOut: @"^== iostats\n(?:.*\n)*");
        await replay.TypeAsync("hosta", "cd /proc/spl/kstat/zfs; head -c 40 */state; grep -H . */state */guid; od -c tank1/state; od -c tank1/guid",
            "cd /proc/spl/kstat/zfs; head -c 40 */state; grep -H . */state */guid; od -c tank1/state", leaveOut: @"^0000000   5 (?:.*\n)*");
        await replay.TypeAsync("hosta", "cat /proc/spl/kstat/zfs/import_progress; cat /proc/spl/kstat/zfs/nosuch/state; echo rc $?",
            "cat /proc/spl/kstat/zfs/import_progress; cat /proc/spl/kstat/zfs/nosuch/state 2> /dev/null; echo rc $?", leaveOut: @"^cat: .*\n");
        await replay.TypeAsync("hostb", "cat /sys/module/spl/parameters/spl_hostid /proc/sys/kernel/random/boot_id; cat /proc/sys/kernel/spl/hostid; hostname",
            "cat /sys/module/spl/parameters/spl_hostid; cat /proc/sys/kernel/spl/hostid; cat $HOST/proc/sys/kernel/hostname", leaveOut: @"^[0-9a-f]{8}-[0-9a-f-]{27}\n");
        replay.Finish();
    }
}
