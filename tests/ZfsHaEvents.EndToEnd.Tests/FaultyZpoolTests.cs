using Shouldly;
using Xunit;

namespace ZfsHaEvents.EndToEnd.Tests;

/// <summary>A zpool that is missing, hangs, or lies about what it did: what is recorded is what is so on the disks, not what it said.</summary>
public sealed class FaultyZpoolTests
{
    sealed record Case(string Fault, string On, string End, string Outcome, string? Failure, string Holder);

    [Fact]
    public async Task Whatever_zpool_says_of_an_import_or_export_the_recorded_outcome_is_what_is_so()
    {
        await using var cluster = await FakeCluster.StartAsync(new(ServerArguments: ["--start-seconds", "8", "--export-seconds", "4", "--import-seconds", "4", "--labels-seconds", "8", "--grace-seconds", "5"]));
        Case[] cases =
        [
            // The holder, a, exports; the target, b, imports. What the target cannot import goes back to a.
            new("missing", "b", "Aborted", "import_failed", "NotStarted", "a"),
            new("hang-import", "b", "Aborted", "import_failed", "TimedOut", "a"),
            new("stuck-import", "b", "Aborted", "import_failed", "TimedOut", "a"),
            new("import-does-nothing", "b", "Aborted", "import_failed", "DidNothing", "a"),
            new("import-fails-after", "b", "Completed", "import_succeeded", null, "b"),
            new("import-hangs-after", "b", "Completed", "import_succeeded", null, "b"),
            new("missing", "a", "Aborted", "export_failed", "NotStarted", "a"),
            new("hang-export", "a", "Aborted", "export_failed", "TimedOut", "a"),
            new("stuck-export", "a", "Aborted", "export_failed", "TimedOut", "a"),
            new("export-does-nothing", "a", "Aborted", "export_failed", "DidNothing", "a"),
            new("export-fails-after", "a", "Completed", "export_succeeded", null, "b"),
            new("export-hangs-after", "a", "Completed", "export_succeeded", null, "b"),
        ];
        foreach (var c in cases)
        {
            await cluster.RestoreAsync("tank1", "a");
            var id = cluster.NextId($"{c.Fault}-on-{c.On}");
            cluster.Fault(c.On, c.Fault, on: true);
            var (end, detail) = await cluster.MoveAsync("tank1", "b", id);
            cluster.Fault(c.On, c.Fault, on: false);
            await cluster.QuietAsync();

            var what = $"{c.Fault} on {c.On}: {end}: {detail}; logs in {cluster.Directory}";
            FakeCluster.Say(what);
            end.ShouldBe(c.End, what);
            var verb = c.Outcome.Split('_')[0];
            var outcomes = (await cluster.HistoryAsync("tank1")).Where(h => h.Request == id && h.Host == c.On && h.Type.StartsWith(verb + "_", StringComparison.Ordinal) && !h.Type.EndsWith("_started", StringComparison.Ordinal)).ToList();
            outcomes.ShouldHaveSingleItem(what).Type.ShouldBe(c.Outcome, what);
            if (c.Failure is not null) outcomes[0].Data.GetProperty("Failure").GetString().ShouldBe(c.Failure, what);
            cluster.Truth().HoldersNow(cluster.Pools["tank1"]).ShouldBe([c.Holder], what);
            ((string?)(await cluster.PoolAsync("tank1"))["holder"]).ShouldBe(c.Holder, what);
        }

        await cluster.ShouldBeSoundAsync();
    }
}
