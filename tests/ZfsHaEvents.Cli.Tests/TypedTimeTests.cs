using Shouldly;
using Xunit;

namespace ZfsHaEvents.Cli.Tests;

public class TypedTimeTests
{
    static readonly DateTimeOffset Now = new(2026, 11, 20, 2, 14, 30, TimeSpan.Zero);
    static readonly TimeZoneInfo Vienna = TimeZoneInfo.CreateCustomTimeZone("an hour ahead", TimeSpan.FromHours(1), null, null);

    [Theory]
    [InlineData("-90s", "2026-11-20T02:13:00Z")]
    [InlineData("-15m", "2026-11-20T01:59:30Z")]
    [InlineData("-2h", "2026-11-20T00:14:30Z")]
    [InlineData("-1.5d", "2026-11-18T14:14:30Z")]
    [InlineData("02:00", "2026-11-20T02:00:00Z")]
    [InlineData("02:00:01.250", "2026-11-20T02:00:01.250Z")]
    [InlineData("2026-11-19", "2026-11-19T00:00:00Z")]
    [InlineData("2026-11-19 23:05", "2026-11-19T23:05:00Z")]
    [InlineData("2026-11-19T23:05:07.123", "2026-11-19T23:05:07.123Z")]
    [InlineData("2026-11-19T23:05:07Z", "2026-11-19T23:05:07Z")]
    [InlineData("2026-11-19T23:05:07+02:00", "2026-11-19T21:05:07Z")]
    public void A_time_is_understood_in_the_forms_that_people_type(string typed, string meant) =>
        TypedTime.Parse(typed, Now, TimeZoneInfo.Utc).ShouldBe(DateTimeOffset.Parse(meant, System.Globalization.CultureInfo.InvariantCulture));

    [Theory]
    [InlineData("03:00", "2026-11-20T02:00:00Z")]
    [InlineData("2026-11-19 23:05", "2026-11-19T22:05:00Z")]
    [InlineData("2026-11-19T23:05:07Z", "2026-11-19T23:05:07Z")]
    public void A_time_without_an_offset_is_of_the_zone_that_times_are_shown_in(string typed, string meant) =>
        TypedTime.Parse(typed, Now, Vienna).ShouldBe(DateTimeOffset.Parse(meant, System.Globalization.CultureInfo.InvariantCulture));

    [Theory]
    [InlineData("yesterday")]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("-5")]
    [InlineData("-xm")]
    [InlineData("25:00")]
    [InlineData("2026-13-01")]
    [InlineData("-999999999999d")]
    public void What_is_no_time_is_none(string typed) => TypedTime.Parse(typed, Now, TimeZoneInfo.Utc).ShouldBeNull();
}
