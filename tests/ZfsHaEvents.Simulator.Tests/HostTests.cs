using Shouldly;
using Xunit;
using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Tests;

/// <summary>What a host's disks, kernel statistics and processes show.</summary>
public sealed class HostTests
{
    [Fact]
    public async Task Labels_say_who_holds_a_pool_and_who_held_it_last()
    {
        await using var world = await FakeWorld.CreateAsync();
        await world.CreatePoolAsync("a", multihost: "off");
        var created = world.Label(0);
        (created.State, created.HostId, created.HostName, created.Name).ShouldBe((PoolState.Active, 0xa001UL, "a", "tank1"));

        await world.ZpoolAsync("a", "export", "tank1");
        var exported = world.Label(1);
        (exported.State, exported.HostId, exported.HostName).ShouldBe((PoolState.Exported, 0xa001UL, "a"));
        exported.Txg.ShouldBeGreaterThan(created.Txg);

        await world.ZpoolAsync("b", "import", "-N", "tank1", "tank9");
        var imported = world.Label(0);
        (imported.State, imported.HostId, imported.HostName, imported.Name).ShouldBe((PoolState.Active, 0xa002UL, "b", "tank9"));
        imported.Txg.ShouldBeGreaterThan(exported.Txg);

        await world.HostAsync("crash", "b");
        world.Label(0).ShouldSatisfyAllConditions(left => left.State.ShouldBe(PoolState.Active), left => left.HostName.ShouldBe("b"));
        await world.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task A_read_only_import_leaves_every_byte_of_the_disks_as_it_was()
    {
        await using var world = await FakeWorld.CreateAsync();
        await world.CreatePoolAsync("a", "off", multihost: "off");
        await world.CreatePoolAsync("a", "on", disk: 2);
        await world.ZpoolAsync("a", "export", "off", "on");
        var before = Enumerable.Range(0, 4).Select(world.Bytes).ToList();

        await world.ZpoolAsync("b", "import", "-N", "-o", "readonly=on", "off");
        await world.ZpoolAsync("a", "import", "-N", "-o", "readonly=on", "on");
        (await world.ZpoolAsync("b", "get", "-H", "-o", "value", "readonly,health", "off")).ShouldBe("on\nONLINE\n");
        (await world.RunAsync("b", "zpool", "set", "comment=x", "off")).Stderr.ShouldBe("cannot set property for 'off': pool is read-only\n");
        // As long as an idle holder's transaction group takes, twice.
        await Task.Delay(TimeSpan.FromSeconds(10 * FakeWorld.TimeScale), TestContext.Current.CancellationToken);
        await world.ZpoolAsync("b", "export", "off");
        await world.ZpoolAsync("a", "export", "on");

        for (var disk = 0; disk < 4; disk++) world.Bytes(disk).AsSpan().SequenceEqual(before[disk]).ShouldBeTrue($"d{disk}");
        world.Truth(TruthOperation.Import).ShouldAllBe(import => import.Mode == "ro");
        await world.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task Kernel_statistics_show_what_is_imported_and_begin_anew_with_a_boot()
    {
        // Slower than other tests: a claim must last long enough to be seen.
        await using var world = await FakeWorld.CreateAsync(["a"], ["--time-scale", "0.2"]);
        var pool = await world.CreatePoolAsync("a");
        var (kstat, boot) = (Path.Combine(world.Host("a").Kstat, "tank1"), world.Host("a").ReadBootId());
        File.ReadAllText(Path.Combine(kstat, "state")).ShouldBe("ONLINE\n");
        File.ReadAllText(Path.Combine(kstat, "guid")).ShouldBe(pool + "\n");
        File.WriteAllText(Path.Combine(world.Host("a").ModuleParameters, "zfs_multihost_interval"), "500\n");

        await world.HostAsync("crash", "a");
        await world.BootAsync("a");
        Directory.Exists(kstat).ShouldBeFalse();
        world.Host("a").ReadBootId().ShouldNotBe(boot);
        world.Host("a").ReadModuleParameter("zfs_multihost_interval", 0).ShouldBe(1000U);
        (await world.ZpoolAsync("a", "list", "-H")).ShouldBeEmpty();

        // Its own pool needs the check, for it was not exported; no force, for the label is its own.
        var import = world.StartOn("a", "zpool", "import", "tank1");
        var progress = Path.Combine(world.Host("a").Kstat, "import_progress");
        await world.EventuallyAsync("the watch shows", () => File.ReadAllText(progress).Contains("Checking MMP activity", StringComparison.Ordinal));
        await world.EventuallyAsync("the claim shows", () => File.ReadAllText(progress).Contains("Establishing MMP claim", StringComparison.Ordinal));
        (await import.EndAsync()).ExitCode.ShouldBe(0);
        File.ReadAllText(Path.Combine(kstat, "state")).ShouldBe("ONLINE\n");
        await world.ZpoolAsync("a", "export", "tank1");
        Directory.Exists(kstat).ShouldBeFalse();
        File.ReadAllLines(progress).ShouldHaveSingleItem();
        await world.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task The_kernel_outlives_the_death_of_whoever_asks_it_and_ends_what_was_begun()
    {
        await using var world = await FakeWorld.CreateAsync(["a"], ["--export-seconds", "5"]);
        await world.CreatePoolAsync("a");
        var follower = world.StartOn("a", "zpool", "events", "-H", "-f");
        await world.EventuallyAsync("events come", () => follower.Stdout.Contains("pool_create", StringComparison.Ordinal));
        follower.Signal(Posix.Kill);
        await follower.EndAsync();
        (await world.HoldsAsync("a", "tank1")).ShouldBeTrue();

        // Killed once the kernel is at it, the export completes without its caller.
        await world.ZpoolAsync("a", "sync");
        var export = world.StartOn("a", "zpool", "export", "tank1");
        await Processes.SettledAsync(export);
        export.Signal(Posix.Kill);
        await export.EndAsync();
        await world.EventuallyAsync("the pool is exported all the same", () => world.Label(0).State == PoolState.Exported && world.State("a", "tank1") is null);
        (await world.HoldsAsync("a", "tank1")).ShouldBeFalse();
        await world.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task A_busy_file_system_keeps_its_pool_from_being_exported()
    {
        await using var world = await FakeWorld.CreateAsync(["a"], []);
        await world.CreatePoolAsync("a", multihost: "off");
        (await world.RunAsync("a", "zfs", "create", "tank1/fs")).ExitCode.ShouldBe(0);
        await world.HostAsync("busy", "a", "tank1/fs", "on");

        (await world.RunAsync("a", "zpool", "export", "-f", "tank1")).Stderr.ShouldBe("cannot unmount '/tank1/fs': pool or dataset is busy\n");
        world.Label(0).State.ShouldBe(PoolState.Active);
        await world.HostAsync("busy", "a", "tank1/fs", "off");
        await world.ZpoolAsync("a", "export", "tank1");
        world.Label(0).State.ShouldBe(PoolState.Exported);
    }

    [Fact]
    public async Task A_host_without_power_has_no_module_and_takes_its_processes_with_it()
    {
        // Slower than other tests: the crash must fall into the check, which nobody waits for.
        await using var world = await FakeWorld.CreateAsync("--time-scale", "1");
        await world.CreatePoolAsync("a");
        await world.ZpoolAsync("a", "export", "tank1");
        var import = world.StartOn("b", "zpool", "import", "tank1");
        await world.EventuallyAsync("b checks", () =>
            File.ReadAllText(Path.Combine(world.Host("b").Kstat, "import_progress")).Contains("Checking MMP activity", StringComparison.Ordinal));

        await world.HostAsync("crash", "b");
        (await import.EndAsync()).ExitCode.ShouldBe(128 + Posix.Kill);
        (await world.RunAsync("b", "zpool", "list")).ShouldBe(new(
            1, "", "The ZFS modules cannot be auto-loaded.\nTry running 'modprobe zfs' as root to manually load them.\n"));
        (await world.RunAsync("b", "zdb", "-l", "virtio-d0-part1")).ExitCode.ShouldBe(0, "zdb reads the disks without a kernel");
        world.Truth(TruthOperation.Import).ShouldBeEmpty();
        await world.ShouldBeSoundAsync();
    }
}
