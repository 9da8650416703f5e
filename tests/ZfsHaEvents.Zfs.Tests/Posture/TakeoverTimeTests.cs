using Shouldly;
using Xunit;
using ZfsHaEvents.Zfs.Posture;

namespace ZfsHaEvents.Zfs.Tests.Posture;

public sealed class TakeoverTimeTests
{
    [Theory]
    // interval, fail and import intervals; watching at least and at most, claim, until the holder suspends
    [InlineData(1000, 10, 20, 20.0, 25.0, 10.0, 10.0)]
    [InlineData(250, 10, 20, 5.0, 6.25, 2.5, 2.5)]
    [InlineData(100, 5, 20, 1.0, 1.25, 1.0, 0.5)]
    [InlineData(1, 10, 20, 2.0, 2.5, 1.0, 1.0)]
    [InlineData(1000, 1, 20, 4.0, 5.0, 10.0, 2.0)]
    [InlineData(1000, 20, 1, 40.0, 50.0, 10.0, 20.0)]
    [InlineData(1000, 0, 20, 20.0, null, 10.0, null)]
    [InlineData(100, 0, 0, 1.0, null, 1.0, null)]
    public void It_follows_from_the_parameters(ulong interval, ulong fail, ulong import, double watchMin, double? watchMax, double claim, double? suspend)
    {
        var time = TakeoverTime.Of(interval, fail, import, hasClaim: true);
        time.ShouldBe(new(watchMin, watchMax, claim, true, suspend));
        (time.SecondsMin, time.SecondsMax).ShouldBe((watchMin + claim, watchMax + claim));
    }

    [Fact]
    public void A_recorded_import_took_as_long()
    {
        // Transcript 30: zpool import of tank1, by the default parameters. What is over is the import itself.
        var time = TakeoverTime.Of(1000, 10, 20, hasClaim: true);
        34.83.ShouldBeInRange(time.SecondsMin, time.SecondsMax!.Value + 1);
    }

    [Theory]
    [InlineData(true, 30.0, 35.0)]
    [InlineData(false, 20.0, 25.0)]
    [InlineData(null, 20.0, 35.0)]
    public void A_claim_that_may_or_may_not_be_made_widens_the_bounds(bool? claims, double min, double max) =>
        TakeoverTime.Of(1000, 10, 20, claims).ShouldSatisfyAllConditions(time => time.SecondsMin.ShouldBe(min), time => time.SecondsMax.ShouldBe(max));

    [Theory]
    [InlineData("2.3.9-0+deb13u1", 2, 3, 9)]
    [InlineData("2.2.2-0ubuntu9.1", 2, 2, 2)]
    [InlineData("0.7.13-1", 0, 7, 13)]
    [InlineData("2.4.0-rc1", 2, 4, 0)]
    public void A_release_is_known_by_its_version(string text, int major, int minor, int patch) => ZfsVersion.Parse(text).ShouldBe(new(major, minor, patch, text));

    [Theory]
    [InlineData("")]
    [InlineData("2.3")]
    [InlineData("2.3.9x")]
    [InlineData("2.3.99999999999999999999")]
    [InlineData("-2.3.9")]
    [InlineData("2.3.9-\u001b[2J")]
    [InlineData("v2.3.9")]
    public void What_is_no_version_is_none(string text) => ZfsVersion.Parse(text).ShouldBeNull();
}
