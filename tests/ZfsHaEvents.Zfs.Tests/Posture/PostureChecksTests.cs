using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Zfs.Commands;
using ZfsHaEvents.Zfs.Posture;

namespace ZfsHaEvents.Zfs.Tests.Posture;

public sealed class PostureChecksTests
{
    const string Why = "nobody knows";

    static PostureFinding Single(PostureFacts facts) => PostureChecks.Of(facts).Findings.ShouldHaveSingleItem();

    static (string Check, PostureSeverity Severity, string Mend) Brief(PostureFinding finding) => (finding.Check, finding.Severity, string.Join(' ', finding.Mend));

    [Fact]
    public void Nothing_is_found_on_a_host_that_is_set_up_well()
    {
        var report = PostureChecks.Of(Facts.Good);
        report.Findings.ShouldBeEmpty();
        (report.IsViolated(), report.IsUncertain(), report.HostId, report.Version).ShouldBe((false, false, new ZfsHostId(0xa001), "2.3.9-0+deb13u1"));
        report.Pools.ShouldBe([Facts.Tank]);
    }

    [Theory]
    // parameter, bytes of the file (-1: none), file, command line (-1: none); what is found, and the command that mends it
    [InlineData(0xa001, 4, 0xa001, -1, null, null)]
    [InlineData(0, 4, 0xa001, -1, null, null)]
    [InlineData(0xa001, -1, 0, 0xa001, null, null)]
    [InlineData(0xa001, 4, 0xb002, 0xa001, null, null)]
    [InlineData(0, -1, 0, -1, "hostid-active", "zgenhostid")]
    [InlineData(0, 0, 0, -1, "hostid-active", "zgenhostid -f")]
    [InlineData(0, 3, 0, -1, "hostid-active", "zgenhostid -f")]
    [InlineData(0, 4, 0, 0, "hostid-active", "zgenhostid -f")]
    [InlineData(0xa001, -1, 0, -1, "hostid-persistent", "zgenhostid 0x0000a001")]
    [InlineData(0xa001, -1, 0, 0, "hostid-persistent", "zgenhostid 0x0000a001")]
    [InlineData(0xa001, 2, 0, -1, "hostid-persistent", "zgenhostid -f 0x0000a001")]
    [InlineData(0xa001, 4, 0xb002, -1, "hostid-agrees", "zgenhostid -f 0x0000a001")]
    [InlineData(0xa001, 4, 0xa001, 0xb002, "hostid-agrees", "")]
    public void The_hostid_is_set_stays_and_is_the_one_that_is_written_down(long parameter, long bytes, long file, long commandLine, string? check, string? mend)
    {
        var found = PostureChecks.Of(Facts.Good with
        {
            HostIdParameter = Fact.Known((uint)parameter),
            HostIdFile = Fact.Known(new HostIdFile(bytes < 0 ? null : bytes, (uint)file)),
            HostIdOnCommandLine = Fact.Known<uint?>(commandLine < 0 ? null : (uint)commandLine),
        }).Findings;
        found.Select(finding => (finding.Check, string.Join(' ', finding.Mend))).ShouldBe(check is null ? [] : [(check, mend!)]);
        found.ShouldAllBe(finding => finding.Severity == (check == "hostid-active" ? PostureSeverity.Critical : PostureSeverity.Warning) && finding.Pool == null);
    }

    [Fact]
    public void The_file_counts_as_active_where_the_parameter_is_zero() =>
        PostureChecks.Of(Facts.Good with { HostIdParameter = Fact.Known(0u), HostIdFile = Fact.Known(new HostIdFile(4, 0xc0ffee)) }).HostId.ShouldBe(new ZfsHostId(0xc0ffee));

    [Theory]
    [InlineData("zfs.target", "/etc/systemd/system/multi-user.target.wants/zfs.target", PostureSeverity.Warning, "systemctl disable zfs.target")]
    [InlineData("zfs-import-cache.service", "/etc/systemd/system/zfs-import.target.wants/zfs-import-cache.service", PostureSeverity.Warning, "systemctl disable zfs-import-cache.service")]
    [InlineData("zfs-import-scan.service", "/etc/systemd/system/zfs-import.target.wants/zfs-import-scan.service", PostureSeverity.Critical, "systemctl disable zfs-import-scan.service")]
    [InlineData("zfs.target", "/usr/lib/systemd/system/multi-user.target.wants/zfs.target", PostureSeverity.Warning, "systemctl mask zfs.target")]
    public void No_unit_imports_pools_at_boot(string unit, string link, PostureSeverity severity, string mend)
    {
        var finding = Single(Facts.Good with { BootImports = Fact.Known<IReadOnlyList<BootUnit>>([new(unit, link)]) });
        Brief(finding).ShouldBe(("boot-import", severity, mend));
        finding.What.ShouldContain(link);
    }

