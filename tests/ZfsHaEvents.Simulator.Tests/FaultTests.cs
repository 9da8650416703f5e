using Shouldly;
using Xunit;
using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Tests;

/// <summary>Each way in which a host's ZFS can be made to misbehave.</summary>
public sealed class FaultTests
{
    static readonly (string Fault, string Program, string[] Arguments)[] Commands =
    [
        ("import", "zpool", ["import", "-N", "tank1"]),
        ("export", "zpool", ["export", "tank1"]),
        ("list", "zpool", ["list"]),
        ("get", "zpool", ["get", "all", "tank1"]),
        ("status", "zpool", ["status"]),
        ("zdb", "zdb", ["-l", "virtio-d0-part1"]),
    ];

    [Fact]
    public async Task Every_fault_that_can_be_switched_on_is_tried_here()
    {
        await using var world = await FakeWorld.CreateAsync(["a"], []);
        string[] tried =
        [
            "missing", "flicker", .. Commands.Select(command => $"hang-{command.Fault}"), .. Commands.Select(command => $"stuck-{command.Fault}"),
            "import-does-nothing", "export-does-nothing", "import-fails-after", "export-fails-after", "import-hangs-after", "export-hangs-after",
        ];
        (await world.SimulateAsync("faults")).Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldBe(tried, ignoreOrder: true);

        var unknown = await world.Start(FakeWorld.Simulator, "fault", world.Host("a").Path, "nosuch", "on").EndAsync();
        unknown.ShouldSatisfyAllConditions(ended => ended.ExitCode.ShouldBe(2), ended => ended.Stderr.ShouldContain("There is no fault 'nosuch'"));
    }

    [Fact]
    public async Task A_missing_zpool_cannot_be_started()
    {
        await using var world = await FakeWorld.CreateAsync(["a"], []);
        await world.HostAsync("fault", "a", "missing", "on");
        (await world.RunAsync("a", "zpool", "list")).ExitCode.ShouldBe(127);
        await world.HostAsync("fault", "a", "missing", "off");
        (await world.RunAsync("a", "zpool", "list")).ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task Flickering_states_read_wrong_for_moments_and_right_again()
    {
        await using var world = await FakeWorld.CreateAsync(["a"], []);
        await world.CreatePoolAsync("a", multihost: "off");
        await world.HostAsync("fault", "a", "flicker", "on");
        await world.EventuallyAsync("the state reads OFFLINE or empty", () => world.State("a", "tank1") is "OFFLINE" or "");
        (await world.ZpoolAsync("a", "list", "-H", "-o", "health")).ShouldBe("ONLINE\n");
        await world.HostAsync("fault", "a", "flicker", "off");
        await world.EventuallyAsync("the state reads right again", () => world.State("a", "tank1") == "ONLINE");
    }

    [Fact]
    public async Task A_hanging_command_does_nothing_until_a_signal_ends_it()
    {
        await using var world = await FakeWorld.CreateAsync(["a"], []);
        await world.CreatePoolAsync("a", multihost: "off");
        foreach (var (fault, _, _) in Commands) await world.HostAsync("fault", "a", $"hang-{fault}", "on");
        var hanging = Commands.Select(command => world.StartOn("a", command.Program, command.Arguments)).ToList();
        await Task.WhenAll(hanging.Select(Processes.SettledAsync));

        hanging.ShouldAllBe(command => !command.HasExited && command.Stdout == "");
        foreach (var command in hanging) command.Signal(Posix.Term);
        foreach (var command in hanging) (await command.EndAsync()).ExitCode.ShouldBe(128 + Posix.Term);
        world.Label(0).State.ShouldBe(PoolState.Active);
        foreach (var (fault, _, _) in Commands) await world.HostAsync("fault", "a", $"hang-{fault}", "off");
        (await world.HoldsAsync("a", "tank1")).ShouldBeTrue();
    }

    [Fact]
    public async Task A_stuck_command_is_ended_by_nothing_but_SIGKILL()
    {
        await using var world = await FakeWorld.CreateAsync(["a"], []);
        await world.CreatePoolAsync("a", multihost: "off");
        foreach (var (fault, _, _) in Commands) await world.HostAsync("fault", "a", $"stuck-{fault}", "on");
        var stuck = Commands.Select(command => world.StartOn("a", command.Program, command.Arguments)).ToList();
        await Task.WhenAll(stuck.Select(Processes.SettledAsync));

        foreach (var command in stuck) command.Signal(Posix.Term);
        await Task.WhenAll(stuck.Select(Processes.SettledAsync));
        stuck.ShouldAllBe(command => !command.HasExited);
        foreach (var command in stuck) command.Signal(Posix.Kill);
        foreach (var command in stuck) (await command.EndAsync()).ExitCode.ShouldBe(128 + Posix.Kill);
        world.Label(0).State.ShouldBe(PoolState.Active);
    }

    [Fact]
    public async Task An_exit_code_can_lie_either_way_and_the_disks_do_not()
    {
        await using var world = await FakeWorld.CreateAsync(["a"], []);
        await world.CreatePoolAsync("a", multihost: "off");

        await world.HostAsync("fault", "a", "export-does-nothing", "on");
        await world.ZpoolAsync("a", "export", "tank1");
        world.Label(0).State.ShouldBe(PoolState.Active);
        await world.HostAsync("fault", "a", "export-does-nothing", "off");

        await world.HostAsync("fault", "a", "export-fails-after", "on");
        (await world.RunAsync("a", "zpool", "export", "tank1")).ShouldBe(new(1, "", "cannot export: I/O error\n"));
        world.Label(0).State.ShouldBe(PoolState.Exported);

        await world.HostAsync("fault", "a", "import-does-nothing", "on");
        await world.ZpoolAsync("a", "import", "tank1");
        world.Label(0).State.ShouldBe(PoolState.Exported);
        await world.HostAsync("fault", "a", "import-does-nothing", "off");

        await world.HostAsync("fault", "a", "import-fails-after", "on");
        (await world.RunAsync("a", "zpool", "import", "tank1")).ShouldBe(new(1, "", "cannot import: I/O error\n"));
        world.Label(0).State.ShouldBe(PoolState.Active);
        (await world.HoldsAsync("a", "tank1")).ShouldBeTrue();
    }

    [Fact]
    public async Task A_command_can_have_done_its_work_and_not_come_back()
    {
        await using var world = await FakeWorld.CreateAsync(["a"], []);
        await world.CreatePoolAsync("a", multihost: "off");
        await world.HostAsync("fault", "a", "export-hangs-after", "on");
        await world.HostAsync("fault", "a", "import-hangs-after", "on");

        var export = world.StartOn("a", "zpool", "export", "tank1");
        await world.EventuallyAsync("the pool is exported", () => world.Label(0).State == PoolState.Exported && world.State("a", "tank1") is null);
        await Processes.SettledAsync(export);
        export.HasExited.ShouldBeFalse();

        var import = world.StartOn("a", "zpool", "import", "tank1");
        await world.EventuallyAsync("the pool is imported", () => world.State("a", "tank1") == "ONLINE");
        await Processes.SettledAsync(import);
        import.HasExited.ShouldBeFalse();
        (await world.HoldsAsync("a", "tank1")).ShouldBeTrue();
    }
}
