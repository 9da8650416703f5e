using System.Text.Json;
using Shouldly;
using Xunit;

namespace ZfsHaEvents.Cli.Tests;

/// <summary><c>zfsha posture</c> as a real process on a fake host, with no server to ask.</summary>
public sealed class PostureVerbTests : IAsyncLifetime
{
    readonly FakeHosts _hosts = new();

    public async ValueTask InitializeAsync() => await _hosts.StartAsync();

    public ValueTask DisposeAsync() => _hosts.DisposeAsync();

    async Task<(int ExitCode, JsonElement Document)> PostureAsync(string host)
    {
        var (code, output, error) = await _hosts.OnAsync(host, "posture", "--json");
        error.ShouldBeEmpty();
        return (code, JsonDocument.Parse(output).RootElement.Clone());
    }

    static IEnumerable<(string? Check, string? Severity, string? Pool, string Mend)> Findings(JsonElement document) =>
        document.GetProperty("findings").EnumerateArray().Select(finding => (
            finding.GetProperty("check").GetString(), finding.GetProperty("severity").GetString(), finding.GetProperty("pool").GetString(),
            string.Join(' ', finding.GetProperty("mend").EnumerateArray().Select(word => word.GetString()))));

    [Fact]
    public async Task What_is_wrong_is_said_with_what_mends_it_and_what_mends_it_does()
    {
        var (code, output, error) = await _hosts.OnAsync("alpha", "posture");
        (code, error).ShouldBe((ExitCodes.Unsafe, ""));
        output.Split('\n').ShouldBe(
        [
            "CRITICAL tank2: multihost is off  [multihost]",
            "    without multihost nothing on the disks keeps a second host from importing the pool, and both would write to it without either noticing",
            "    mend: zpool set multihost=on tank2",
            "    Every host needs a hostid of its own first.",
            "alpha: hostid 0000a001, OpenZFS 2.3.9-0+deb13u1, 2 pools imported",
            "a take-over of a multihost pool from this host waits 30 to 35 s; cut off from its disks, this host suspends the pool after 10 s",
            "not safe: 1 critical, 0 warning, 0 unknown",
        ]);

        var (jsonCode, document) = await PostureAsync("alpha");
        (jsonCode, document.GetProperty("verdict").GetString()).ShouldBe((ExitCodes.Unsafe, "unsafe"));
        Findings(document).ShouldBe([("multihost", "Critical", "tank2", "zpool set multihost=on tank2")]);
        document.GetProperty("takeoverTime").GetProperty("secondsMax").GetDouble().ShouldBe(35);

        _hosts.Zpool("alpha", "set", "multihost=on", "tank2");
        (await _hosts.OnAsync("alpha", "posture")).ShouldSatisfyAllConditions(fine => fine.ExitCode.ShouldBe(ExitCodes.Done), fine => fine.Output.ShouldEndWith("\nposture is fine"));
        (await PostureAsync("alpha")).Document.GetProperty("verdict").GetString().ShouldBe("fine");
        (await PostureAsync("beta")).ExitCode.ShouldBe(ExitCodes.Done);
        _hosts.Spooled("alpha").ShouldBeEmpty();
    }

    [Fact]
    public async Task Every_check_sees_a_real_host()
    {
        File.Delete(_hosts.PathOf("alpha", "etc/hostid"));
        File.WriteAllText(_hosts.PathOf("alpha", "sys/module/zfs/parameters/zfs_multihost_fail_intervals"), "0\n");
        Directory.CreateDirectory(_hosts.PathOf("alpha", "etc/systemd/system/zfs-import.target.wants"));
        File.CreateSymbolicLink(_hosts.PathOf("alpha", "etc/systemd/system/zfs-import.target.wants/zfs-import-scan.service"), "/usr/lib/systemd/system/zfs-import-scan.service");
        _hosts.Zpool("alpha", "set", "multihost=on", "tank2");
        _hosts.Zpool("alpha", "export", "tank2");
        _hosts.Zpool("alpha", "import", "-o", "cachefile=/srv/cluster.cache", "tank2");
        _hosts.Zfs("alpha", "create", "-o", "canmount=noauto", "-o", "xattr=dir", "-o", "lustre:svname=fs-OST0000", "tank2/ost0");
        _hosts.Zfs("alpha", "create", "tank2/other");

        var (code, document) = await PostureAsync("alpha");
        code.ShouldBe(ExitCodes.Unsafe);
        Findings(document).ShouldBe(
        [
            ("mmp-parameters", "Critical", null, ""),
            ("boot-import", "Critical", null, "systemctl disable zfs-import-scan.service"),
            ("lustre-canmount", "Critical", "tank2", "zfs set canmount=off tank2/ost0"),
            ("hostid-persistent", "Warning", null, "zgenhostid 0x0000a001"),
            ("cachefile", "Warning", "tank2", "zpool set cachefile=none tank2"),
            ("lustre-xattr", "Warning", "tank2", "zfs set xattr=sa tank2/ost0"),
        ]);
    }

    [Fact]
    public async Task A_leg_of_a_mirror_that_is_lost_is_told_before_the_host_is()
    {
        _hosts.Zpool("alpha", "set", "multihost=on", "tank2");
        _hosts.Hide("alpha", "d1");
        var giveUp = DateTime.UtcNow.AddSeconds(30);
        while (!_hosts.Zpool("alpha", "status", "tank1").Contains("FAULTED", StringComparison.Ordinal)) DateTime.UtcNow.ShouldBeLessThan(giveUp);
        var (code, document) = await PostureAsync("alpha");
        code.ShouldBe(ExitCodes.Undetermined);
        Findings(document).ShouldBe([("missing-leaf", "Unknown", "tank1", "zpool offline tank1 /dev/disk/by-id/virtio-d1-part1")]);
    }

    [Fact]
    public async Task What_cannot_be_determined_has_an_exit_code_of_its_own()
    {
        File.Delete(_hosts.PathOf("beta", "proc/cmdline"));
        File.WriteAllText(_hosts.PathOf("beta", "sys/module/zfs/version"), "\u001b[2Junheard of\n");
        var (code, output, error) = await _hosts.OnAsync("beta", "posture");
        (code, error).ShouldBe((ExitCodes.Undetermined, ""));
        output.ShouldContain("unknown beta: cannot tell SPL's hostid after the next boot: ");
        output.ShouldNotContain("\u001b");
        output.ShouldContain("how long a take-over of a multihost pool from this host waits is not known");
        output.ShouldEndWith("not determined: 0 critical, 0 warning, 2 unknown");
        (await PostureAsync("beta")).ShouldSatisfyAllConditions(json => json.ExitCode.ShouldBe(ExitCodes.Undetermined), json => json.Document.GetProperty("verdict").GetString().ShouldBe("undetermined"));
    }

    [Fact]
    public async Task What_it_cannot_take_is_bad_usage() => (await _hosts.OnAsync("alpha", "posture", "tank1")).ExitCode.ShouldBe(ExitCodes.Usage);
}
