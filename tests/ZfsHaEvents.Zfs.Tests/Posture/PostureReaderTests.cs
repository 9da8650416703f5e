using System.Buffers.Binary;
using Shouldly;
using Xunit;
using ZfsHaEvents.Zfs.Posture;

namespace ZfsHaEvents.Zfs.Tests.Posture;

/// <summary>What is read from a host's files, also when they hold what they never should.</summary>
public sealed class PostureReaderTests : IDisposable
{
    const string Parameter = "/sys/module/spl/parameters/spl_hostid";
    const string Interval = "/sys/module/zfs/parameters/zfs_multihost_interval";
    const string Version = "/sys/module/zfs/version";
    const string CommandLine = "/proc/cmdline";
    const string HostIdFileName = "/etc/hostid";
    const string CacheFile = "/etc/zfs/zpool.cache";

    readonly TestHost _host = new();

    public void Dispose() => _host.Dispose();

    Task<PostureFacts> ReadAsync(double limitSeconds = 10) =>
        new PostureReader(_host.Environment, TimeSpan.FromSeconds(limitSeconds)).ReadAsync(TestContext.Current.CancellationToken);

    void WriteBytes(string path, params byte[] bytes)
    {
        _host.Write(path, "");
        File.WriteAllBytes(_host.Environment.PathOf(path), bytes);
    }

