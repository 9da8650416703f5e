using Shouldly;
using Xunit;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Commands;
using static ZfsHaEvents.Zfs.Tests.Running;

namespace ZfsHaEvents.Zfs.Tests.Commands;

public class ChildProcessTests
{
    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Output_exit_code_and_time_are_told()
    {
        var result = await Sh("echo out; echo err >&2; exit 3", Plenty);

        result.Stdout.ShouldBe("out\n");
        result.Run.ShouldBe(new(["sh", "-c", "echo out; echo err >&2; exit 3"], 3, ZpoolFailure.Other, "err\n", result.Run.Seconds, Ended: true), new RunComparer());
        result.Run.Seconds.ShouldBeInRange(0.0001, 10);
        result.Succeeded().ShouldBeFalse();
    }

    [Fact]
    public async Task A_failure_is_classified_by_its_stderr() =>
        (await Sh("echo \"cannot export 'tank1': pool is busy\" >&2; exit 1", Plenty)).Run.Failure.ShouldBe(ZpoolFailure.Busy);

    [Fact]
    public async Task An_exit_with_0_is_no_failure_whatever_was_printed() =>
        (await Sh("echo \"cannot open 'nosuch': no such pool\" >&2", Plenty)).Run.Failure.ShouldBe(ZpoolFailure.None);

    [Fact]
    public async Task Stdin_is_at_its_end() => (await Sh("cat; echo read", Plenty)).Stdout.ShouldBe("read\n");

    [Fact]
    public async Task The_language_is_C_and_what_changes_zpool_s_output_is_gone()
    {
        Environment.SetEnvironmentVariable("ZPOOL_VDEV_NAME_GUID", "1");
        var result = await Sh("echo \"$LC_ALL,$ZPOOL_VDEV_NAME_GUID,$ZFSHA_LOCKS,$PWD\"", Plenty);
        Environment.SetEnvironmentVariable("ZPOOL_VDEV_NAME_GUID", null);

        result.Stdout.ShouldBe("C,,,/\n");
    }

