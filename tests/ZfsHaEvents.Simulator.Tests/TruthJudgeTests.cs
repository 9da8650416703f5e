using Shouldly;
using Xunit;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Tests;

/// <summary>The judge of truth logs: given lines, then a verdict.</summary>
public sealed class TruthJudgeTests
{
    const string Pool = "42";

    static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    readonly List<TruthEntry> _log = [];

    [Fact]
    public void A_pool_that_moves_cleanly_is_held_by_one_host_after_the_other()
    {
        Take("a", TruthOperation.Create);
        Take("a", TruthOperation.Export);
        Take("b", TruthOperation.Import);

        var verdict = Judge("b");

        verdict.DoubleHoldings.ShouldBeEmpty();
        verdict.Holdings.Select(held => (held.Host, held.End, held.Until)).ShouldBe([("a", "export", Start.AddSeconds(2)), ("b", "held", null)]);
    }

    [Theory]
    [InlineData(nameof(TruthOperation.Write), "write")]
    [InlineData(nameof(TruthOperation.Txg), "txg")]
    [InlineData(nameof(TruthOperation.Export), "export")]
    [InlineData(nameof(TruthOperation.Crash), "crash")]
    [InlineData(nameof(TruthOperation.PowerOff), "power-off")]
    public void A_second_import_is_a_double_holding_once_the_first_holder_shows_life(string operation, string evidence)
    {
        Take("a", TruthOperation.Create);
        Take("b", TruthOperation.Import);
        Take("a", Enum.Parse<TruthOperation>(operation));

        Judge("b").DoubleHoldings.ShouldHaveSingleItem().ShouldBe(new(Pool, "a", "b", Start.AddSeconds(3), evidence));
    }

    [Fact]
    public void A_second_import_is_a_double_holding_while_the_first_holder_runs_now()
    {
        Take("a", TruthOperation.Create);
        Take("b", TruthOperation.Import);

        Judge("a", "b").DoubleHoldings.ShouldHaveSingleItem().ShouldBe(new(Pool, "a", "b", At: null, "holds it now"));
    }

    [Fact]
    public void A_frozen_holder_that_then_only_suspends_did_not_hold_it_twice()
    {
        Take("a", TruthOperation.Create);
        Take("a", TruthOperation.Freeze);
        Take("b", TruthOperation.Import);
        Judge("b").DoubleHoldings.ShouldBeEmpty();
        Take("a", TruthOperation.Thaw);
        Take("a", TruthOperation.Suspend);

        var verdict = Judge("a", "b");

        verdict.DoubleHoldings.ShouldBeEmpty();
        verdict.Holdings[0].End.ShouldBe("suspend");
    }

    [Fact]
    public void A_holder_that_is_killed_while_frozen_did_nothing_in_between()
    {
        Take("a", TruthOperation.Create);
        Take("a", TruthOperation.Freeze);
        Take("b", TruthOperation.Import);
        Take("a", TruthOperation.Crash);

        Judge("b").DoubleHoldings.ShouldBeEmpty();
    }

    [Fact]
    public void A_thawed_holder_that_writes_after_a_takeover_holds_it_twice()
    {
        Take("a", TruthOperation.Create);
        Take("a", TruthOperation.Freeze);
        Take("b", TruthOperation.Import);
        Take("a", TruthOperation.Thaw);
        Take("a", TruthOperation.Write);

        Judge("a", "b").DoubleHoldings.ShouldHaveSingleItem().Evidence.ShouldBe("write");
    }

    [Fact]
    public void A_resumed_pool_is_held_again()
    {
        Take("a", TruthOperation.Create);
        Take("a", TruthOperation.Suspend);
        Take("b", TruthOperation.Import);
        Judge("a", "b").DoubleHoldings.ShouldBeEmpty();
        Take("a", TruthOperation.Resume);

        Judge("a", "b").DoubleHoldings.ShouldHaveSingleItem().ShouldBe(new(Pool, "b", "a", At: null, "holds it now"));
    }

    [Fact]
    public void A_read_only_import_and_a_refused_one_hold_nothing_against_anyone()
    {
        Take("a", TruthOperation.Create);
        Take("b", TruthOperation.Import, mode: "ro");
        Take("b", TruthOperation.ImportRefused);

        Judge("a", "b").DoubleHoldings.ShouldBeEmpty();
    }

    [Fact]
    public void A_boot_ends_what_the_hosts_earlier_kernel_held()
    {
        Take("a", TruthOperation.Create);
        Take("a", TruthOperation.Boot, bootId: "a2");
        Take("b", TruthOperation.Import);

        var verdict = Judge("a2", "b");

        verdict.DoubleHoldings.ShouldBeEmpty();
        verdict.Holdings[0].End.ShouldBe("boot");
    }

    [Fact]
    public void A_holder_whose_process_died_unnoticed_is_gone()
    {
        Take("a", TruthOperation.Create);
        Take("b", TruthOperation.Import);

        var verdict = Judge("b");

        verdict.DoubleHoldings.ShouldBeEmpty();
        verdict.Holdings.Select(held => held.End).ShouldBe(["gone", "held"]);
    }

    void Take(string host, TruthOperation operation, string mode = "rw", string? bootId = null) => _log.Add(
        new(Start.AddSeconds(_log.Count + 1), host, bootId ?? host, Pid: 1, operation) { Pool = Pool, Name = "tank1", Mode = mode });

    TruthVerdict Judge(params string[] runningNow) => TruthJudge.Judge(_log, runningNow.ToHashSet());
}
