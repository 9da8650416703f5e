using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Commands;
using ZfsHaEvents.Zfs.Operations;
using ZfsHaEvents.Zfs.Spooling;

namespace ZfsHaEvents.Zfs.Tests;

/// <summary>The spool is bounded: what is refused when, and that nothing is refused in silence.</summary>
public sealed class SpoolLimitTests : IDisposable
{
    const int Block = 4096;

    readonly TestHost _host = new() { SpoolMebibytes = 1 };
    readonly HostEnvironment _small;
    readonly Spool _spool;

    public SpoolLimitTests()
    {
        _small = _host.Environment with { SpoolBytesMax = 20 * Block }; // 15 entries of what nobody types, 18 of what is typed.
        _spool = new(_small);
    }

    string Folder => Path.Join(_small.StateDirectory, "spool");

    [Fact]
    public void What_nobody_types_stops_at_three_quarters_what_is_typed_at_nine_tenths_and_outcomes_never()
    {
        FillUp("zfsha-agent").ShouldBe(15);
        FillUp("alice").ShouldBe(3);
        for (var i = 0; i < 5; i++) Reports().Append(Report("zfsha-agent", Ended()), endsOrder: true);

        var found = _spool.Look();
        (found.Entries, found.Bytes, found.BytesMax, found.IsFull).ShouldBe((23, 23 * Block, 20 * Block, true));
    }

    [Fact]
    public void An_entry_counts_as_much_as_it_takes_of_the_disk()
    {
        _spool.Append(new string('x', Block)); // And a little around it: two blocks.
        _spool.Look().Bytes.ShouldBe(2 * Block);
    }

    [Fact]
    public void What_is_refused_is_said_with_what_to_do_and_kept()
    {
        FillUp("zfsha-agent");
        var message = Should.Throw<HostException>(() => Reports().Append(Report("zfsha-agent", Seen()), endsOrder: false)).Message;
        message.ShouldStartWith($"The spool {Folder} is full: ");
        message.ShouldContain("what nobody typed stops at three quarters");
        message.ShouldContain("Start this host's agent");

        // Another process, later, with another kind.
        Should.Throw<HostException>(() => new SpooledReports(_small, new(_small), TimeProvider.System).Append(Report("zfsha-agent", Begun()), endsOrder: false));
        var refused = _spool.Look().Refused.ShouldHaveSingleItem();
        refused.Subject.ShouldBe(TestHost.Tank.ToString());
        refused.Kinds.ShouldBe(new Dictionary<string, long> { ["Observed"] = 2, ["ImportStarted"] = 1 }, ignoreOrder: true); // The first was what FillUp ended with.
        refused.Last.ShouldBeGreaterThan(refused.First);
    }

    [Fact]
    public void That_it_was_refused_is_told_once_as_soon_as_there_is_room_and_before_what_comes_after()
    {
        FillUp("zfsha-agent");
        var order = new OrderId("move-1/import/1");
        Should.Throw<HostException>(() => Reports().Append(Report("zfsha-agent", Begun()) with { Order = order }, endsOrder: false));
        _spool.ReadPending().Entries.Count.ShouldBe(15);

        _spool.Remove(_spool.ReadPending().Entries[0]); // By the agent, which has told it; nothing needs to be appended for it.
        Reports().Append(Report("alice", Seen()), endsOrder: false);

        var entries = _spool.ReadPending().Entries;
        entries.Count.ShouldBe(16);
        entries[14].Completes.ShouldBeNull();
        var report = (HostReport)BusMessage.Read(entries[14].Text).Message;
        (report.PoolId, report.Order, report.Host).ShouldBe((TestHost.Tank, null, _small.Name));
        var fact = report.Facts.ShouldHaveSingleItem().ShouldBeOfType<HostFact.OrderRefused>();
        fact.Reason.ShouldBe(OrderRefusal.SpoolFull);
        fact.Detail.ShouldContain("refused, and nothing begun by them: 1x ImportStarted, 1x Observed; last by zfsha-agent for move-1/import/1");
        _spool.Look().Refused.ShouldBeEmpty();
        foreach (var entry in entries) _spool.Remove(entry);
        _spool.ReadPending().Entries.ShouldBeEmpty();
    }

    [Fact]
    public async Task With_a_full_spool_no_import_is_begun_and_one_that_was_begun_tells_its_outcome()
    {
        FillUp("zfsha-agent");
        FillUp("alice");
        for (var i = 0; i < 3; i++) await Should.ThrowAsync<HostException>(() => ImportAsync("alice"));
        _spool.Look().Entries.ShouldBe(18); // The tries themselves do not fill it.
        _host.ZpoolCalls().ShouldNotContain(call => call.StartsWith("import"));

        _spool.Remove(_spool.ReadPending().Entries[0]); // Room for its beginning alone.
        var before = _spool.Look().Entries;
        (await ImportAsync("alice")).Failure.ShouldBe(ZpoolFailure.None);
        (_spool.Look().Entries - before).ShouldBeGreaterThanOrEqualTo(2);
        _spool.ReadPending().Entries[^1].Text.ShouldContain("import-ended");
    }

