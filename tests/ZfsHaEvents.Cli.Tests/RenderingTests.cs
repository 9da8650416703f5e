using System.Text.Json;
using System.Text.RegularExpressions;
using Shouldly;
using Xunit;
using ZfsHaEvents.Cli.Alerts;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Bus;
using ZfsHaEvents.Cli.Hosts;
using ZfsHaEvents.Cli.Moves;
using ZfsHaEvents.Cli.Pools;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Cli.Tests;

/// <summary>Documents as a real server sent them, as people read them.</summary>
public partial class RenderingTests
{
    [Fact]
    public void Pools_show_holder_and_what_is_wrong() =>
        Canned.Shown(screen => PoolText.WriteAll(screen, Canned.Read("pools", ApiJson.Default.IReadOnlyListPoolOwnership))).ShouldBe(
        [
            "POOL   HOLDER   HEALTH  MULTIHOST  EPOCH  STATE",
            "tank1  a        ONLINE  on         3      ok",
            "tank2  nobody   -       on         4      unverified: c has not reported since",
            "tank3  a and b  ONLINE  off        2      CONFLICT: imported read-write on a and b at once",
        ]);

    [Fact]
    public void Two_pools_of_one_name_are_told_apart_by_their_guids()
    {
        var pools = Canned.Read("pools", ApiJson.Default.IReadOnlyListPoolOwnership);
        var twins = pools.Append(pools[0] with { Pool = new(42) }).ToList();
        Canned.Shown(screen => PoolText.WriteAll(screen, twins)).Count(line => line.Contains(" 42 ", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public void A_pool_in_conflict_shows_what_each_host_sees()
    {
        var lines = Canned.Shown(screen => PoolText.WriteOne(screen, Canned.Read("pool-in-conflict", ApiJson.Default.PoolOwnership)), width: 80);
        lines.ShouldContain("  holder     a and b");
        lines.ShouldContain("  state      CONFLICT: imported read-write on a and b at once");
        lines.Count(line => line.Contains("imported read-write  ONLINE", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Fact]
    public void A_dossier_shows_each_step_with_its_duration_and_what_the_whole_cost()
    {
        var lines = Canned.Shown(screen => DossierText.Write(screen, Canned.Read("halted-failover", ApiJson.Default.Dossier)));
        lines[0].ShouldStartWith("failover of tank1 from a to b: fo-");
        lines.ShouldContain(line => line.StartsWith("  state      HALTED: HolderStillActive: ", StringComparison.Ordinal));
        lines.ShouldContain(line => Step().IsMatch(line) && line.Contains("failed: ActiveElsewhere", StringComparison.Ordinal));
        lines[^1].ShouldBe("  12.1 s in all: 9.37 s waiting for a person, 1.75 s in ZFS commands, 0.93 s overhead");
    }

    [Fact]
    public void A_history_is_told_in_sentences_under_its_dates()
    {
        var lines = Canned.Shown(screen => new HistoryText(screen).Write(Canned.History()));
        lines[0].ShouldBe("2026-11-21, times in UTC");
        lines[1].ShouldContain("was first reported");
        lines.ShouldContain(line => line.Contains("switchover move-tank1-2026-11-20 to c asked for by alice, because: kernel update on a", StringComparison.Ordinal));
        lines.ShouldContain(line => line.Contains("COMPLETED in", StringComparison.Ordinal));
        lines.Length.ShouldBe(Canned.History().Count + 1);
    }

    [Fact]
    public void No_line_of_a_terminal_is_wider_than_it_unless_a_word_is()
    {
        var lines = Canned.Shown(screen => new HistoryText(screen).Write(Canned.History()), width: 80);
        lines.ShouldAllBe(line => line.Length <= 80 || line.TrimStart().IndexOf(' ') < 0);
        lines.Length.ShouldBeGreaterThan(Canned.History().Count + 1);
    }

    [Fact]
    public void Every_event_of_a_pool_has_a_sentence()
    {
        var types = typeof(PoolEvent).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(PoolEvent)) && !t.IsAbstract && t != typeof(UnknownEvent)).ToList();
        types.Count.ShouldBeGreaterThan(40);
        foreach (var type in types)
        {
            var alias = Capital().Replace(type.Name, m => (m.Index > 0 ? "_" : "") + m.Value.ToLowerInvariant());
            EventSentence.Of(Event(alias, "{}")).ShouldNotContain(alias, customMessage: type.Name);
        }
    }

    [Fact]
    public void An_event_that_we_do_not_know_is_shown_as_it_is_stored() =>
        EventSentence.Of(Event("pool_teleported", """{"Host":"a"}""")).ShouldBe("""pool_teleported: {"Host":"a"}""");

    [Theory]
    [InlineData("""{"Host":5,"Run":[],"Sight":"x","Failure":null}""")]
    [InlineData("[]")]
    [InlineData("null")]
    public void An_event_whose_members_are_not_what_they_should_be_does_not_end_the_history(string data) =>
        EventSentence.Of(Event("import_refused", data)).ShouldStartWith("import refused by ZFS");

    [Fact]
    public void The_stderr_of_zpool_cannot_command_the_terminal()
    {
        var data = JsonSerializer.Serialize(new { Host = "a", Failure = "Other", Run = new { Seconds = 1.0, Stderr = "cannot import '\u001b[2J\u001b[31mx': evil\nsecond line" } });
        var lines = Canned.Shown(screen => new HistoryText(screen).Write([Event("import_failed", data)]), width: 80);
        string.Concat(lines).ShouldNotContain('\u001b');
        string.Concat(lines).ShouldContain("\\u001b[2J");
    }

    [Fact]
    public void Alerts_say_since_when_and_whether_anybody_has_seen_them()
    {
        var lines = Canned.Shown(screen => AlertsVerb.Write(screen, Canned.Read("alerts", ApiJson.Default.IReadOnlyListAlert), open: false));
        lines.ShouldContain(line => line.StartsWith("CRITICAL tank3 is imported read-write on a and b at once", StringComparison.Ordinal));
        lines.ShouldContain(line => line.Contains("still so, not acknowledged", StringComparison.Ordinal));
        lines.ShouldContain(line => line.StartsWith("    TwoHolders-", StringComparison.Ordinal));
    }

    [Fact]
    public void Hosts_show_how_old_their_leases_are()
    {
        var hosts = Canned.Read("hosts", ApiJson.Default.IReadOnlyListHostState);
        var lines = Canned.Shown(screen => HostsVerb.Write(screen, hosts, hosts.Max(h => h.RenewedAt)!.Value));
        lines[0].ShouldBe("HOST  STATUS   LEASE                   HOSTID    AGENT  IN SESSION SINCE (UTC)");
        lines.ShouldContain(line => line.StartsWith("c     evicted  last renewed ", StringComparison.Ordinal));
    }

    [Fact]
    public void Dead_letters_say_why() =>
        Canned.Shown(screen => DeadLettersVerb.Write(screen, Canned.Read("dead-letters", ApiJson.Default.IReadOnlyListDeadLetter), bodies: false))
            .ShouldContain(line => line.EndsWith("  UnknownPool: no host has ever reported a pool named 'nowhere'", StringComparison.Ordinal));

    [Fact]
    public void One_dead_letter_is_shown_with_the_message_as_it_was() =>
        Canned.Shown(screen => DeadLettersVerb.WriteOne(screen, Canned.Read("dead-letters", ApiJson.Default.IReadOnlyListDeadLetter)[0])).ShouldBe(
        [
            "2026-11-21 14:46:03.869 UTC  UnknownPool: no host has ever reported a pool named 'nowhere'",
            "    row 31848fe7-4de2-4d05-a0ac-83a52ccef1c8 of queue server, tried 1 times",
            "    put on the queue 2026-11-21 14:46:03.594 UTC",
            "{",
            "  \"id\": \"x1\",",
            "  \"data\": {",
            "    \"by\": \"a\",",
            "    \"to\": \"b\",",
            "    \"pool\": \"nowhere\"",
            "  },",
            "  \"type\": \"zfsha.pool.switchover\",",
            "  \"source\": \"/x\",",
            "  \"specversion\": \"1.0\"",
            "}",
        ]);

    [Fact]
    public void Moves_are_listed_with_their_ends()
    {
        var lines = Canned.Shown(screen => DossierText.WriteAll(screen, Canned.Read("moves", ApiJson.Default.IReadOnlyListDossier)));
        lines[0].ShouldBe("STARTED (UTC)        POOL   FROM  TO  STATE      TOOK    ID");
        lines.ShouldContain(line => line.EndsWith("move-tank1-2026-11-20 (switchover)", StringComparison.Ordinal) && line.Contains("completed", StringComparison.Ordinal));
    }

    static HistoryEntry Event(string type, string data)
    {
        using var document = JsonDocument.Parse(data);
        return new(1, new(Guid.Empty), type, default, default, "a", null, null, false, null, null, null, null, document.RootElement.Clone());
    }

    [GeneratedRegex(@"^  import +b +\d\d:\d\d:\d\d\.\d{3}  1\.88 s  1\.28 s  ")]
    private static partial Regex Step();

    [GeneratedRegex("[A-Z]")]
    private static partial Regex Capital();
}