    void Link(string path, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_host.Environment.PathOf(path))!);
        File.CreateSymbolicLink(_host.Environment.PathOf(path), target);
    }

    [Theory]
    [InlineData("40961\n", 0xa001u)]
    [InlineData("0\n", 0u)]
    [InlineData("4294967296\n", 0u)]
    [InlineData("18446744073709551615\n", 0xffffffffu)]
    public async Task The_active_hostid_is_the_parameters_lowest_32_bits(string text, uint expected)
    {
        _host.Write(Parameter, text);
        (await ReadAsync()).HostIdParameter.ShouldBe(Fact.Known(expected));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0xa001")]
    [InlineData("-1")]
    [InlineData("1 2")]
    [InlineData("99999999999999999999999999")]
    [InlineData("\u001b[31mred\0")]
    public async Task A_number_that_is_none_is_not_known(string text)
    {
        foreach (var path in new[] { Parameter, Interval, Version }) _host.Write(path, text);
        var facts = await ReadAsync();
        foreach (var (path, unknown) in new[] { (Parameter, facts.HostIdParameter.Unknown), (Interval, facts.Mmp.Interval.Unknown), (Version, facts.Version.Unknown) })
            unknown.ShouldNotBeNull().ShouldContain(_host.Environment.PathOf(path));
    }

    [Fact]
    public async Task A_file_that_is_missing_or_a_directory_or_far_too_long_is_not_known()
    {
        File.Delete(_host.Environment.PathOf(Parameter));
        Directory.CreateDirectory(_host.Environment.PathOf(Interval));
        _host.Write(Version, new string('2', 100_000));
        Directory.CreateDirectory(_host.Environment.PathOf(HostIdFileName));
        Link(CacheFile, "zpool.cache");
        var facts = await ReadAsync();
        facts.HostIdParameter.Unknown.ShouldNotBeNull().ShouldContain("modprobe zfs");
        facts.Mmp.Interval.IsKnown.ShouldBeFalse();
        facts.Version.Unknown.ShouldNotBeNull().ShouldContain("holds more than");
        facts.HostIdFile.IsKnown.ShouldBeFalse();
        facts.HostIdOnCommandLine.Unknown.ShouldNotBeNull().ShouldContain("is not there");
        facts.CachedPools.IsKnown.ShouldBeFalse();
        facts.BootImports.Unknown.ShouldNotBeNull().ShouldContain("no systemd");
    }

    [Fact]
    public async Task The_hostid_file_holds_four_bytes_in_the_machines_order()
    {
        (await ReadAsync()).HostIdFile.ShouldBe(Fact.Known(new HostIdFile(null, 0)));
        WriteBytes(HostIdFileName);
        (await ReadAsync()).HostIdFile.ShouldBe(Fact.Known(new HostIdFile(0, 0)));
        WriteBytes(HostIdFileName, 1, 2, 3);
        (await ReadAsync()).HostIdFile.ShouldBe(Fact.Known(new HostIdFile(3, 0)));
        WriteBytes(HostIdFileName, 0x01, 0xa0, 0, 0);
        (await ReadAsync()).HostIdFile.ShouldBe(Fact.Known(new HostIdFile(4, 0xa001)));
        WriteBytes(HostIdFileName, 0x01, 0xa0, 0, 0, (byte)'\n');
        (await ReadAsync()).HostIdFile.ShouldBe(Fact.Known(new HostIdFile(5, 0xa001)));
    }

    [Theory]
    [InlineData("ro quiet\n", null)]
    [InlineData("ro spl.spl_hostid=0x0000a001 quiet\n", 0xa001u)]
    [InlineData("spl.spl_hostid=40961", 0xa001u)]
    [InlineData("spl.spl_hostid=0120001", 0xa001u)]
    [InlineData("spl.spl-hostid=0xA001", 0xa001u)]
    [InlineData("spl.spl_hostid=\"0xa001\"", 0xa001u)]
    [InlineData("spl.spl_hostid=1 spl.spl_hostid=2", 2u)]
    [InlineData("spl.spl_hostid=0", 0u)]
    [InlineData("ro -- spl.spl_hostid=1", null)]
    [InlineData("xspl.spl_hostid=1 spl_hostid=1 spl.spl_hostid", null)]
    [InlineData("", null)]
    public async Task The_kernels_command_line_may_give_the_hostid(string text, uint? expected)
    {
        _host.Write(CommandLine, text);
        (await ReadAsync()).HostIdOnCommandLine.ShouldBe(Fact.Known(expected));
    }

    [Theory]
    [InlineData("spl.spl_hostid=")]
    [InlineData("spl.spl_hostid=0x")]
    [InlineData("spl.spl_hostid=0x123456789abcdef01")]
    [InlineData("spl.spl_hostid=a001")]
    [InlineData("spl.spl_hostid=09")]
    [InlineData("spl.spl_hostid=1 spl.spl_hostid=zz")]
    public async Task A_hostid_on_the_command_line_that_is_no_number_is_not_known(string text)
    {
        _host.Write(CommandLine, text);
        (await ReadAsync()).HostIdOnCommandLine.Unknown.ShouldNotBeNull().ShouldContain("is not a number");
    }

    [Fact]
    public async Task Units_are_enabled_by_links_and_disabled_by_masks()
    {
        Directory.CreateDirectory(_host.Environment.PathOf("/etc/systemd/system"));
        (await ReadAsync()).BootImports.Value.ShouldBeEmpty();

        const string etc = "/etc/systemd/system", vendor = "/usr/lib/systemd/system";
        Link($"{etc}/multi-user.target.wants/zfs.target", $"{vendor}/zfs.target");
        Link($"{vendor}/zfs.target.requires/zfs-import-cache.service", "../nowhere.service");
        Link($"{etc}/zfs-import.target.wants/zfs-import-scan.service", $"{vendor}/zfs-import-scan.service");
        Link($"{etc}/zfs.target.wants/zfs-mount.service", $"{vendor}/zfs-mount.service");
        (await ReadAsync()).BootImports.Value.ShouldBe(
        [
            new("zfs.target", $"{etc}/multi-user.target.wants/zfs.target"),
            new("zfs-import-cache.service", $"{vendor}/zfs.target.requires/zfs-import-cache.service"),
            new("zfs-import-scan.service", $"{etc}/zfs-import.target.wants/zfs-import-scan.service"),
        ]);

        // The unit is masked; the link that the vendor brought is.
        Link($"{etc}/zfs-import-scan.service", "/dev/null");
        Link($"{etc}/zfs.target.requires/zfs-import-cache.service", "/dev/null");
        (await ReadAsync()).BootImports.Value.Select(unit => unit.Unit).ShouldBe(["zfs.target"]);
    }

    [Fact]
    public async Task The_pools_of_the_cache_file_are_read_by_name_and_guid()
    {
        (await ReadAsync()).CachedPools.Value.ShouldBeEmpty();
        WriteBytes(CacheFile);
        (await ReadAsync()).CachedPools.Value.ShouldBeEmpty();
        WriteBytes(CacheFile, PackedPools(("tank1", 5617477934682210394), ("backup", null)));
        (await ReadAsync()).CachedPools.Value.ShouldBe([new("tank1", TestHost.Tank), new("backup", null)]);
    }

    [Fact]
    public async Task A_cache_file_that_is_cut_or_damaged_anywhere_is_not_known_or_read_as_some_list_and_never_breaks()
    {
        var whole = PackedPools(("tank1", 5617477934682210394));
        for (var length = 1; length < whole.Length; length++) NvPairs.Pools(whole.AsSpan(0, length)).ShouldBeNull($"the first {length} bytes");

        var random = new Random(1);
        for (var round = 0; round < 20_000; round++)
        {
            var damaged = (byte[])whole.Clone();
            for (var changes = random.Next(1, 4); changes > 0; changes--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            Should.NotThrow(() => NvPairs.Pools(damaged)?.Count);
        }

        WriteBytes(CacheFile, [0, .. whole[1..]]); // The native encoding, which is never on disk.
        (await ReadAsync()).CachedPools.Unknown.ShouldNotBeNull().ShouldContain("something else than a list of pools");
    }

    [Fact]
    public async Task A_command_that_hangs_or_is_not_installed_is_not_known()
    {
        _host.Import("tank1", TestHost.Tank);
        _host.SetZpool("sleep 60");
        var pool = (await ReadAsync(limitSeconds: 0.3)).Pools.Value.ShouldHaveSingleItem();
        pool.Settings.Unknown.ShouldNotBeNull().ShouldStartWith("zpool get did not end within 0.3 s");
        pool.Leaves.Unknown.ShouldNotBeNull().ShouldStartWith("zpool status did not end within 0.3 s");
        pool.Datasets.Unknown.ShouldNotBeNull().ShouldStartWith("cannot start '");
    }

    [Fact]
    public async Task A_command_that_fails_or_prints_something_else_is_not_known()
    {
        _host.Import("tank1", TestHost.Tank);
        _host.SetZpool("[ $1 = get ] && { echo nonsense; exit 0; }; echo 'permission denied' >&2; exit 1");
        var pool = (await ReadAsync()).Pools.Value.ShouldHaveSingleItem();
        pool.Settings.Unknown.ShouldBe("zpool get printed something else than was asked for");
        pool.Leaves.Unknown.ShouldBe("zpool status failed: permission denied");
    }

    [Theory]
    [InlineData("guid\t5617477934682210394\nmultihost\ton\ncachefile\tnone\n", null)]
    [InlineData("guid\t1\nmultihost\ton\ncachefile\tnone\n", "another pool")]
    [InlineData("guid\t5617477934682210394\nmultihost\ton\n", "something else")]
    [InlineData("guid\t5617477934682210394\nmultihost\ton\ncachefile\t\n", "something else")]
    [InlineData("guid\t5617477934682210394\nmultihost\tmaybe\ncachefile\tnone\n", "something else")]
    [InlineData("guid\t5617477934682210394\nmultihost\toff\nmultihost\ton\ncachefile\tnone\n", "something else")]
    [InlineData("guid\t5617477934682210394\nmultihost\ton\textra\ncachefile\tnone\n", "something else")]
    [InlineData("", "something else")]
    public void Settings_are_whole_or_not_known(string stdout, string? problem)
    {
        var read = PostureOutput.Settings(stdout, TestHost.Tank);
        if (problem is null) read.ShouldBe(Fact.Known(new PoolSettings(Multihost: true, "none")));
        else read.Unknown.ShouldNotBeNull().ShouldContain(problem);
    }

    [Theory]
    [InlineData("", new string[0])]
    [InlineData("tank1/ost0\tlustre:svname\ntank1/ost0\tlustre:fsname\ntank1/a b\tlustre:version\n", new[] { "tank1/ost0", "tank1/a b" })]
    [InlineData("tank1\tlustre:svname\n", new[] { "tank1" })]
    [InlineData("tank10/ost0\tlustre:svname\n", null)]
    [InlineData("tank1/ost0\tcanmount\n", null)]
    [InlineData("tank1/ost0\n", null)]
    public void Lustre_targets_are_told_by_their_own_properties(string stdout, string[]? expected) => PostureOutput.LustreDatasets(stdout, new("tank1")).ShouldBe(expected);

    [Theory]
    [InlineData("tank1\tcanmount\toff\ntank1\txattr\ton\ntank1/ost0\tcanmount\toff\ntank1/ost0\txattr\tsa\n", true)]
    [InlineData("tank1\tcanmount\toff\ntank1\txattr\ton\ntank1/ost0\tcanmount\toff\n", false)]
    [InlineData("tank1\tcanmount\toff\ntank1\txattr\ton\ntank1/ost0\tcanmount\toff\ntank1/ost0\txattr\tsa\ntank1/ost0\txattr\ton\n", false)]
    [InlineData("tank1\tcanmount\t\n", false)]
    public void Datasets_are_all_there_or_not_known(string stdout, bool known)
    {
        var read = PostureOutput.Datasets(stdout, ["tank1", "tank1/ost0"], ["tank1/ost0"]);
        read.IsKnown.ShouldBe(known);
        if (known) read.Value.ShouldBe([new("tank1", "off", "on", IsLustre: false), new("tank1/ost0", "off", "sa", IsLustre: true)]);
    }

    /// <summary>As libnvpair packs it: sizes, name, type, elements, data, all in four-byte units and big-endian; a list begins with version and flags and ends with two zeros.</summary>
    static byte[] PackedPools(params (string Name, ulong? Guid)[] pools) =>
    [
        1, 1, 0, 0, // XDR, written by a little-endian machine.
        .. List([.. pools.SelectMany(pool => Pair(pool.Name, type: 19, List([.. Pair("version", type: 8, Number64(5000)), .. pool.Guid is { } guid ? Pair("pool_guid", type: 8, Number64(guid)) : []])))]),
    ];

    static byte[] List(byte[] pairs) => [.. Number32(0), .. Number32(1), .. pairs, .. Number32(0), .. Number32(0)];

    static byte[] Pair(string name, int type, byte[] data)
    {
        var padded = new byte[(name.Length + 3) / 4 * 4];
        System.Text.Encoding.ASCII.GetBytes(name, padded);
        byte[] body = [.. Number32(name.Length), .. padded, .. Number32(type), .. Number32(1), .. data];
        return [.. Number32(body.Length + 8), .. Number32(body.Length + 24), .. body];
    }

    static byte[] Number32(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    static byte[] Number64(ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return bytes;
    }
}