    [Fact]
    public void Looking_changes_nothing_and_tells_what_is_no_entry_what_was_put_aside_and_what_is_unfinished()
    {
        var empty = _spool.Look();
        (empty.Entries, empty.Oldest, empty.Bytes).ShouldBe((0, null, 0));
        Directory.Exists(Folder).ShouldBeFalse();

        _spool.Append("1");
        File.WriteAllText(Path.Join(Folder, "0000000000000000002.json"), "{\"Completes\":null,\"Te");
        _spool.ReadPending();
        _spool.Append("3");
        File.WriteAllText(Path.Join(Folder, "0000000000000000004.json"), "");
        File.WriteAllText(Path.Join(Folder, ".tmp-0000000000000000005.json"), "{\"Com");
        var before = Directory.GetFiles(Folder, "*", SearchOption.AllDirectories);

        var found = _spool.Look();

        Directory.GetFiles(Folder, "*", SearchOption.AllDirectories).ShouldBe(before, ignoreOrder: true);
        (found.Entries, found.Unfinished, found.IsFull).ShouldBe((2, 1, false));
        found.Unreadable.ShouldHaveSingleItem().ShouldStartWith($"{Path.Join(Folder, "0000000000000000004.json")} is no spool entry: ");
        found.PutAside.ShouldBe([Path.Join(Folder, "bad", "0000000000000000002.json")]);
        found.Oldest!.Value.ShouldBeInRange(DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("9999999")]
    [InlineData("much")]
    public async Task A_limit_that_is_none_is_refused(string limit)
    {
        var variables = string.Join(' ', _host.Variables().Select(variable => $"{variable.Name}='{variable.Value}'"));
        var result = await ChildProcess.RunAsync(
            new("/bin/sh", ["-c", $"export {variables} ZFSHA_SPOOL_LIMIT_MB={limit}; '{Environment.ProcessPath}' {OtherProcess.Verb} draw 1"], TimeSpan.FromSeconds(30)), Running.Token);
        result.Succeeded().ShouldBeFalse();
        result.Run.Stderr.ShouldContain($"ZFSHA_SPOOL_LIMIT_MB is '{limit}': expected a whole number of mebibytes");
    }

    [Fact]
    public async Task Writers_killed_at_any_moment_keep_their_order_and_lose_neither_an_entry_nor_a_refusal()
    {
        var random = new Random(20261122);
        var said = new Dictionary<int, List<string>>();
        for (var round = 0; round < 25; round++)
        {
            using OtherProcess one = OtherProcess.Start(_host, "report-for-ever"), other = OtherProcess.Start(_host, "report-for-ever");
            said[one.Id] = [await one.ReadLineAsync()];
            said[other.Id] = [await other.ReadLineAsync()];
            await Task.Delay(random.Next(0, 60), Running.Token);
            await Task.WhenAll(one.KillAsync(), other.KillAsync());
            said[one.Id].AddRange((await one.ReadToEndAsync()).Where(line => line.Contains(' ')));
            said[other.Id].AddRange((await other.ReadToEndAsync()).Where(line => line.Contains(' ')));
        }

        var spool = new Spool(_host.Environment with { SpoolBytesMax = 1024 * 1024 });
        var reading = spool.ReadPending(max: int.MaxValue);
        reading.Bad.ShouldBeEmpty();
        reading.Entries.Count.ShouldBe(192); // Three quarters of a mebibyte.
        var written = reading.Entries.Select(entry => ((HostFact.OrderRefused)((HostReport)BusMessage.Read(entry.Text).Message).Facts[0]).Detail.Split(' ')).ToLookup(words => int.Parse(words[0], null), words => int.Parse(words[1], null));
        foreach (var (process, lines) in said)
        {
            var serials = written[process].ToList();
            serials.ShouldBe(Enumerable.Range(0, serials.Count)); // In order, and none is missing in between.
            lines.Count(line => line.StartsWith("written")).ShouldBeLessThanOrEqualTo(serials.Count);
        }

        var refusals = said.Values.Sum(lines => lines.Count(line => line.StartsWith("refused")));
        refusals.ShouldBeGreaterThan(10);
        // A writer may have been killed between the record and saying so.
        spool.Look().Refused.ShouldHaveSingleItem().Kinds["OrderRefused"].ShouldBeInRange(refusals, refusals + said.Count);
    }

    public void Dispose() => _host.Dispose();

    SpooledReports Reports() => new(_small, _spool, TimeProvider.System);

    Task<OperationOutcome> ImportAsync(string actor) => new PoolOperations(_small, Reports(), TimeProvider.System)
        .ImportAsync(new(TestHost.Tank, null, [], new("a test", actor, TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(20))), Running.Token);

    /// <returns>How many went in.</returns>
    int FillUp(string actor)
    {
        for (var i = 0; ; i++)
        {
            try
            {
                Reports().Append(Report(actor, Seen()), endsOrder: false);
            }
            catch (HostException) // What was wanted.
            {
                return i;
            }
        }
    }

    HostReport Report(string actor, HostFact fact) => new(TestHost.Tank, new PoolName("tank1"), _small.Name, _small.ReadBootId(), null, actor, [fact]);

    static HostFact.Observed Seen() => new(1, default, PoolSight.Absent);

    static HostFact.ImportStarted Begun() => new(1, default, ["import"], null);

    static HostFact.ImportEnded Ended() => new(1, default, new(["zpool", "import"], 1, ZpoolFailure.Other, "", 0, Ended: true), PoolSight.Absent, ZpoolFailure.Other, 0);
}
