using Shouldly;
using Xunit;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Server.Tests;

/// <summary>What the server is told when it is started.</summary>
public sealed class OptionTests
{
    [Theory]
    [InlineData(1.99, "2 or more")]
    [InlineData(0.001, "2 or more")]
    [InlineData(0, "greater than 0")]
    [InlineData(-3, "greater than 0")]
    [InlineData(double.NaN, "NaN")]
    public async Task A_lease_too_short_to_outlive_an_unnoticed_outage_is_refused(double seconds, string said)
    {
        await using var server = new ServerProcess { LeaseSeconds = seconds };
        server.Launch();

        (await server.EndedAsync()).ShouldBe(1);
        await Eventually.TrueAsync("its last words have arrived", () => server.Output.Contains(said, StringComparison.Ordinal));
        server.Output.ShouldNotContain("   at ");
        Directory.Exists(server.Data).ShouldBeFalse();
    }

    [Fact]
    public async Task The_shortest_lease_is_taken()
    {
        await using var server = new ServerProcess { LeaseSeconds = 2 };

        await server.StartAsync();
    }
}