    [Theory]
    [InlineData("tank1", 5617477934682210394ul, true)]
    [InlineData("renamed", 5617477934682210394ul, true)]
    [InlineData("tank1", 1ul, false)]
    [InlineData("other", 2ul, false)]
    [InlineData("tank1", null, true)]
    public void No_pool_is_in_the_cache_file(string name, ulong? id, bool isImported)
    {
        var finding = Single(Facts.Good with { CachedPools = Fact.Known<IReadOnlyList<CachedPool>>([new(name, id is { } known ? new PoolGuid(known) : null)]) });
        Brief(finding).ShouldBe(("zpool-cache", PostureSeverity.Critical, isImported ? "zpool set cachefile=none tank1" : "mv /etc/zfs/zpool.cache /etc/zfs/zpool.cache.old"));
        finding.Pool.ShouldBe(isImported ? Facts.Tank : null);
    }

    [Theory]
    [InlineData(false, "none", "multihost", PostureSeverity.Critical, "zpool set multihost=on tank1")]
    [InlineData(true, "-", "cachefile", PostureSeverity.Critical, "zpool set cachefile=none tank1")]
    [InlineData(true, "/srv/cluster.cache", "cachefile", PostureSeverity.Warning, "zpool set cachefile=none tank1")]
    public void A_pool_has_multihost_and_no_cache_file(bool multihost, string cacheFile, string check, PostureSeverity severity, string mend)
    {
        var finding = Single(Facts.With(Facts.PoolWith(multihost, cacheFile)));
        Brief(finding).ShouldBe((check, severity, mend));
        finding.Pool.ShouldBe(Facts.Tank);
    }

    [Theory]
    [InlineData("tank1/ost0", "on", "sa", true, "2.3.9", "lustre-canmount", PostureSeverity.Critical, "zfs set canmount=off tank1/ost0")]
    [InlineData("tank1/ost0", "noauto", "sa", true, "2.3.9", "lustre-canmount", PostureSeverity.Critical, "zfs set canmount=off tank1/ost0")]
    [InlineData("tank1", "on", "on", false, "2.2.2", "lustre-canmount", PostureSeverity.Warning, "zfs set canmount=off tank1")]
    [InlineData("tank1/ost0", "off", "dir", true, "2.3.9", "lustre-xattr", PostureSeverity.Warning, "zfs set xattr=sa tank1/ost0")]
    [InlineData("tank1/ost0", "off", "off", true, "2.3.9", "lustre-xattr", PostureSeverity.Warning, "zfs set xattr=sa tank1/ost0")]
    [InlineData("tank1/ost0", "off", "on", true, "2.2.2", "lustre-xattr", PostureSeverity.Warning, "zfs set xattr=sa tank1/ost0")]
    [InlineData("tank1/ost0", "off", "on", true, "2.3.0", null, null, null)]
    public void Lustre_targets_are_not_mounted_by_zfs_and_keep_attributes_in_the_dnode(
        string name, string canMount, string xattr, bool isLustre, string version, string? check, PostureSeverity? severity, string? mend)
    {
        var facts = Facts.With(Facts.PoolWith(new DatasetSettings(name, canMount, xattr, isLustre))) with { Version = Fact.Known(ZfsVersion.Parse(version)!) };
        var found = PostureChecks.Of(facts).Findings.Where(finding => finding.Severity != PostureSeverity.Note);
        found.Select(Brief).ShouldBe(check is null ? [] : [(check, severity!.Value, mend!)]);
    }

    [Fact]
    public void What_xattr_on_means_is_not_known_where_the_release_is_not() =>
        PostureChecks.Of(Facts.With(Facts.PoolWith(new DatasetSettings("tank1/ost0", "off", "on", IsLustre: true))) with { Version = Fact.Unknown<ZfsVersion>(Why) })
            .Findings.Select(finding => (finding.Check, finding.Severity)).ShouldBe([("zfs-version", PostureSeverity.Unknown), ("lustre-xattr", PostureSeverity.Unknown)], ignoreOrder: true);

