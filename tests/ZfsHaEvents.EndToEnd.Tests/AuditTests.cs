using System.Text.Json;
using Shouldly;
using Xunit;

namespace ZfsHaEvents.EndToEnd.Tests;

/// <summary>Whether the judge would notice: each event and each line of the truth is left out or falsified in turn.</summary>
public sealed class AuditTests
{
    const string Pool = "4711";

    static readonly DateTimeOffset Begin = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>a exports by order; b is refused by ZFS, imports later and loses the pool to somebody's shell, as does c a read-only import; a has it last.</summary>
    static readonly TruthLine[] True =
    [
        Line(0, "a", "create", "rw"),
        Line(10, "a", "export", "rw"),
        Line(11, "b", "import-refused", "rw"),
        Line(15, "b", "import", "rw"),
        Line(30, "b", "export", "rw"),
        Line(31, "c", "import", "ro"),
        Line(40, "c", "export", "ro"),
        Line(41, "a", "import", "rw"),
    ];

    static readonly HistoryLine[] Told =
    [
        Seen(1, 0.1, "a", "ReadWrite"),
        Intent(2, 9.9, "a", "export", "m/Export/1"),
        Outcome(3, 10.02, "a", "export_succeeded", "m/Export/1", "Absent"),
        Intent(4, 10.9, "b", "import", "m/Import/1"),
        Outcome(5, 11.01, "b", "import_refused", "m/Import/1", "Absent"),
        Intent(6, 14.9, "b", "import", "n/Import/1"),
        Outcome(7, 15.1, "b", "import_succeeded", "n/Import/1", "ReadWrite"),
        Seen(8, 30.1, "b", "Absent"),
        Seen(9, 31.1, "c", "ReadOnly"),
        Seen(10, 40.1, "c", "Absent"),
        Seen(11, 41.1, "a", "ReadWrite"),
    ];

    [Fact]
    public void What_agrees_does_not_differ() => Differences(True, Told).ShouldBeEmpty();

    [Fact]
    public void No_event_can_be_missing()
    {
        foreach (var missing in Told) Differences(True, Told.Where(h => h != missing)).ShouldNotBeEmpty($"without {missing}");
    }

    [Fact]
    public void Nothing_that_really_happened_can_be_missing_from_the_log()
    {
        // zpool itself refuses most imports before the kernel is asked: not every refusal has a line.
        foreach (var missing in True.Where(l => l.Op != "import-refused")) Differences(True.Where(l => l != missing), Told).ShouldNotBeEmpty($"without {missing}");
    }

    [Fact]
    public void No_event_can_name_another_host_or_another_time()
    {
        foreach (var told in Told)
        {
            Differences(True, Instead(told, told with { Host = told.Host == "a" ? "b" : "a" })).ShouldNotBeEmpty($"{told} of another host");
            Differences(True, Instead(told, told with { ObservedAt = told.ObservedAt.AddHours(1) })).ShouldNotBeEmpty($"{told} an hour later");
        }
    }

    [Fact]
    public void No_event_can_have_seen_the_contrary()
    {
        foreach (var told in Told.Where(h => h.Presence is not null))
            Differences(True, Instead(told, told with { Data = Data(told.Order, told.RanZpool, told.Presence == "Absent" ? "ReadWrite" : "Absent") })).ShouldNotBeEmpty($"the contrary of {told}");
    }

    [Fact]
    public void A_refusal_cannot_be_told_as_a_success_nor_a_success_twice_nor_in_another_boot()
    {
        var refused = Told.Single(h => h.Type == "import_refused");
        Differences(True, Instead(refused, refused with { Type = "import_succeeded" })).Count.ShouldBe(2, "never was, and the refusal is untold");
        foreach (var success in Told.Where(h => h.Type.EndsWith("_succeeded", StringComparison.Ordinal)))
        {
            Differences(True, [.. Told, success with { Version = 99 }]).ShouldContain(d => d.StartsWith("99", StringComparison.Ordinal) && d.EndsWith("never was", StringComparison.Ordinal));
            Differences(True, Instead(success, success with { Boot = "another" })).ShouldNotBeEmpty();
        }
    }

