using Shouldly;
using Xunit;
using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Tests;

/// <summary>Multihost protection, judged by the truth log and the disks.</summary>
public sealed class MultihostTests
{
    [Fact]
    public async Task A_pool_whose_heartbeat_lives_is_not_imported_elsewhere_even_with_force()
    {
        await using var world = await FakeWorld.CreateAsync();
        var pool = await world.CreatePoolAsync("a");

        (await world.RunAsync("b", "zpool", "import", "-N", "tank1")).Stderr.ShouldContain("pool is imported on a (hostid: 0xa001)");
        (await world.RunAsync("b", "zpool", "import", "-f", "-N", pool)).Stderr.ShouldContain("pool is imported on host 'a' (hostid=a001).");

        (await world.HoldsAsync("b", "tank1")).ShouldBeFalse();
        world.State("b", "tank1").ShouldBeNull();
        world.Truth(TruthOperation.ImportRefused).ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            refused => refused.Host.ShouldBe("b"), refused => refused.Pool.ShouldBe(pool), refused => refused.Forced.ShouldBe(true));
        world.Truth(TruthOperation.Import).ShouldBeEmpty();
        world.Label(0).HostId.ShouldBe(0xa001UL);
        await world.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task A_dead_holders_pool_is_taken_with_force_after_the_whole_check_and_keeps_what_was_written()
    {
        await using var world = await FakeWorld.CreateAsync();
        var pool = await world.CreatePoolAsync("a");
        await world.HostAsync("write", "a", "tank1", "before the crash");
        await world.HostAsync("busy", "a", "tank1", "on");
        await world.HostAsync("crash", "a");

        (await world.RunAsync("b", "zpool", "import", "-N", "tank1")).Stderr.ShouldContain("The pool can be imported, use 'zpool import -f' to import the pool.");
        (await world.HoldsAsync("b", "tank1")).ShouldBeFalse();
        var began = DateTimeOffset.UtcNow;
        await world.ZpoolAsync("b", "import", "-f", "-N", "tank1");

        // Ten intervals, twice over, of watching and ten of claiming. Load makes it longer, nothing makes it shorter.
        var import = world.Truth(TruthOperation.Import).ShouldHaveSingleItem();
        (import.At - began).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(30 * FakeWorld.TimeScale));
        import.ShouldSatisfyAllConditions(taken => taken.Host.ShouldBe("b"), taken => taken.Pool.ShouldBe(pool), taken => taken.Forced.ShouldBe(true), taken => taken.Mode.ShouldBe("rw"));
        (await world.HostAsync("read", "b", "tank1")).ShouldBe("1\tbefore the crash\n");
        world.Label(1).HostName.ShouldBe("b");
        // Who sat in a file system went with the host.
        await world.ZpoolAsync("b", "export", "tank1");
        await world.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task Of_two_hosts_that_import_at_once_at_most_one_holds_the_pool()
    {
        await using var world = await FakeWorld.CreateAsync(["a", "b", "c"], []);
        await world.CreatePoolAsync("c");
        await world.ZpoolAsync("c", "export", "tank1");

        var both = await Task.WhenAll(world.RunAsync("a", "zpool", "import", "-N", "tank1"), world.RunAsync("b", "zpool", "import", "-N", "tank1"));

        bool[] holds = [await world.HoldsAsync("a", "tank1"), await world.HoldsAsync("b", "tank1")];
        holds.Count(held => held).ShouldBeLessThanOrEqualTo(1, world.Log());
        holds.ShouldBe([.. both.Select(ended => ended.ExitCode == 0)]);
        foreach (var refused in both.Where(ended => ended.ExitCode != 0)) refused.Stderr.ShouldContain("pool is imported on");
        // Both may have seen each other; alone, one gets it.
        if (!holds[0] && !holds[1]) await world.ZpoolAsync("a", "import", "-N", "tank1");
        world.Truth(TruthOperation.Import).ShouldHaveSingleItem();
        await world.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task The_last_exporter_imports_unchecked_and_a_check_under_way_elsewhere_sees_it()
    {
        // Slower than other tests: the check must outlast the start of two commands on a loaded machine. It is cut short, not waited for.
        await using var world = await FakeWorld.CreateAsync("--time-scale", "1");
        await world.CreatePoolAsync("a");
        await world.ZpoolAsync("a", "export", "tank1");

        var import = world.StartOn("b", "zpool", "import", "-N", "tank1");
        await world.EventuallyAsync("b checks", () => Progress(world, "b").Contains("Checking MMP activity", StringComparison.Ordinal));
        // Listing waits for the check; kernel statistics do not. The listing is the slower one even if it came late.
        var list = world.StartOn("b", "zpool", "list", "-H");
        await world.ZpoolAsync("a", "import", "-N", "tank1");

        (await import.EndAsync()).ShouldSatisfyAllConditions(ended => ended.ExitCode.ShouldBe(1), ended => ended.Stderr.ShouldContain("pool is imported on"));
        (await list.EndAsync()).ShouldSatisfyAllConditions(ended => ended.ExitCode.ShouldBe(0), ended => ended.Stdout.ShouldBeEmpty());
        world.Truth(TruthOperation.Import).ShouldHaveSingleItem().Host.ShouldBe("a");
        Progress(world, "b").Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(1, "nothing but the header");
        await world.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task A_host_that_was_frozen_while_its_pool_was_taken_thaws_suspended_and_writes_nothing_more()
    {
        await using var world = await FakeWorld.CreateAsync();
        var pool = await world.CreatePoolAsync("a");
        await world.HostAsync("workload", "a", "tank1", "on");
        await world.HostAsync("freeze", "a");
        await world.ZpoolAsync("b", "import", "-f", "-N", "tank1");
        await world.HostAsync("write", "b", "tank1", "of b");
        await world.HostAsync("thaw", "a");
        await world.SuspendedAsync("a");

        var written = await world.Start(FakeWorld.Simulator, "write", world.Host("a").Path, "tank1", "of a").EndAsync();
        written.ShouldSatisfyAllConditions(ended => ended.ExitCode.ShouldBe(1), ended => ended.Stderr.ShouldContain("pool I/O is currently suspended"));
        (await world.RunAsync("a", "zpool", "export", "-f", "tank1")).Stderr.ShouldBe("cannot export 'tank1': pool I/O is currently suspended\n");
        (await world.RunAsync("a", "zpool", "clear", "tank1")).Stderr.ShouldBe("cannot clear errors for tank1: pool is imported on a different host\n");
        (await world.HostAsync("read", "b", "tank1")).ShouldEndWith("\tof b\n");
        world.State("b", "tank1").ShouldBe("ONLINE");
        var truth = world.Truth();
        var thawed = truth.ToList().FindLastIndex(entry => entry.Op == TruthOperation.Thaw);
        truth.Skip(thawed + 1).Where(entry => entry.Host == "a" && entry.Pool == pool).ShouldHaveSingleItem().Op.ShouldBe(TruthOperation.Suspend);
        await world.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task An_export_of_a_suspended_pool_outlives_signals_and_completes_when_the_pool_resumes()
    {
        await using var world = await FakeWorld.CreateAsync();
        await world.CreatePoolAsync("a");
        await world.HostAsync("freeze", "a");
        await Task.Delay(TimeSpan.FromSeconds(15 * FakeWorld.TimeScale), TestContext.Current.CancellationToken);
        await world.HostAsync("thaw", "a");
        await world.SuspendedAsync("a");

        var export = world.StartOn("a", "zpool", "export", "tank1");
        await Processes.SettledAsync(export);
        export.Signal(Posix.Term);
        await Processes.SettledAsync(export);
        export.HasExited.ShouldBeFalse();

        await world.ZpoolAsync("a", "clear", "tank1");
        (await export.EndAsync()).ExitCode.ShouldBe(0);
        (await world.HoldsAsync("a", "tank1")).ShouldBeFalse();
        world.Label(0).State.ShouldBe(PoolState.Exported);
        await world.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task Without_multihost_force_lets_two_hosts_hold_one_pool_and_the_truth_log_shows_it()
    {
        await using var world = await FakeWorld.CreateAsync();
        var pool = await world.CreatePoolAsync("a", multihost: "off");

        (await world.RunAsync("b", "zpool", "import", "-N", "tank1")).Stderr.ShouldContain("pool was previously in use from another system.");
        await world.ShouldBeSoundAsync();
        await world.ZpoolAsync("b", "import", "-f", "-N", "tank1");
        await world.HostAsync("write", "a", "tank1", "of a");

        (await world.HostAsync("read", "a", "tank1")).ShouldBe("1\tof a\n");
        (await world.HostAsync("read", "b", "tank1")).ShouldBe("0\t\n");
        world.State("a", "tank1").ShouldBe("ONLINE");
        world.State("b", "tank1").ShouldBe("ONLINE");
        var verdict = await world.JudgeAsync();
        verdict.ExitCode.ShouldBe(1);
        verdict.Stdout.ShouldContain($"HELD TWICE: {pool} by a and b: a write at ");
    }

    [Fact]
    public async Task A_holder_that_lost_all_its_disks_is_suspended_and_another_host_takes_the_pool()
    {
        await using var world = await FakeWorld.CreateAsync();
        await world.CreatePoolAsync("a");
        await world.HostAsync("hide", "a", "d0", "on");
        await world.HostAsync("hide", "a", "d1", "on");
        await world.SuspendedAsync("a");

        await world.ZpoolAsync("b", "import", "-f", "-N", "tank1");

        world.State("a", "tank1").ShouldBe("SUSPENDED");
        (await world.HoldsAsync("b", "tank1")).ShouldBeTrue();
        await world.ShouldBeSoundAsync();
    }

    static string Progress(FakeWorld world, string host) => File.ReadAllText(Path.Combine(world.Host(host).Kstat, "import_progress"));
}
