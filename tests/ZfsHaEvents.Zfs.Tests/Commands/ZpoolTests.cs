using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Commands;
using ZfsHaEvents.Zfs.Locks;
using static ZfsHaEvents.Zfs.Tests.Running;

namespace ZfsHaEvents.Zfs.Tests.Commands;

public sealed class ZpoolTests : IDisposable
{
    static readonly PoolGuid Tank = TestHost.Tank;
    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(20);

    readonly TestHost _host = new();
    readonly Zpool _zpool;

    public ZpoolTests() => _zpool = new(_host.Environment);

    [Theory]
    [InlineData(false, false, "", "import -o cachefile=none 5617477934682210394")]
    [InlineData(true, true, "", "import -o cachefile=none -N -f 5617477934682210394")]
    [InlineData(false, false, "/dev/a /dev/b", "import -o cachefile=none -d /dev/a -d /dev/b 5617477934682210394")]
    public void An_import_is_always_by_guid_and_without_a_cache_file(bool force, bool noMount, string devices, string expected) =>
        string.Join(' ', Zpool.ImportArguments(Tank, new(force, noMount, devices.Split(' ', StringSplitOptions.RemoveEmptyEntries)))).ShouldBe(expected);

    [Fact]
    public void An_export_is_never_forced() => Zpool.ExportArguments(new("tank1")).ShouldBe(["export", "tank1"]);

    [Fact]
    public async Task Import_read_and_export_are_what_they_say()
    {
        using var held = ((LockAttempt.Acquired)await new HostLocks(_host.Environment, TimeProvider.System).AcquireAsync(Tank, "a test", Plenty, null, Token)).Lock;
        (await _zpool.ImportAsync(Tank, new(Force: false, NoMount: false, []), held, Plenty, Token)).Succeeded().ShouldBeTrue();

        (await _zpool.ListAsync(Plenty, Token)).Value.ShouldBe([new(new("tank1"), Tank, PoolHealth.Online)]);
        (await _zpool.ReadPropertiesAsync(new("tank1"), Plenty, Token)).Value.ShouldBe(new(Tank, ReadOnly: false, Multihost: true, PoolHealth.Online));
        (await _zpool.ReadLeavesAsync(new("tank1"), Plenty, Token)).Value.ShouldBe(["/dev/disk/by-id/virtio-d0-part1"]);

        (await _zpool.ExportAsync(new("tank1"), held, Plenty, Token)).Succeeded().ShouldBeTrue();
        _host.ZpoolCalls().ShouldBe(
        [
            $"import -o cachefile=none {Tank}", "list -H -p -o name,guid,health", "get -H -p -o property,value guid,readonly,multihost,health tank1",
            "status -P tank1", "export tank1",
        ]);
    }

    [Fact]
    public async Task A_reading_that_fails_has_no_value_and_says_why()
    {
        var read = await _zpool.ReadPropertiesAsync(new("nosuch"), Plenty, Token);
        (read.Value, read.Run.Failure, read.Run.Stderr).ShouldBe((null, ZpoolFailure.NotImported, "Cannot get properties of nosuch: no such pool available.\n"));
    }

    [Fact]
    public async Task Part_of_a_label_s_output_is_not_believed()
    {
        _host.SetZdb("printf 'LABEL 0 \\n    name: '\\''tank1'\\''\\n    state: 0\\n    txg: 4\\n    pool_guid: 5617477934682210394\\n'; kill -KILL $$");
        var reading = await _zpool.ReadLabelAsync(Tank, ["/dev/a"], Plenty, Token);
        (reading.Label, reading.Detail).ShouldBe((null, "/dev/a: LABEL 0 "));
    }

    [Theory]
    [InlineData("/dev/disk/by-id/a-part1", true)]
    [InlineData("/srv/a file", true)]
    [InlineData("-f", false)]
    [InlineData("disk1", false)]
    [InlineData("/dev/a\nb", false)]
    [InlineData("", false)]
    public void A_leaf_from_elsewhere_is_a_path_or_nothing(string leaf, bool isPath) => Zpool.IsDevicePath(leaf).ShouldBe(isPath);

    public void Dispose() => _host.Dispose();
}