    [Fact]
    public void A_success_without_a_command_needs_no_line_of_its_own_and_must_be_so_all_the_same()
    {
        var again = Outcome(12, 50, "a", "import_succeeded", "o/Import/1", "ReadWrite", ran: false);
        Differences(True, [.. Told, again]).ShouldBeEmpty();
        Differences(True, [.. Told, again with { Host = "b" }]).ShouldNotBeEmpty();
        var gone = Outcome(12, 50, "b", "export_succeeded", "o/Export/1", "Absent", ran: false);
        Differences(True, [.. Told, gone]).ShouldBeEmpty();
        Differences(True, [.. Told, gone with { Host = "a" }]).ShouldNotBeEmpty();
    }

    [Fact]
    public void What_is_refused_to_somebody_with_a_shell_need_not_be_told() =>
        Differences([.. True, Line(50, "c", "import-refused", "rw")], Told).ShouldBeEmpty();

    [Fact]
    public void A_refusal_need_not_be_told_when_the_agent_died_before_it_heard_of_it()
    {
        var untold = Told.Where(h => h.Type != "import_refused").ToList();
        Differences(True, untold, new Life("b", At(-10), At(11.5)), new Life("b", At(12), null)).ShouldBeEmpty();
        Differences(True, untold, new Life("b", At(-10), At(14.5)), new Life("b", At(14.6), null)).ShouldNotBeEmpty("it lived long enough to tell");
    }

    [Fact]
    public void What_ended_with_its_host_need_not_be_told_when_no_agent_lived_beside_it()
    {
        TruthLine[] crashed = [.. True[..4], Line(20, "b", "crash", null)];
        HistoryLine[] untold = [.. Told[..5]];
        Differences(crashed, untold, new Life("b", At(-10), At(14.5))).ShouldBeEmpty();
        Differences(crashed, untold, new Life("b", At(-10), At(15.5)), new Life("b", At(18), At(20))).ShouldBeEmpty("neither lived long enough");
        Differences(crashed, untold, new Life("b", At(-10), At(19.5))).ShouldNotBeEmpty();
        Differences([.. crashed, Line(25, "b", "boot", null)], untold, new Life("b", At(-10), At(19.5)), new Life("b", At(26), null)).ShouldNotBeEmpty("coming back excuses nothing");
    }

    [Fact]
    public void An_export_need_not_be_told_when_its_host_died_with_it()
    {
        TruthLine[] crashed = [.. True[..2], Line(11, "a", "crash", null)];
        HistoryLine[] untold = [.. Told[..2]];
        Differences(crashed, untold, new Life("a", At(-10), At(10.5))).ShouldBeEmpty();
        Differences(True[..2], untold).ShouldNotBeEmpty("the host lives");
    }

    static IReadOnlyList<string> Differences(IEnumerable<TruthLine> truth, IEnumerable<HistoryLine> history, params IReadOnlyList<Life> lives)
    {
        // Where nothing else is said, an agent lived all the time.
        var others = new[] { "a", "b", "c" }.Where(h => lives.All(l => l.Host != h)).Select(h => new Life(h, At(-10), null));
        return Audit.Differences(Truth.Of([.. truth]), [.. lives, .. others], Pool, [.. history], At(60));
    }

    static IEnumerable<HistoryLine> Instead(HistoryLine of, HistoryLine other) => Told.Select(h => h == of ? other : h);

    static DateTimeOffset At(double seconds) => Begin.AddSeconds(seconds);

    static TruthLine Line(double at, string host, string op, string? mode) => new(At(at), host, $"boot-{host}", op, mode is null ? null : Pool, mode);

    static HistoryLine Seen(int version, double at, string host, string presence) => Event(version, at, host, "pool_observed", Data(null, ran: false, presence));

    static HistoryLine Intent(int version, double at, string host, string verb, string order) => Event(version, at, host, $"{verb}_started", JsonSerializer.SerializeToElement(new { Order = order }));

    static HistoryLine Outcome(int version, double at, string host, string type, string order, string presence, bool ran = true) => Event(version, at, host, type, Data(order, ran, presence));

    static HistoryLine Event(int version, double at, string host, string type, JsonElement data) =>
        new(version, Guid.NewGuid(), type, At(at), At(at), host, $"boot-{host}", version, Late: false, Actor: null, Request: null, data);

    static JsonElement Data(string? order, bool ran, string presence) =>
        JsonSerializer.SerializeToElement(new { Order = order, Run = ran ? new { ExitCode = 0 } : null, Sight = new { Presence = presence, Health = "Online" } });
}
