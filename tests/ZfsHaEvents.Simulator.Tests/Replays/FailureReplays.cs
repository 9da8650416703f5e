using Xunit;

namespace ZfsHaEvents.Simulator.Tests.Replays;

public sealed class CrashReplays(ReplayTotals totals)
{
    [Fact]
    public async Task A_crash_a_takeover_and_a_frozen_host_answer_as_real_ones()
    {
        await using var replay = await Replay.BeginAsync(totals, "22-");
        var world = replay.World;
        await replay.SetUpAsync("hosta", ImportReplays.CreateTank1);
        await replay.SetUpAsync("hosta", ImportReplays.CreateTank2);
        await replay.SetUpAsync("hosta", "zpool export tank2; zpool import -d /dev/disk/by-id tank2; zfs create tank1/fs1; zpool create -o cachefile=none -O canmount=off thrown virtio-d4; zpool export thrown");
        await replay.TypeAsync(
            "hosta", "zfs mount tank1/fs1; echo before-crash > /tank1/fs1/marker; zpool sync tank1; zpool list -H -o name,health,multihost",
            typed: "zfs mount tank1/fs1; sim write $HOST tank1 before-crash; zpool sync tank1; zpool list -H -o name,health,multihost");
        await world.HostAsync("crash", "hosta");
        const string Import1 = "zpool import -d /dev/disk/by-id -o cachefile=none tank1";
        const string Import1Forced = "zpool import -d /dev/disk/by-id -f -o cachefile=none tank1";
        await replay.TypeAsync("hostb", Import1);
        await replay.TypeAsync("hostb", "zpool import -d /dev/disk/by-id");
        await replay.TypeAsync("hostb", Import1Forced);
        await replay.TypeAsync(
            "hostb", "cat /tank1/fs1/marker; zpool status tank1; dmesg | grep -i activity | tail -6; cat /proc/spl/kstat/zfs/import_progress",
            typed: "sim read $HOST tank1 | cut -f2; zpool status tank1; cat /proc/spl/kstat/zfs/import_progress");
        await world.BootAsync("hosta");
        await replay.TypeAsync("hosta", "zpool list; zpool import -d /dev/disk/by-id");
        await replay.TypeAsync("hosta", Import1);
        await replay.TypeAsync("hosta", Import1Forced);
        await replay.TypeAsync("hosta", "zpool import -d /dev/disk/by-id -o cachefile=none tank2; echo rc $?; zpool list -H -o name,health; zfs create tank2/w; dmesg | grep -i activity | tail -3",
            typed: "zpool import -d /dev/disk/by-id -o cachefile=none tank2; echo rc $?; zpool list -H -o name,health; zfs create tank2/w");
        replay.Finish();

        var freeze = replay.Of("23-");
        await world.HostAsync("freeze", "hosta");
        await freeze.TypeAsync("hostb", "zpool import -d /dev/disk/by-id -f -o cachefile=none tank2");
        await freeze.TypeAsync(
            "hostb", "zpool list -H -o name,health; zfs list -H -o name,mounted -r tank2; echo B-owns > /tank2/w/owner; zpool sync tank2",
            typed: "zpool list -H -o name,health; zfs list -H -o name,mounted -r tank2; sim write $HOST tank2 B-owns; zpool sync tank2");
        await world.HostAsync("thaw", "hosta");
        await world.SuspendedAsync("hosta", "tank2");
        await freeze.TypeAsync("hosta", "dmesg | tail -12; timeout 20 zpool status tank2; echo rc $?; cat /proc/spl/kstat/zfs/tank2/state; timeout 20 zpool list -H -o name,health");
        await freeze.TypeAsync(
            "hosta", "dmesg | tail -12; timeout 20 zpool status tank2; echo rc $?; cat /proc/spl/kstat/zfs/tank2/state; timeout 20 zpool list -H -o name,health;  zpool events -H | tail -4",
            typed: "timeout 20 zpool status tank2; echo rc $?; cat /proc/spl/kstat/zfs/tank2/state; timeout 20 zpool list -H -o name,health;  zpool events -H | tail -1",
            leaveOut: @"^Nov 20 .*sysevent.*\n");
        await freeze.TypeAsync(
            "hostb", "dmesg | tail -5; zpool status tank2; cat /tank2/w/owner; cat /proc/spl/kstat/zfs/tank2/state",
            typed: "zpool status tank2; sim read $HOST tank2 | cut -f2; cat /proc/spl/kstat/zfs/tank2/state");
        freeze.Finish();

        var suspended = replay.Of("24-");
        const string Processes = @"^ *\d+ [SD] .*\n";
        await suspended.TypeAsync(
            "hosta", "time timeout 20 zpool export -f tank2; echo rc $?; ps -o pid,stat,args | grep \"zpool\" | grep -v grep; timeout 20 zpool list -H -o name,health",
            typed: "time timeout 20 zpool export -f tank2; echo rc $?; timeout 20 zpool list -H -o name,health", leaveOut: Processes);
        await suspended.TypeAsync(
            "hosta", "time timeout 20 zpool clear tank2; echo rc $?; timeout 10 zpool list -H -o name,health; dmesg | tail -4");
        await suspended.TypeAsync("hosta", "timeout 20 zpool status tank2; ps -o pid,stat,args | grep \"zpool\" | grep -v grep; ", typed: "timeout 20 zpool status tank2", leaveOut: Processes);
        await suspended.TypeAsync(
            "hostb", "dmesg | tail -3; zpool status tank2; cat /tank2/w/owner", typed: "zpool status tank2; sim read $HOST tank2 | cut -f2");
        suspended.Finish();
        await world.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task A_takeover_by_guid_answers_as_a_real_one()
    {
        await using var replay = await Replay.BeginAsync(totals, "75-");
        await replay.SetUpAsync("hosta", ImportReplays.CreateTank1 + "; zfs create tank1/fs1");
        await replay.PairGuidAsync("hosta", "tank1", "5617477934682210394");
        await replay.World.HostAsync("crash", "hosta");
        await replay.TypeAsync("hostb", "zpool import -N -o cachefile=none 5617477934682210394; echo rc $?; dmesg | tail -2");
        await replay.TypeAsync("hostb", "zpool import -f -N -o cachefile=none 5617477934682210394");
        await replay.TypeAsync(
            "hostb", "zpool list -H -p -o name,guid,health,multihost; zfs list -H -o name,mounted,mountpoint; zpool status -P tank1; dmesg | tail -2; zpool history -i tank1 | tail -4; zdb -l /dev/disk/by-id/virtio-d0-part1 | grep -E \"state:|hostid|hostname| txg\"",
            leaveOut: @"^\[.*");
        await replay.TypeAsync("hostb", "zpool export tank1; echo rc $?");
        await replay.TypeAsync("hostb", "zpool import -N -o cachefile=none -d /dev/disk/by-id/virtio-d0-part1 5617477934682210394; echo rc $?; zpool status -P tank1; zpool export tank1; zpool import -N -o cachefile=none -d /dev/disk/by-id/virtio-d5 -d /dev/disk/by-id/nosuch 5617477934682210394; echo rc $?");
        replay.Finish();
        await replay.World.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task Suspended_for_lack_of_beats_and_cleared_answers_as_a_real_one()
    {
        await using var replay = await Replay.BeginAsync(totals, "28-");
        await replay.SetUpAsync("hostb", ImportReplays.CreateTank2);
        await replay.World.HostAsync("freeze", "hostb");
        await Task.Delay(TimeSpan.FromSeconds(15 * FakeWorld.TimeScale), TestContext.Current.CancellationToken);
        await replay.World.HostAsync("thaw", "hostb");
        await replay.World.SuspendedAsync("hostb", "tank2");
        await replay.TypeAsync(
            "hostb", "sleep 1; zpool list -H -o name,health; dmesg | grep -i mmp | tail -4; tl 8 zpool clear tank2; sleep 1; zpool list -H -o name,health; tl 8 zpool clear tank1; sleep 2; zpool list -H -o name,health; dmesg | tail -4; tl 10 zpool export tank2; zpool status tank1 | head -8",
            typed: "zpool list -H -o name,health; zpool clear tank2; sleep 1; zpool list -H -o name,health; sleep 2; zpool list -H -o name,health; zpool export tank2",
            leaveOut: @"^tank1\t.*\n|^rc 0 after .*\n|^  pool: tank1\n(?:.*\n)*");
        replay.Finish();
        await replay.World.ShouldBeSoundAsync();
    }
}

public sealed class DamageReplays(ReplayTotals totals)
{
    [Fact]
    public async Task Hosts_without_a_hostid_answer_as_real_ones()
    {
        await using var replay = await Replay.BeginAsync(totals, "30-", "--hostid", "hosta=0");
        await replay.SetUpAsync("hostb", ImportReplays.CreateTank1 + "; zpool export tank1");
        await replay.SetUpAsync("hostb", "zpool create -o cachefile=none -o multihost=on -O canmount=off tank2 mirror virtio-d2 virtio-d3; zpool export tank2");
        await replay.SetUpAsync("hostb", "zpool create -o cachefile=none -O canmount=off thrown virtio-d4; zpool export thrown");
        await replay.TypeAsync(
            "hosta", "cat /sys/module/spl/parameters/spl_hostid; ls -l /etc/hostid; hostid; zpool import -d /dev/disk/by-id -o cachefile=none tank1",
            typed: "cat /sys/module/spl/parameters/spl_hostid; zpool import -d /dev/disk/by-id -o cachefile=none tank1", leaveOut: @"^007f0101\n|^ls: .*\n");
        await replay.TypeAsync("hosta", "zpool import -f -d /dev/disk/by-id -o cachefile=none tank1");
        await replay.TypeAsync("hosta", "zpool import -d /dev/disk/by-id tank1 -o readonly=on");
        await replay.TypeAsync("hosta", "zpool import -d /dev/disk/by-id | head -30");
        await replay.TypeAsync("hosta", "zpool create -o multihost=on -o cachefile=none -O canmount=off hz /dev/disk/by-id/virtio-d5");
        await replay.TypeAsync("hosta", "zpool create -o cachefile=none -O canmount=off hz /dev/disk/by-id/virtio-d5; echo rc $?; zpool set multihost=on hz; echo rc $?");
        replay.Finish();
    }

    [Fact]
    public async Task A_crash_and_a_missing_leg_answer_as_real_ones()
    {
        await using var replay = await Replay.BeginAsync(totals, "42-");
        var world = replay.World;
        await replay.SetUpAsync("hostb", ImportReplays.CreateTank1);
        await replay.SetUpAsync("hostb", "zpool create -o cachefile=none -o multihost=on -O canmount=off tank2 mirror virtio-d2 virtio-d3; zpool export tank2");
        await world.HostAsync("crash", "hostb");
        await world.HostAsync("hide", "hostb", "d1", "on");
        await world.BootAsync("hostb");
        await replay.TypeAsync("hostb", "ls /dev/disk/by-id; zpool import -d /dev/disk/by-id/virtio-d0-part1", typed: "zpool import -d /dev/disk/by-id/virtio-d0-part1", leaveOut: @"^virtio-d\d.*\n");
        await replay.TypeAsync("hostb", "zpool import -d /dev/disk/by-id -o cachefile=none tank1; echo rc $?; dmesg | grep -E \"NOTICE|WARN\" | tail -3",
            typed: "zpool import -d /dev/disk/by-id -o cachefile=none tank1; echo rc $?");
        await replay.TypeAsync("hostb", "zpool import -d /dev/disk/by-id -f -o readonly=on -o cachefile=none tank1; echo rc $?; dmesg | grep -E \"NOTICE|WARN\" | tail -2; zpool list -H -o name,health");
        replay.Finish();

        var exported = replay.Of("43-");
        await world.HostAsync("hide", "hosta", "d3", "on");
        await exported.TypeAsync("hosta", "zpool import -d /dev/disk/by-id -f -o cachefile=none tank2; echo rc $?; dmesg | grep -E \"NOTICE|WARN\" | tail -4; zpool list -H -o name,health");
        exported.Finish();
    }

    [Fact]
    public async Task Faulted_and_missing_disks_without_multihost_answer_as_real_ones()
    {
        await using var replay = await Replay.BeginAsync(totals, "44-");
        var world = replay.World;
        const string Create = "zpool create -f -o cachefile=none -O canmount=off mir mirror /dev/disk/by-id/virtio-d4 /dev/disk/by-id/virtio-d5; zfs create mir/fs; ";
        await replay.TypeAsync("hosta", Create + "echo 1 > /mir/fs/a; zpool export mir; echo rc $?", typed: Create + "sim write $HOST mir 1; zpool export mir; echo rc $?");
        // Here a disk fails while the pool is held: the fault is recorded in the pool, as the errors of the recording were.
        await replay.SetUpAsync("hosta", "zpool import -o cachefile=none mir");
        await world.HostAsync("hide", "hosta", "d5", "on");
        await replay.SetUpAsync("hosta", "sim write $HOST mir 1; zpool export mir");
        await world.HostAsync("hide", "hosta", "d5", "off");
        await replay.TypeAsync("hosta", "zpool import -d /dev/disk/by-id/virtio-d4-part1 -d /dev/disk/by-id/virtio-d5-part1; echo rc $?");
        await replay.TypeAsync(
            "hosta", "zpool import -d /dev/disk/by-id/virtio-d4-part1 -o cachefile=none mir; echo rc $?; zpool list -H -o name,health; zpool status mir; zpool status -x; cat /mir/fs/a; zpool export mir; echo rc $?",
            typed: "zpool import -d /dev/disk/by-id/virtio-d4-part1 -o cachefile=none mir; echo rc $?; zpool list -H -o name,health; zpool status mir; zpool status -x; sim read $HOST mir | cut -f2; zpool export mir; echo rc $?");
        replay.Finish();

        var striped = replay.Of("45-");
        const string CreateStriped = "zpool create -f -o cachefile=none -O canmount=off str /dev/disk/by-id/virtio-d4 /dev/disk/by-id/virtio-d5; zfs create str/fs; ";
        await striped.TypeAsync(
            "hosta", "zpool labelclear -f /dev/vdf1; zpool labelclear -f /dev/vde1; " + CreateStriped + "dd if=/dev/urandom of=/str/fs/a bs=1M count=4 2>/dev/null; zpool export str; echo rc $?",
            typed: CreateStriped + "zpool export str; echo rc $?");
        await world.HostAsync("hide", "hosta", "d5", "on");
        await striped.TypeAsync(
            "hosta", "for o in \"\" -f -F -m \"-o readonly=on\"; do echo \"== zpool import $o -d ... str\" | tee /dev/stderr; zpool import $o -d /dev/disk/by-id/virtio-d4-part1 -o cachefile=none str; echo rc $?; done;  zpool list -H",
            typed: "for o in \"\" -f \"-o readonly=on\"; do echo \"== zpool import $o -d ... str\"; zpool import $o -d /dev/disk/by-id/virtio-d4-part1 -o cachefile=none str; echo rc $?; done;  zpool list -H",
            leaveOut: @"^== zpool import -[Fm] .*\nrc 1\n|\A(?:cannot import 'str'.*\n){2}(?=cannot import)");
        await world.HostAsync("hide", "hosta", "d5", "off");
        await striped.TypeAsync(
            "hosta", "zpool import -d /dev/disk/by-id/virtio-d4-part1 -d /dev/disk/by-id/virtio-d5-part1 -o cachefile=none str; echo rc $?; zpool list -H -o name,health; cat /str/fs/a | wc -c",
            typed: "zpool import -d /dev/disk/by-id/virtio-d4-part1 -d /dev/disk/by-id/virtio-d5-part1 -o cachefile=none str; echo rc $?; zpool list -H -o name,health", leaveOut: @"^4194304\n");
        striped.Finish();

        var lost = replay.Of("46-");
        await world.HostAsync("hide", "hosta", "d5", "on");
        await lost.TypeAsync(
            "hosta", "echo x > /str/fs/g; echo write rc $?; tl 8 zpool sync str; tl 5 zpool list -H -o name,health; tl 5 zpool status str; dmesg | tail -2",
            typed: "sim write $HOST str x 2> /dev/null; zpool list -H -o name,health; zpool status str | sed '/^config/,$d'",
            leaveOut: @"^write rc.*\n|^STILL.*\n|^ *\d+ D .*\n|^rc 0 after.*\n|^config:\n(?:.*\n)*");
        await lost.TypeAsync(
            "hosta", "zpool set failmode=continue str; zpool sync str; echo rc $?", typed: "zpool set failmode=continue str; true", leaveOut: @"^rc 1\n|^sync .*\n");
        await world.HostAsync("hide", "hosta", "d5", "off");
        await lost.TypeAsync(
            "hosta", "tl 15 zpool clear str; sleep 3; tl 5 zpool list -H -o name,health; mount | grep zfs; ps -o pid,stat,args | grep \"zpool\" | grep -v grep",
            typed: "zpool clear str; echo rc $? after 0.00 \"(began 0.00)\"; zpool list -H -o name,health; echo rc 0 after 0.00 \"(began 0.00)\"; false", leaveOut: @"^str/fs on .*\n");
        lost.Finish();
    }

    [Fact]
    public async Task A_multihost_pool_whose_disks_fail_its_holder_alone_answers_as_a_real_one()
    {
        await using var replay = await Replay.BeginAsync(totals, "27-");
        var world = replay.World;
        await replay.SetUpAsync("hosta", "zpool create -o cachefile=none str virtio-d4; zpool create -o cachefile=none -o multihost=on -O canmount=off tank2 mirror virtio-d2 virtio-d3");
        // Both disks go at one moment, for longer than a holder goes on without a multihost write.
        await world.HostAsync("freeze", "hosta");
        await world.HostAsync("hide", "hosta", "d2", "on");
        await world.HostAsync("hide", "hosta", "d3", "on");
        await Task.Delay(TimeSpan.FromSeconds(15 * FakeWorld.TimeScale), TestContext.Current.CancellationToken);
        await world.HostAsync("thaw", "hosta");
        await world.SuspendedAsync("hosta", "tank2");
        await replay.TypeAsync(
            "hosta", "sleep 4; tl 5 zpool list -H -o name,health; tl 5 zpool status tank2; dmesg | grep -v \"I/O error\\|zio pool\" | tail -3; cat /proc/spl/kstat/zfs/tank2/state",
            typed: "zpool list -H -o name,health; zpool status tank2 | sed '/^config/,$d'; cat /proc/spl/kstat/zfs/tank2/state", leaveOut: @"^rc 0 after.*\n|^config:\n(?:.*\n)*errors: .*\n");
        await replay.TypeAsync("hostb", "zpool import -d /dev/disk/by-id -f -o cachefile=none tank2; echo rc $?");
        await replay.TypeAsync(
            "hosta", "tl 15 zpool export tank2; tl 5 zpool export -f tank2; tl 5 zpool clear tank2", typed: "(zpool export -f tank2; zpool clear tank2) 2>&1; true",
            leaveOut: @"^STILL.*\n|^ *\d+ D .*\n|^rc \d after.*\n");
        await world.HostAsync("hide", "hosta", "d2", "off");
        await world.HostAsync("hide", "hosta", "d3", "off");
        await replay.TypeAsync(
            "hosta", "tl 5 zpool clear tank2; tl 5 zpool list -H -o name,health; dmesg | tail -2", typed: "zpool clear tank2 2>&1; zpool list -H -o name,health", leaveOut: @"^rc \d after.*\n");
        await replay.TypeAsync("hostb", "zpool status tank2; zpool list -H -o name,health", leaveOut: @"^tank1\t.*\n");
        replay.Finish();
        await world.ShouldBeSoundAsync();
    }
}
