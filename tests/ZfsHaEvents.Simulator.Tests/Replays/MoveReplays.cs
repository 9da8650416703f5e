using Xunit;

namespace ZfsHaEvents.Simulator.Tests.Replays;

public sealed class MoveReplays(ReplayTotals totals)
{
    const string ImportTank1 = "zpool import -d /dev/disk/by-id -o cachefile=none tank1";

    [Fact]
    public async Task Clean_moves_answer_as_real_ones()
    {
        await using var replay = await Replay.BeginAsync(totals, "20-");
        await replay.SetUpAsync("hosta", ImportReplays.CreateTank1);
        await replay.SetUpAsync("hosta", ImportReplays.CreateTank2);
        await replay.SetUpAsync("hosta", "zpool create -o cachefile=none thrown virtio-d4; zpool export thrown");
        await replay.TypeAsync("hosta", "zpool list -H -o name,multihost");
        await replay.TypeAsync("hosta", "zpool export tank1");
        await replay.TypeAsync("hostb", ImportTank1);
        await replay.TypeAsync("hostb", "zpool export tank1");
        await replay.TypeAsync("hosta", ImportTank1);
        replay.Finish();

        var off = replay.Of("21-");
        await off.TypeAsync("hosta", "zpool set multihost=off tank1; zpool export tank1");
        await off.TypeAsync("hostb", ImportTank1);
        await off.TypeAsync("hostb", "zpool get -H multihost tank1; zpool export tank1");
        await off.TypeAsync("hosta", "zpool import -o cachefile=none tank1");
        await off.TypeAsync("hostb", "time zpool import; zpool import -o cachefile=none tank1");
        await off.TypeAsync("hosta", "zpool set multihost=on tank1; zpool get -H multihost tank1");
        off.Finish();
        await replay.World.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task Moves_with_a_shorter_interval_answer_as_real_ones()
    {
        await using var replay = await Replay.BeginAsync(totals, "26-");
        await replay.SetUpAsync("hostb", ImportReplays.CreateTank2 + "; zpool export tank2");
        await replay.SetUpAsync("hosta", "zpool create -o cachefile=none str virtio-d4");
        const string Tune = "echo 250 > /sys/module/zfs/parameters/zfs_multihost_interval; grep -H . /sys/module/zfs/parameters/zfs_multihost*";
        await replay.TypeAsync("hosta", Tune);
        await replay.TypeAsync("hostb", Tune);
        const string Move = "zpool import -d /dev/disk/by-id -o cachefile=none tank2; echo rc $?; zpool export tank2";
        await replay.TypeAsync("hosta", Move);
        await replay.TypeAsync("hostb", Move);
        await replay.TypeAsync("hosta", Move, index: 1);
        await replay.TypeAsync("hosta", "zpool import -d /dev/disk/by-id -o cachefile=none tank2; echo rc $?; zpool list -H -o name,health");
        replay.Finish();
        await replay.World.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task An_import_that_is_ended_by_a_signal_answers_as_a_real_one()
    {
        // Slower than other replays: the signal must fall into the right part of the check on a loaded machine.
        await using var replay = await Replay.BeginAsync(totals, "74-", "--time-scale", "0.2");
        await replay.SetUpAsync("hosta", ImportReplays.CreateTank1 + "; zpool export tank1");
        await replay.PairFoundGuidAsync("hostb", "5617477934682210394");
        const string Around = @"^started at .*\n|^561747.*\n|^ *\d+ S .*\n|^__cv.*\n|^\[<0>\].*\n|^kill .*\n|^gone at .*\n|^std(?:out|err):\n|^grep: .*\n";
        static string Typed(string signal, string when) =>
            $"zpool import -d /dev/disk/by-id -o cachefile=none tank1 & p=$!; until grep -q {when} /proc/spl/kstat/zfs/import_progress; do command sleep 0.05; done; " +
            $"head -1 /proc/spl/kstat/zfs/import_progress; kill -{signal} $p; wait $p 2> /dev/null; echo \"wait rc $? at 0.00\"; " +
            "zpool list -H; echo \"zpool list rc $? at 0.00\"; cat /proc/spl/kstat/zfs/import_progress";
        await replay.TypeAsync("hostb", "killimp TERM 5 -d /dev/disk/by-id -o cachefile=none tank1", Typed("TERM", "Checking"), Around);
        await replay.TypeAsync("hostb", "killimp KILL 5 -d /dev/disk/by-id -o cachefile=none tank1", Typed("KILL", "Checking"), Around);
        await replay.SetUpAsync("hostb", "zpool import tank1 && zpool export tank1");
        await replay.TypeAsync("hosta", "killimp TERM 27 -d /dev/disk/by-id -o cachefile=none tank1", Typed("TERM", "Establishing"), Around);
        replay.Finish();
    }
}