    [Theory]
    [InlineData("ONLINE", false)]
    [InlineData("OFFLINE", false)]
    [InlineData("DEGRADED", false)]
    [InlineData("UNAVAIL", true)]
    [InlineData("REMOVED", true)]
    public void A_device_that_is_missing_and_not_offline_blocks_an_import_elsewhere(string state, bool blocks)
    {
        var pool = Facts.PoolWith(new LeafState("/dev/a", "/dev/a", "ONLINE"), new LeafState("15203008273232919344", "/dev/b", state));
        var found = PostureChecks.Of(Facts.With(pool)).Findings;
        found.Select(Brief).ShouldBe(blocks ? [("missing-leaf", PostureSeverity.Critical, "zpool offline tank1 15203008273232919344")] : []);
        if (blocks) found[0].What.ShouldContain("/dev/b");

        // Without multihost no claim is written; and where that is not known, neither is this.
        PostureChecks.Of(Facts.With(pool with { Settings = Fact.Known(new PoolSettings(Multihost: false, "none")) })).Findings.ShouldNotContain(finding => finding.Check == "missing-leaf");
        PostureChecks.Of(Facts.With(pool with { Settings = Fact.Unknown<PoolSettings>(Why) })).Findings.Where(finding => finding.Check == "missing-leaf")
            .Select(finding => finding.Severity).ShouldBe(blocks ? [PostureSeverity.Unknown] : []);
    }

    [Theory]
    [InlineData("0.6.5", PostureSeverity.Critical)]
    [InlineData("0.7.13-1", PostureSeverity.Warning)]
    [InlineData("0.8.6", PostureSeverity.Note)]
    [InlineData("2.2.2-0ubuntu9.1", PostureSeverity.Note)]
    [InlineData("2.3.8", PostureSeverity.Note)]
    [InlineData("2.3.9", null)]
    [InlineData("2.4.0", PostureSeverity.Note)]
    [InlineData("2.4.1", null)]
    [InlineData("3.0.0", null)]
    public void What_is_known_to_be_wrong_with_a_release_is_said(string version, PostureSeverity? severity)
    {
        var report = PostureChecks.Of(Facts.Good with { Version = Fact.Known(ZfsVersion.Parse(version)!), Pools = Fact.Known<IReadOnlyList<PoolFacts>>([]) });
        report.Findings.Select(finding => (finding.Check, finding.Severity)).ShouldBe(severity is { } known ? [("zfs-version", known)] : []);
        report.IsViolated().ShouldBe(severity is PostureSeverity.Critical or PostureSeverity.Warning);
    }

    [Theory]
    [InlineData(1000, 0, 20)]
    [InlineData(0x1000000, 10, 20)]
    [InlineData(1000, 0x10000, 20)]
    public void Parameters_with_which_a_holder_may_write_on_after_a_take_over_are_critical(ulong interval, ulong fail, ulong import) =>
        Single(Facts.Good with { Mmp = new(Fact.Known(interval), Fact.Known(fail), Fact.Known(import)) }).ShouldSatisfyAllConditions(
            finding => finding.Check.ShouldBe("mmp-parameters"), finding => finding.Severity.ShouldBe(PostureSeverity.Critical), finding => finding.Advice.ShouldContain("/sys/module/zfs/parameters/zfs_multihost_"));

    public static TheoryData<string, string> EachUnknown() => new()
    {
        { nameof(PostureFacts.HostIdParameter), "hostid-active" },
        { nameof(PostureFacts.HostIdFile), "hostid-persistent" },
        { nameof(PostureFacts.HostIdOnCommandLine), "hostid-persistent" },
        { nameof(PostureFacts.Version), "zfs-version" },
        { nameof(MmpParameters.Interval), "mmp-parameters" },
        { nameof(MmpParameters.FailIntervals), "mmp-parameters" },
        { nameof(MmpParameters.ImportIntervals), "mmp-parameters" },
        { nameof(PostureFacts.BootImports), "boot-import" },
        { nameof(PostureFacts.CachedPools), "zpool-cache" },
        { nameof(PostureFacts.Pools), "pools" },
        { nameof(PoolFacts.Settings), "multihost cachefile" },
        { nameof(PoolFacts.Datasets), "lustre-canmount lustre-xattr" },
        { nameof(PoolFacts.Leaves), "missing-leaf" },
    };

