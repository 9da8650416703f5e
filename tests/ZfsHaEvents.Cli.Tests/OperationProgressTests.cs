using System.Text.RegularExpressions;
using Shouldly;
using Xunit;
using ZfsHaEvents.Cli.OnHost;
using ZfsHaEvents.Zfs;

namespace ZfsHaEvents.Cli.Tests;

/// <summary>An import may take minutes: whoever waits on a terminal sees what for.</summary>
public sealed partial class OperationProgressTests
{
    [Fact]
    public async Task On_a_terminal_an_activity_check_is_counted_down()
    {
        await using var hosts = new FakeHosts(timeScale: 0.1);
        await hosts.StartAsync();
        (await hosts.OnAsync("alpha", "export", "tank1")).ExitCode.ShouldBe(0);

        var (code, shown) = await hosts.OnTerminalAsync("beta", "import", "tank1");
        code.ShouldBe(0, shown);
        var left = Check().Matches(shown).Select(m => m.Groups["left"].Value).Distinct().ToList();
        left.Count.ShouldBeGreaterThan(2, shown);
        Elapsed().Matches(shown).Select(m => m.Groups["seconds"].Value).Distinct().Count().ShouldBeGreaterThan(2, shown);
        shown.Split('\n')[^2].ShouldContain("\u001b[Ktank1 imported on beta in "); // What was shown is taken back.
    }

    [Fact]
    public async Task Where_programs_read_there_is_no_trace_of_it()
    {
        await using var hosts = new FakeHosts();
        await hosts.StartAsync();
        (await hosts.OnAsync("alpha", "export", "tank1")).ShouldSatisfyAllConditions(
            e => e.ExitCode.ShouldBe(0), e => e.Output.ShouldStartWith("tank1 exported on alpha in "), e => e.Error.ShouldBeEmpty());
        (await hosts.OnTerminalAsync("beta", "import", "tank1", "--json")).Shown.ShouldNotContain("importing");
    }

    [Fact]
    public void What_the_kernel_does_not_tell_is_not_told()
    {
        OperationProgress.Text("exporting tank1 on a", TimeSpan.FromSeconds(2.5), null).ShouldBe("  exporting tank1 on a … 2.50 s");
        OperationProgress.Text("importing tank1 on b", TimeSpan.FromSeconds(12), new ImportProgress(new(1), "tank1", 2, 0, "")).ShouldBe("  importing tank1 on b … 12.0 s");
        OperationProgress.Text("importing tank1 on b", TimeSpan.FromSeconds(12), new ImportProgress(new(1), "tank1", 2, 21, "")).ShouldEndWith("; ZFS watches the disks for another host, 21 s left");
    }

    [GeneratedRegex("importing tank1 on beta … [0-9.]+ s; ZFS watches the disks for another host, (?<left>[0-9]+)")]
    private static partial Regex Check();

    [GeneratedRegex("importing tank1 on beta … (?<seconds>[0-9.]+) s")]
    private static partial Regex Elapsed();
}