    [Theory]
    [InlineData("-f")]
    [InlineData("a b")]
    [InlineData(";")]
    [InlineData("$(x)")]
    [InlineData("`reboot`")]
    [InlineData("\"")]
    [InlineData("'")]
    [InlineData("\\")]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("ü\t\n")]
    public async Task Hostile_arguments_arrive_as_they_are(string argument)
    {
        var result = await ChildProcess.RunAsync(new("/usr/bin/printf", ["%s|", argument, "end"], Plenty), Token);
        result.Stdout.ShouldBe($"{argument}|end|");
    }

    [Fact]
    public async Task A_command_past_its_limit_is_told_to_end()
    {
        var result = await Sh("echo begun; exec sleep 60", TimeSpan.FromSeconds(0.3));

        (result.Run.Failure, result.Run.Ended, result.Run.ExitCode).ShouldBe((ZpoolFailure.TimedOut, true, null));
        result.Run.Seconds.ShouldBeInRange(0.29, 15);
        result.Stdout.ShouldBe("begun\n");
    }

    [Fact]
    public async Task A_command_that_ignores_being_told_is_killed()
    {
        var result = await Sh("trap '' TERM; while :; do sleep 0.1; done", TimeSpan.FromSeconds(0.3));

        (result.Run.Failure, result.Run.Ended, result.Run.ExitCode).ShouldBe((ZpoolFailure.TimedOut, true, null));
        result.Run.Seconds.ShouldBeInRange(1.29, 15);
    }

    [Fact]
    public async Task A_command_that_tidies_up_when_told_still_timed_out()
    {
        var result = await Sh("trap 'exit 0' TERM; while :; do sleep 0.05; done", TimeSpan.FromSeconds(0.3));
        (result.Run.Failure, result.Run.ExitCode).ShouldBe((ZpoolFailure.TimedOut, 0));
    }

    [Fact]
    public async Task A_command_that_cannot_be_killed_is_left_as_it_is_where_a_cgroup_freezer_can_make_one()
    {
        using var frozen = FrozenProcesses.TryCreate();
        Assert.SkipWhen(frozen is null, "No writable cgroup v1 freezer here: the one way to make a process outlive SIGKILL without a broken disk.");

        // As a zpool waiting for a suspended pool: nothing it is sent has any effect until the kernel lets it go on.
        var result = await Sh($"echo $$ > {frozen.ProcessesFile}; echo FROZEN > {frozen.StateFile}; sleep 60", TimeSpan.FromSeconds(0.5));

        (result.Run.Failure, result.Run.Ended, result.Run.ExitCode).ShouldBe((ZpoolFailure.TimedOut, false, null));
        result.Run.Seconds.ShouldBeInRange(2.39, 15);
    }

    [Fact]
    public async Task A_death_by_a_signal_is_an_interruption()
    {
        var result = await Sh("kill -KILL $$", Plenty);
        (result.Run.Failure, result.Run.ExitCode, result.Run.Ended).ShouldBe((ZpoolFailure.Interrupted, null, true));
    }

    [Fact]
    public async Task A_program_that_is_not_there_was_not_started()
    {
        var result = await ChildProcess.RunAsync(new("/nonexistent/zpool", ["list"], Plenty), Token);

        (result.Run.Failure, result.Run.Ended, result.Run.ExitCode).ShouldBe((ZpoolFailure.NotStarted, true, null));
        result.Run.Stderr.ShouldBe("cannot start '/nonexistent/zpool': No such file or directory");
    }

    [Fact]
    public async Task A_program_that_is_not_executable_was_not_started()
    {
        var result = await ChildProcess.RunAsync(new("/etc/passwd", [], Plenty), Token);
        (result.Run.Failure, result.Run.Stderr).ShouldBe((ZpoolFailure.NotStarted, "cannot start '/etc/passwd': Permission denied"));
    }

    [Fact]
    public async Task A_mebibyte_of_stderr_neither_blocks_the_command_nor_is_kept()
    {
        var result = await Sh("head -c 1048576 /dev/zero | tr '\\0' x >&2; echo done", Plenty);

        result.Run.Stderr.Length.ShouldBe(64 * 1024);
        result.Stdout.ShouldBe("done\n");
        result.Succeeded().ShouldBeTrue();
    }

    [Fact]
    public async Task Output_without_measure_is_cut_and_not_believed()
    {
        var result = await Sh("head -c 5000000 /dev/zero | tr '\\0' x", Plenty);

        result.Stdout.Length.ShouldBe(4 * 1024 * 1024);
        (result.StdoutCut, result.Succeeded()).ShouldBe((true, false));
    }

    [Fact]
    public async Task A_grandchild_that_keeps_the_pipes_open_does_not_keep_us()
    {
        var result = await Sh("sleep 5 & echo begun", Plenty);

        result.Stdout.ShouldBe("begun\n");
        result.Run.Seconds.ShouldBeLessThan(3);
    }

    [Fact]
    public async Task To_stop_waiting_does_not_stop_the_command()
    {
        using var host = new TestHost();
        var file = Path.Join(host.Folder, "done");
        using var impatience = new CancellationTokenSource(TimeSpan.FromSeconds(0.2));

        await Should.ThrowAsync<OperationCanceledException>(() => ChildProcess.RunAsync(
            new("/bin/sh", ["-c", $"sleep 1; echo late; echo >&2; touch {file}"], Plenty), impatience.Token));

        File.Exists(file).ShouldBeFalse();
        await Eventually.TrueAsync(() => File.Exists(file));
    }

    [Fact]
    public async Task Effects_are_announced_at_their_start_and_exit_and_readings_are_not()
    {
        using var host = new TestHost();
        var marker = Path.Join(host.Folder, "marker");
        using var points = new AnnouncedPoints(point => $"{point} {(File.Exists(marker) ? "after" : "before")}");

        await ChildProcess.RunAsync(new("/usr/bin/touch", [marker], Plenty) { HasEffect = true }, Token);
        await ChildProcess.RunAsync(new("/usr/bin/touch", [marker], Plenty), Token);

        points.Of("touch", marker).ShouldBe(["child-start before", "child-exit after"]);
    }

    static Task<ChildResult> Sh(string script, TimeSpan limit) => ChildProcess.RunAsync(new("/bin/sh", ["-c", script], limit), Token);

    /// <summary>Lists within records are compared by reference.</summary>
    sealed class RunComparer : IEqualityComparer<ZpoolRun>
    {
        public bool Equals(ZpoolRun? x, ZpoolRun? y) => x is not null && y is not null && x.Arguments.SequenceEqual(y.Arguments) && x with { Arguments = y.Arguments } == y;

        public int GetHashCode(ZpoolRun obj) => obj.Stderr.GetHashCode(StringComparison.Ordinal);
    }
}
