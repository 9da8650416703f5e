using System.Net.Sockets;
using Npgsql;
using Shouldly;
using Xunit;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Server.Running;

namespace ZfsHaEvents.Server.Tests;

/// <summary>What becomes of a message that was not handled.</summary>
public sealed class BackoffTests
{
    static readonly Backoff Least = new(() => 0), Most = new(() => 0.999_999);

    static double Milliseconds(Backoff backoff, ErrorClass error, int times) => backoff.Of(error, times).ShouldBeOfType<Fate.Again>().Delay.TotalMilliseconds;

    [Theory]
    [InlineData(ErrorClass.VersionConflict, 1, 20)]
    [InlineData(ErrorClass.VersionConflict, 2, 40)]
    [InlineData(ErrorClass.VersionConflict, 4, 160)]
    [InlineData(ErrorClass.VersionConflict, 5, 160)]
    [InlineData(ErrorClass.VersionConflict, int.MaxValue, 160)] // Never given up.
    [InlineData(ErrorClass.DatabaseSaysNo, 1, 2000)]
    [InlineData(ErrorClass.DatabaseSaysNo, 3, 8000)]
    [InlineData(ErrorClass.DatabaseSaysNo, 5, 30_000)]
    [InlineData(ErrorClass.DatabaseSaysNo, int.MaxValue, 30_000)]
    [InlineData(ErrorClass.Bug, 1, 100)]
    [InlineData(ErrorClass.Bug, 2, 200)]
    [InlineData(ErrorClass.Bug, 7, 6400)]
    public void A_delay_doubles_up_to_the_longest_and_its_last_half_is_left_to_chance(ErrorClass error, int times, double longest)
    {
        Milliseconds(Least, error, times).ShouldBe(longest / 2);
        Milliseconds(Most, error, times).ShouldBeInRange(longest * 0.99, longest);
    }

    [Theory]
    [InlineData(ErrorClass.Bug, 8)]
    [InlineData(ErrorClass.Bug, 9)]
    [InlineData(ErrorClass.Undeliverable, 1)]
    public void What_cannot_succeed_is_given_up(ErrorClass error, int times) => Least.Of(error, times).ShouldBe(new Fate.GivenUp());

    [Theory]
    [InlineData(1)]
    [InlineData(1_000_000)]
    public void An_outage_leaves_a_message_as_it_is(int times) => Least.Of(ErrorClass.DatabaseOutage, times).ShouldBe(new Fate.Left());

    [Fact]
    public void Chance_is_asked_anew_each_time()
    {
        var given = new Queue<double>([0, 0.5]);
        var backoff = new Backoff(given.Dequeue);

        (Milliseconds(backoff, ErrorClass.Bug, 1), Milliseconds(backoff, ErrorClass.Bug, 1)).ShouldBe((50, 75));
    }

    public static TheoryData<Exception, ErrorClass> Errors => new()
    {
        { new MalformedMessageException("no JSON"), ErrorClass.Undeliverable },
        { new UndeliverableException("UnknownPool", "x"), ErrorClass.Undeliverable },
        { new NpgsqlException("away", new SocketException()), ErrorClass.DatabaseOutage },
        { new NpgsqlException("no answer", new TimeoutException()), ErrorClass.DatabaseOutage },
        { Said(PostgresErrorCodes.AdminShutdown), ErrorClass.DatabaseOutage },
        { Said(PostgresErrorCodes.QueryCanceled), ErrorClass.DatabaseSaysNo }, // statement_timeout's.
        { Said(PostgresErrorCodes.ReadOnlySqlTransaction), ErrorClass.DatabaseSaysNo },
        { Said(PostgresErrorCodes.InsufficientPrivilege), ErrorClass.DatabaseSaysNo },
        { Said(PostgresErrorCodes.UndefinedFunction), ErrorClass.DatabaseSaysNo }, // A server of a later version has applied its schema.
        { Said(PostgresErrorCodes.UndefinedColumn), ErrorClass.Bug },
        { new InvalidOperationException(), ErrorClass.Bug },
        { new FormatException(), ErrorClass.Bug },
    };

    [Theory]
    [MemberData(nameof(Errors), DisableDiscoveryEnumeration = true)]
    public void An_error_is_of_one_class(Exception error, ErrorClass expected) => Backoff.ClassOf(error).ShouldBe(expected);

    static PostgresException Said(string state) => new("no", "ERROR", "ERROR", state);
}