    [Theory]
    [MemberData(nameof(EachUnknown))]
    public void What_is_not_known_is_never_fine(string fact, string checks)
    {
        var (good, pool) = (Facts.Good, Facts.GoodPool);
        var report = PostureChecks.Of(fact switch
        {
            nameof(PostureFacts.HostIdParameter) => good with { HostIdParameter = Fact.Unknown<uint>(Why) },
            nameof(PostureFacts.HostIdFile) => good with { HostIdFile = Fact.Unknown<HostIdFile>(Why) },
            nameof(PostureFacts.HostIdOnCommandLine) => good with { HostIdOnCommandLine = Fact.Unknown<uint?>(Why) },
            nameof(PostureFacts.Version) => good with { Version = Fact.Unknown<ZfsVersion>(Why) },
            nameof(MmpParameters.Interval) => good with { Mmp = good.Mmp with { Interval = Fact.Unknown<ulong>(Why) } },
            nameof(MmpParameters.FailIntervals) => good with { Mmp = good.Mmp with { FailIntervals = Fact.Unknown<ulong>(Why) } },
            nameof(MmpParameters.ImportIntervals) => good with { Mmp = good.Mmp with { ImportIntervals = Fact.Unknown<ulong>(Why) } },
            nameof(PostureFacts.BootImports) => good with { BootImports = Fact.Unknown<IReadOnlyList<BootUnit>>(Why) },
            nameof(PostureFacts.CachedPools) => good with { CachedPools = Fact.Unknown<IReadOnlyList<CachedPool>>(Why) },
            nameof(PostureFacts.Pools) => good with { Pools = Fact.Unknown<IReadOnlyList<PoolFacts>>(Why) },
            nameof(PoolFacts.Settings) => Facts.With(pool with { Settings = Fact.Unknown<PoolSettings>(Why) }),
            nameof(PoolFacts.Datasets) => Facts.With(pool with { Datasets = Fact.Unknown<IReadOnlyList<DatasetSettings>>(Why) }),
            _ => Facts.With(pool with { Leaves = Fact.Unknown<IReadOnlyList<LeafState>>(Why) }),
        });
        report.Findings.Select(finding => finding.Check).ShouldBe(checks.Split(' '));
        report.Findings.ShouldAllBe(finding => finding.Severity == PostureSeverity.Unknown && finding.What.EndsWith(": " + Why, StringComparison.Ordinal) && finding.Why.Length > 0);
        (report.IsViolated(), report.IsUncertain()).ShouldBe((false, true));
        if (fact is nameof(PostureFacts.Version) or nameof(MmpParameters.Interval)) report.TakeoverTime.ShouldBeNull();
    }

    [Fact]
    public void The_hostid_is_not_known_where_the_file_that_would_count_is_not() =>
        PostureChecks.Of(Facts.Good with { HostIdParameter = Fact.Known(0u), HostIdFile = Fact.Unknown<HostIdFile>(Why) }).ShouldSatisfyAllConditions(
            report => report.HostId.ShouldBeNull(), report => report.Findings.Select(finding => finding.Check).ShouldBe(["hostid-active", "hostid-persistent"]));

    [Fact]
    public void Whether_a_device_with_too_many_errors_blocks_an_import_is_not_known()
    {
        var finding = Single(Facts.With(Facts.PoolWith(new LeafState("/dev/a", "/dev/a", "ONLINE"), new LeafState("/dev/b", "/dev/b", "FAULTED"))));
        Brief(finding).ShouldBe(("missing-leaf", PostureSeverity.Unknown, "zpool offline tank1 /dev/b"));
    }

    [Fact]
    public void The_worst_comes_first()
    {
        var report = PostureChecks.Of(Facts.With(Facts.PoolWith(multihost: false, "/srv/cluster.cache")) with { Version = Fact.Unknown<ZfsVersion>(Why) });
        report.Findings.Select(finding => finding.Severity).ShouldBe([PostureSeverity.Critical, PostureSeverity.Warning, PostureSeverity.Unknown]);
        (report.IsViolated(), report.IsUncertain()).ShouldBe((true, true));
    }
}
