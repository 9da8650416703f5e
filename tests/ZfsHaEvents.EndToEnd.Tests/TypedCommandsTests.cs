using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Shouldly;
using Xunit;

namespace ZfsHaEvents.EndToEnd.Tests;

/// <summary>Every verb of <c>zfsha</c> that asks a server, typed against one: what is printed, how it ends, and what really happened.</summary>
public sealed partial class TypedCommandsTests
{
    const int Usage = 2, NoHolder = 3, Doubt = 4, Refused = 10, Aborted = 11, Halted = 12, StillRunning = 13, Unreachable = 69;

    static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Pools_hosts_and_policies_are_told_as_they_are()
    {
        await using var cluster = await FakeCluster.StartAsync(new(Pools: 2));
        (await cluster.DoneAsync("pools")).Lines.ShouldBe(
        [
            "POOL   HOLDER  HEALTH  MULTIHOST  EPOCH  STATE",
            "tank1  a       ONLINE  off        1      ok",
            "tank2  a       ONLINE  off        1      ok",
        ]);
        (await cluster.DoneAsync("pools", "--json")).Json.AsArray().Select(p => (string)p!["pool"]!).ShouldBe(cluster.Pools.Values, ignoreOrder: true);

        var pool = (await cluster.DoneAsync("pool", "tank1")).Lines;
        pool[0].ShouldBe($"tank1  {cluster.Pools["tank1"]}");
        pool.ShouldContain("  holder     a");
        pool.ShouldContain("  policy     fails over only when asked; fencing: a person confirms (manual); targets: none named");
        pool.ShouldContain(line => line.StartsWith("  a     imported read-write  ONLINE  ", StringComparison.Ordinal));
        ((string)(await cluster.DoneAsync("pool", cluster.Pools["tank2"], "--json")).Json["name"]!).ShouldBe("tank2");

        var hosts = (await cluster.DoneAsync("hosts")).Lines;
        hosts.Length.ShouldBe(1 + FakeCluster.Hosts.Length);
        foreach (var host in FakeCluster.Hosts) hosts.ShouldContain(line => Regex.IsMatch(line, $"^{host} +live +renewed (just now|[0-9]+ s ago) +0000a00[123] "));
        (await cluster.DoneAsync("hosts", "--json")).Json.AsArray().Select(h => (string)h!["host"]!["name"]!).Order().ShouldBe(FakeCluster.Hosts);

        (await cluster.DoneAsync("policy", "tank1")).Output.ShouldBe("tank1: fails over only when asked; fencing: a person confirms (manual); targets: none named");
        (await cluster.DoneAsync("policy", "tank1", "--automatic", "on", "--targets", "b,c", "--by", "alice")).Lines[^1]
            .ShouldEndWith("policy set by alice: automatic on, fencing manual, targets b, c");
        (await cluster.DoneAsync("policy", "tank1", "--automatic", "off", "--fencing", "mmp-alone")).Lines[^1].ShouldEndWith(": automatic off, fencing mmp alone, targets b, c");
        (await cluster.DoneAsync("policy", "tank1")).Output.ShouldBe("tank1: fails over only when asked; fencing: multihost alone (mmp-alone); targets: b, c");
        JsonNode.DeepEquals((await cluster.DoneAsync("policy", "tank1", "--json")).Json, (await cluster.PoolAsync("tank1"))["policy"]).ShouldBeTrue();
        (await cluster.HistoryAsync("tank1")).Count(h => h.Type == "policy_set").ShouldBe(2);
        (await cluster.HistoryAsync("tank2")).Count(h => h.Type == "policy_set").ShouldBe(0);

        (await cluster.DoneAsync("moves")).Output.ShouldBe("There was no switchover or failover yet.");
        (await cluster.DoneAsync("alerts")).Output.ShouldBe("No alert.");
        (await cluster.DoneAsync("dead-letters")).Output.ShouldNotBeEmpty();
        var nowhere = await cluster.TypeAsync("pool", "nowhere");
        (nowhere.ExitCode, nowhere.Output).ShouldBe((Refused, ""));
        nowhere.Error.ShouldStartWith("refused: UnknownPool: no host has ever reported a pool named 'nowhere'; ");
        (await cluster.TypeAsync("dossier")).ShouldBe(new(Refused, "", "refused: UnknownMove: there was no switchover or failover yet"));
        var away = await cluster.TypeAsync("pools", "--server", "http://127.0.0.1:1", "--json");
        (away.ExitCode, (string)away.ErrorJson["error"]!, (int)away.ErrorJson["exitCode"]!).ShouldBe((Unreachable, "unreachable", Unreachable));
        await cluster.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task A_switchover_is_told_step_by_step_and_found_again_in_moves_dossier_history_and_owner()
    {
        await using var cluster = await FakeCluster.StartAsync(new());
        var before = DateTimeOffset.UtcNow;

        var moved = await cluster.DoneAsync("switchover", "tank1", "--to", "b", "--id", "patch-day", "--reason", "kernel update", "--by", "alice");
        moved.Lines[0].ShouldBe("switchover of tank1 from a to b: patch-day");
        moved.Lines[1].ShouldMatch("^  export +on a +[0-9.]+ s  zpool [0-9.]+ s +done: exported$");
        moved.Lines[2].ShouldMatch("^  import +on b +[0-9.]+ s  zpool [0-9.]+ s +done: imported$");
        moved.Lines[3].ShouldBe("completed: b holds tank1");
        cluster.Truth().HoldersNow(cluster.Pools["tank1"]).ShouldBe(["b"]);

        // The same once more is the same; another is refused.
        (await cluster.DoneAsync("switchover", "tank1", "--to", "b", "--id", "patch-day", "--by", "alice")).Lines[3].ShouldBe("completed: b holds tank1");
        (await cluster.TypeAsync("switchover", "tank1", "--to", "b")).ShouldBe(new(Refused, "", "refused: AlreadyHeldByTarget: b has the pool imported already"));
        var refused = await cluster.TypeAsync("switchover", "tank1", "--to", "nobody", "--json", "--id", "to-nobody");
        (refused.ExitCode, refused.Output).ShouldBe((Refused, ""));
        ((string)refused.ErrorJson["error"]!, (string)refused.ErrorJson["reason"]!, (int)refused.ErrorJson["exitCode"]!).ShouldBe(("refused", "UnknownHost", Refused));
        (await cluster.TypeAsync("failover", "tank1", "--to", "c")).Error.ShouldStartWith("refused: HolderAlive: ");
        (await cluster.TypeAsync("switchover", "tank1")).ExitCode.ShouldBe(Usage);

        var json = (await cluster.DoneAsync("switchover", "tank1", "--to", "c", "--id", "as-json", "--json")).Json;
        ((string)json["dossier"]!["state"]!, (string)json["dossier"]!["to"]!).ShouldBe(("Completed", "c"));
        json["events"]!.AsArray().Select(e => (string)e!["type"]!).ShouldContain("switchover_completed");
        (await cluster.DoneAsync("switchover", "tank1", "--to", "a", "--id", "not-waited-for", "--no-wait")).Output.ShouldBe("switchover not-waited-for has begun; see zfsha dossier not-waited-for");
        (await cluster.MoveEndedAsync("not-waited-for", Limit))["state"]!.ToString().ShouldBe("Completed");
        cluster.Truth().HoldersNow(cluster.Pools["tank1"]).ShouldBe(["a"]);
        cluster.Truth().Lines.Where(l => l.Op == "import").Select(l => l.Host).ShouldBe(["b", "c", "a"]);

        await MovesAndDossiersAsync(cluster);
        await HistoryAsync(cluster, before);
        await OwnerAsync(cluster, before);
        await cluster.ShouldBeSoundAsync();
    }

    static async Task MovesAndDossiersAsync(FakeCluster cluster)
    {
        var moves = (await cluster.DoneAsync("moves", "--pool", "tank1")).Lines;
        moves[0].ShouldMatch(@"^STARTED \(.+\) +POOL +FROM +TO +STATE +TOOK +ID$");
        moves[1..].Select(line => MoveLine().Replace(line, "")).ShouldBe(["tank1 c a completed not-waited-for (switchover)", "tank1 b c completed as-json (switchover)", "tank1 a b completed patch-day (switchover)"]);
        (await cluster.DoneAsync("moves", "--json")).Json.AsArray().Select(m => (string)m!["id"]!).ShouldBe(["not-waited-for", "as-json", "patch-day"]);

        (await cluster.DoneAsync("dossier")).Lines[0].ShouldBe("switchover of tank1 from c to a: not-waited-for");
        var dossier = (await cluster.DoneAsync("dossier", "patch-day", "--events")).Lines;
        dossier[0].ShouldBe("switchover of tank1 from a to b: patch-day");
        dossier.ShouldContain("  state      completed: b holds the pool in epoch 2");
        dossier.ShouldContain("  asked by   alice, because: kernel update");
        dossier.ShouldContain(line => Regex.IsMatch(line, "^  export +a +[0-9:.]+ +[0-9.]+ s +[0-9.]+ s +done: exported$"));
        dossier.ShouldContain(line => line.EndsWith("switchover patch-day to b asked for by alice, because: kernel update", StringComparison.Ordinal));
        (await cluster.TypeAsync("dossier", "to-nobody")).ExitCode.ShouldBe(Refused);
    }

    static async Task HistoryAsync(FakeCluster cluster, DateTimeOffset before)
    {
        var all = await cluster.HistoryAsync("tank1");
        async Task<IReadOnlyList<long>> VersionsAsync(params string[] words) =>
            [.. (await cluster.DoneAsync(["history", "tank1", "--json", .. words])).Json.AsArray().Select(e => (long)e!["version"]!)];
        IReadOnlyList<long> Where(Func<HistoryLine, bool> wanted) => [.. all.Where(wanted).Select(h => h.Version)];

        (await VersionsAsync()).ShouldBe(Where(_ => true));
        (await VersionsAsync("--type", "import_succeeded", "--type", "export_succeeded")).ShouldBe(Where(h => h.Type is "import_succeeded" or "export_succeeded"));
        (await VersionsAsync("--host", "b")).ShouldBe(Where(h => h.Host == "b"));
        (await VersionsAsync("--request", "patch-day")).ShouldBe(Where(h => h.Request == "patch-day"));
        (await VersionsAsync("--host", "b", "--request", "patch-day", "--type", "import_succeeded")).ShouldHaveSingleItem();
        var middle = all[all.Count / 2].ObservedAt;
        (await VersionsAsync("--from", Iso(middle))).ShouldBe(Where(h => h.ObservedAt >= middle));
        (await VersionsAsync("--to", Iso(middle))).ShouldBe(Where(h => h.ObservedAt <= middle));
        (await VersionsAsync("--limit", "3")).ShouldBe([.. all.TakeLast(3).Select(h => h.Version)]);
        (await VersionsAsync("--limit", "3", "--newest-first")).ShouldBe([.. all.TakeLast(3).Select(h => h.Version).Reverse()]);
        (await VersionsAsync("--from", Iso(before), "--limit", "2")).ShouldBe([.. all.Where(h => h.ObservedAt >= before).Take(2).Select(h => h.Version)]);

        var lines = (await cluster.DoneAsync("history", "tank1", "--host", "b", "--request", "patch-day", "--utc")).Lines;
        lines[0].ShouldMatch("^20[0-9]{2}-[0-9]{2}-[0-9]{2}, times in UTC$");
        lines.ShouldContain(line => Regex.IsMatch(line, "^ +[0-9]+  [0-9:.]{12}  b     imported in [0-9.]+ s: imported read-write, ONLINE, multihost off$"));
        lines.Length.ShouldBe(1 + all.Count(h => h is { Host: "b", Request: "patch-day" }));
        (await cluster.DoneAsync("history", "tank1", "--type", "pool_halted")).Output.ShouldBe("No such event.");
        (await cluster.TypeAsync("history", "tank1", "--type", "pool_teleported")).ExitCode.ShouldBe(Usage);
    }

    static async Task OwnerAsync(FakeCluster cluster, DateTimeOffset before)
    {
        (await cluster.DoneAsync("owner", "tank1")).Lines[0].ShouldBe("tank1 is held by a (epoch 4)");
        var imports = cluster.Truth().Lines.Where(l => l.Op == "import").ToList();
        (await cluster.DoneAsync("owner", "tank1", "--at", Iso(before))).Lines[0].ShouldStartWith("tank1 is held by a");
        foreach (var (import, next, epoch) in new[] { (imports[0], imports[1], 2), (imports[1], imports[2], 3) })
        {
            // A host sees what it did a moment later; the next export is a moment before the next import.
            var seen = (await cluster.HistoryAsync("tank1")).First(h => h.Type == "import_succeeded" && h.ObservedAt >= import.At).ObservedAt;
            seen.ShouldBeLessThan(next.At);
            (await cluster.DoneAsync("owner", "tank1", "--at", Iso(seen))).Lines[0].ShouldBe($"tank1 is held by {import.Host} (epoch {epoch})");
            var between = await cluster.TypeAsync("owner", "tank1", "--at", Iso(next.At), "--json");
            (between.ExitCode, (string)between.Json["verdict"]!).ShouldBe((NoHolder, "nobody"));
            ((string)between.Json["claimant"]!).ShouldBe(next.Host);
        }

        var unknown = await cluster.TypeAsync("owner", "tank1", "--at", "-1d");
        (unknown.ExitCode, unknown.Output).ShouldBe((NoHolder, "tank1 was not known yet (epoch 0)"));
    }

    [Fact]
    public async Task A_follower_of_a_history_goes_on_when_the_server_is_back()
    {
        await using var cluster = await FakeCluster.StartAsync(new());
        await cluster.LeaveDatabaseAloneAsync();
        using var people = cluster.StartTyping("follow.log", "history", "tank1", "--follow", "--limit", "2");
        using var programs = cluster.StartTyping("follow-json.log", "history", "tank1", "--follow", "--json", "--limit", "1", "--type", "pool_discovered", "--type", "switchover_completed");
        await FakeCluster.EventuallyAsync("both have begun", () => Task.FromResult(Lines(people).Length == 3 && Lines(programs).Length == 1), Limit);

        cluster.Server.KillHard();
        await FakeCluster.EventuallyAsync("both say that they wait", () => Task.FromResult(new[] { people, programs }.All(f => File.ReadAllText(f.Log + ".err").Contains("waiting for it", StringComparison.Ordinal))), Limit, () => $"logs in {cluster.Directory}");
        cluster.StartServer();
        await cluster.ServerReadyAsync();
        (await cluster.DoneAsync("switchover", "tank1", "--to", "b", "--id", "after-the-restart")).Lines[^2].ShouldBe("completed: b holds tank1");
        var last = (await cluster.HistoryAsync("tank1"))[^1].Version;
        await FakeCluster.EventuallyAsync("all of it is shown", () => Task.FromResult(Lines(people).Any(line => line.TrimStart().StartsWith($"{last} ", StringComparison.Ordinal))), Limit, () => $"logs in {cluster.Directory}");
        await FakeCluster.EventuallyAsync("the end is told to programs", () => Task.FromResult(Lines(programs).Length == 2), Limit);

        people.Stop(); // As Ctrl-C.
        programs.Stop();
        var shown = Lines(people).Select(VersionOf).OfType<long>().ToList();
        shown.ShouldBe(Enumerable.Range(0, shown.Count).Select(i => shown[0] + i), "nothing is missing, nothing is told twice");
        Lines(people).ShouldContain(line => line.Contains("switchover after-the-restart COMPLETED in ", StringComparison.Ordinal));
        File.ReadAllText(people.Log + ".err").ShouldContain("the server answers again; nothing was missed");
        ((string)JsonNode.Parse(Lines(programs)[^1])!["request"]!).ShouldBe("after-the-restart");
        await cluster.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task A_message_in_a_file_is_put_on_the_bus_and_moves_a_pool()
    {
        await using var cluster = await FakeCluster.StartAsync(new());
        var file = Path.Combine(cluster.Directory, "move.json");
        await File.WriteAllTextAsync(file, Message("from-a-file", "tank1", "b"), TestContext.Current.CancellationToken);

        (await cluster.DoneAsync("bus", "send", file)).ShouldBe(new(0, "from-a-file", ""));
        (await cluster.MoveEndedAsync("from-a-file", Limit))["state"]!.ToString().ShouldBe("Completed");
        cluster.Truth().HoldersNow(cluster.Pools["tank1"]).ShouldBe(["b"]);
        var again = (await cluster.DoneAsync("bus", "send", file, "--json")).Json; // One message, however often it is put.
        ((string)again["id"]!, (string)again["type"]!, (string)again["follow"]!).ShouldBe(("from-a-file", "zfsha.pool.switchover", "zfsha history tank1 --request from-a-file"));

        await File.WriteAllTextAsync(file, Message("to-nowhere", "nowhere", "b"), TestContext.Current.CancellationToken);
        await cluster.DoneAsync("bus", "send", file, "--database", cluster.ConnectionString);
        await FakeCluster.EventuallyAsync("it is a dead letter", async () => (await cluster.GetAsync("/dead-letters")).AsArray().Count == 1, Limit);
        (await cluster.DoneAsync("dead-letters")).Lines[0].ShouldContain("  UnknownPool: no host has ever reported a pool named 'nowhere'; ");

        await File.WriteAllTextAsync(file, """{"specversion": "1.0",}""", TestContext.Current.CancellationToken);
        var broken = await cluster.TypeAsync("bus", "send", file);
        (broken.ExitCode, broken.Output).ShouldBe((Usage, ""));
        broken.Error.ShouldStartWith("zfsha: not sent: not JSON: ");
        await cluster.QuietAsync();
        (await cluster.HistoryAsync("tank1")).Count(h => h.Type == "switchover_requested").ShouldBe(1);
        await cluster.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task A_lost_hosts_pool_is_taken_over_when_somebody_vouches_for_the_host()
    {
        await using var cluster = await FakeCluster.StartAsync(new(Multihost: "on", TimeScale: 0.08));
        cluster.Crash("a");
        await FakeCluster.EventuallyAsync("a is lost", async () => (await cluster.HostsAsync()).Single(h => h.Name == "a").Status == "Lost", Limit);
        (await cluster.TypeAsync("switchover", "tank1", "--to", "b")).Error.ShouldStartWith("refused: HolderNotAlive: ");
        var doubt = await cluster.TypeAsync("owner", "tank1");
        (doubt.ExitCode, doubt.Output.Contains("in doubt: a may hold it")).ShouldBe((Doubt, true), doubt.Output);

        var waiting = await cluster.TypeAsync("failover", "tank1", "--to", "b", "--id", "called-off", "--timeout", "1");
        (waiting.ExitCode, waiting.Error).ShouldBe((StillRunning, "called-off did not end in the time given; see zfsha dossier called-off"));
        waiting.Lines.ShouldContain("  waits for a person: make sure that a cannot write to the disks, then");
        (await cluster.DoneAsync("alerts", "--open")).Lines.ShouldContain("CRITICAL failover called-off of tank1 waits until somebody confirms that a cannot write to its disks");
        (await cluster.DoneAsync("call-off", "called-off", "--reason", "a may come back", "--by", "alice")).Lines.ShouldContain(line => line.EndsWith("alice calls off called-off, because: a may come back", StringComparison.Ordinal));
        (await cluster.TypeAsync("call-off", "called-off", "--reason", "twice")).Error.ShouldStartWith("refused: NothingPending: ");
        (await cluster.DoneAsync("dossier", "called-off")).Lines[1].ShouldStartWith("  state      aborted: CalledOff: alice: a may come back");
        (await cluster.TypeAsync("failover", "tank1", "--to", "b", "--id", "called-off")).ExitCode.ShouldBe(Aborted);
        cluster.Truth().Lines.Count(l => l.Op == "import").ShouldBe(0);

        (await cluster.TypeAsync("failover", "tank1", "--to", "b", "--id", "vouched-for", "--timeout", "0")).ExitCode.ShouldBe(StillRunning);
        (await cluster.TypeAsync("confirm-fencing", "tank1", "c", "--statement", "pulled the plug")).Error.ShouldStartWith("refused: HostAlive: ");
        (await cluster.DoneAsync("confirm-fencing", "tank1", "a", "--statement", "pulled the plug", "--by", "alice")).Lines
            .ShouldContain(line => line.EndsWith("alice vouches that a cannot write to the disks: pulled the plug", StringComparison.Ordinal));
        (await cluster.MoveEndedAsync("vouched-for", Limit))["state"]!.ToString().ShouldBe("Completed");

        cluster.Truth().HoldersNow(cluster.Pools["tank1"]).ShouldBe(["b"]);
        (await cluster.DoneAsync("owner", "tank1")).Lines[0].ShouldBe("tank1 is held by b (epoch 2)");
        (await cluster.DoneAsync("dossier", "vouched-for")).Lines.ShouldContain(line => line.StartsWith("  fenced by  event ", StringComparison.Ordinal));
        var lost = (await cluster.AlertsAsync("HostLost")).ShouldHaveSingleItem();
        (await cluster.TypeAsync("alerts", "ack", (string)lost["id"]!, "--comment", "seen")).Error.ShouldStartWith("refused: ClearsByItself: ");
        (await cluster.DoneAsync("hosts")).Lines.ShouldContain(line => line.StartsWith("a     evicted  last renewed ", StringComparison.Ordinal));
        await cluster.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task A_wrong_word_halts_the_failover_until_somebody_has_looked()
    {
        await using var cluster = await FakeCluster.StartAsync(new(Multihost: "on", TimeScale: 0.08));
        cluster.KillAgent("a"); // Its kernel lives, and holds the pool.
        await FakeCluster.EventuallyAsync("a is lost", async () => (await cluster.HostsAsync()).Single(h => h.Name == "a").Status == "Lost", Limit);

        (await cluster.TypeAsync("failover", "tank1", "--to", "b", "--fenced", "a")).ExitCode.ShouldBe(Usage);
        (await cluster.TypeAsync("failover", "tank1", "--to", "b", "--fenced", "c", "--statement", "c is off")).Error.ShouldStartWith("refused: NotTheHolder: the pool is to be taken over from a, not from c: ");
        var halted = await cluster.TypeAsync("failover", "tank1", "--to", "b", "--id", "wrong", "--fenced", "a", "--statement", "I believe so", "--by", "alice");
        halted.ExitCode.ShouldBe(Halted, $"{halted.Output} {halted.Error}");
        halted.Lines.ShouldContain(line => line.StartsWith("HALTED: HolderStillActive: ", StringComparison.Ordinal));
        halted.Lines[^1].ShouldStartWith("  It needs a person: look at the pool on every host, then zfsha acknowledge ");
        cluster.Truth().HoldersNow(cluster.Pools["tank1"]).ShouldBe(["a"]);
        (await cluster.TypeAsync("failover", "tank1", "--to", "c")).Error.ShouldStartWith("refused: HaltNotAcknowledged: ");

        var alert = (string)(await cluster.AlertsAsync("MoveHalted")).ShouldHaveSingleItem()["id"]!;
        (await cluster.DoneAsync("alerts")).Lines.ShouldContain($"    {alert}");
        (await cluster.DoneAsync("alerts", "ack", alert, "--comment", "on it", "--by", "bob")).Lines[^1].ShouldEndWith($"alert {alert} acknowledged by bob: on it");
        (await cluster.DoneAsync("alerts", "--open")).Output.ShouldNotContain(alert);
        (await cluster.DoneAsync("alerts")).Lines.ShouldContain(line => line.EndsWith("still so, acknowledged by bob: on it", StringComparison.Ordinal));
        (await cluster.TypeAsync("alerts", "ack", "MoveHalted-of-no-pool", "--comment", "x")).Error.ShouldStartWith("refused: UnknownAlert: ");

        await DeadLetterAsync(cluster);
        await RecordedDocumentsAreLikeTodaysAsync(cluster);
        var letter = (string)(await cluster.GetAsync("/dead-letters"))[0]!["id"]!;
        (await cluster.DoneAsync("dead-letters", "show", letter)).Lines.ShouldContain("    \"pool\": \"nowhere\"");
        (await cluster.DoneAsync("dead-letters", "replay", letter)).Output.ShouldBe($"replayed: {letter} of queue server");
        await FakeCluster.EventuallyAsync("it is a dead letter again", async () => (await cluster.GetAsync("/dead-letters")).AsArray().Count == 1, Limit);
        (await cluster.DoneAsync("dead-letters", "discard", letter, "--reason", "a test's")).Output.ShouldBe($"discarded: {letter} of queue server");
        (await cluster.TypeAsync("dead-letters", "replay", letter)).Error.ShouldStartWith("refused: UnknownDeadLetter: ");
        (await cluster.DoneAsync("dead-letters", "list")).Output.ShouldBe("No message was given up on.");

        (await cluster.DoneAsync("projections", "rebuild", "PoolActivity", "--wait")).Output.ShouldBe("PoolActivity was made anew");
        (await cluster.DoneAsync("activity", "tank1")).Lines.ShouldContain("  moves      switchovers 0; failovers 0; aborted 0; halts 1");
        (await cluster.DoneAsync("activity")).Lines[0].ShouldStartWith("POOL ");
        (await cluster.DoneAsync("projections", "pause", "PoolActivity", "--by", "bob")).Output.ShouldBe("PoolActivity stands still until zfsha projections resume");
        (await cluster.DoneAsync("projections")).Lines.ShouldContain(line => line.StartsWith("PoolActivity:All ", StringComparison.Ordinal) && line.Contains("paused by bob since ", StringComparison.Ordinal));
        (await cluster.DoneAsync("projections", "resume", "PoolActivity")).Output.ShouldBe("PoolActivity goes on");
        (await cluster.DoneAsync("projections")).Output.ShouldNotContain("paused");
        (await cluster.TypeAsync("projections", "replay", "PoolActivity", "pool-1")).Error.ShouldStartWith("refused: NotParked: ");
        (await cluster.TypeAsync("projections", "pause", "Nothing")).Error.ShouldStartWith("refused: UnknownReader: ");
        (await cluster.TypeAsync("projections", "rebuild", "InlineViews")).Error.ShouldStartWith("refused: UnknownProjection: ");

        cluster.StartAgent("a");
        await cluster.EverybodyInSessionAsync();
        (await cluster.DoneAsync("acknowledge", "tank1", "--comment", "looked: a has it", "--by", "bob")).Lines.ShouldContain(line => line.Contains("halt acknowledged by bob: looked: a has it", StringComparison.Ordinal));
        (await cluster.TypeAsync("acknowledge", "tank1", "--comment", "twice")).Error.ShouldStartWith("refused: NothingPending: ");
        (await cluster.DoneAsync("alerts")).Lines.ShouldContain(line => line.Contains("over since ", StringComparison.Ordinal) && line.EndsWith(", acknowledged by bob: on it", StringComparison.Ordinal));
        await cluster.DoneAsync("switchover", "tank1", "--to", "c");
        cluster.Truth().HoldersNow(cluster.Pools["tank1"]).ShouldBe(["c"]);
        await cluster.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task A_typed_import_is_permitted_refused_or_told_later_as_the_server_and_the_agent_are_there()
    {
        await using var cluster = await FakeCluster.StartAsync(new());
        var pool = cluster.Pools["tank1"];

        var refused = await cluster.TypeOnAsync("b", "import", "tank1");
        refused.ShouldBe(new(Refused, "", $"refused: HeldElsewhere: a has tank1 imported\nTo move it here: zfsha switchover {pool} --to b"));
        await FakeCluster.EventuallyAsync("the refusal is in the history", async () => (await cluster.HistoryAsync("tank1")).Any(h => h.Type == "order_refused"), Limit);
        var told = (await cluster.HistoryAsync("tank1")).Single(h => h.Type == "order_refused");
        (told.Host, told.Data.GetProperty("Reason").GetString(), told.Data.GetProperty("Detail").GetString()).ShouldBe(("b", "NotPermitted", "HeldElsewhere: a has tank1 imported"));
        told.Actor.ShouldNotBeNull();
        (await cluster.DoneAsync("history", "tank1", "--type", "order_refused")).Lines[^1].ShouldEndWith($"REFUSED import by {told.Actor}: HeldElsewhere: a has tank1 imported");
        cluster.Truth().Lines.Count(l => l.Op is "import" or "import-refused").ShouldBe(0);

        (await cluster.TypeOnAsync("a", "export", "tank1", "--reason", "patch day")).Output.ShouldStartWith("tank1 exported on a in ");
        await FakeCluster.EventuallyAsync("nobody has it", async () => (await cluster.TypeAsync("owner", "tank1")).ExitCode == NoHolder, Limit);
        var imported = await cluster.TypeOnAsync("b", "import", "tank1");
        imported.ExitCode.ShouldBe(0, imported.Error);
        imported.Output.ShouldMatch(@"^tank1 imported on b in [0-9.]+ s: imported read-write, ONLINE$");
        imported.Error.ShouldBeEmpty();
        cluster.Truth().HoldersNow(pool).ShouldBe(["b"]);
        await FakeCluster.EventuallyAsync("it is told", async () => (string?)(await cluster.PoolAsync("tank1"))["holder"] == "b", Limit);
        (await cluster.TypeOnAsync("b", "import", "tank1")).Output.ShouldBe("tank1 was imported on b already; nothing was run");

        // No agent there: done all the same, and told when it is back.
        (await cluster.TypeOnAsync("b", "export", "tank1")).ExitCode.ShouldBe(0);
        await FakeCluster.EventuallyAsync("nobody has it", async () => (await cluster.TypeAsync("owner", "tank1")).ExitCode == NoHolder, Limit);
        cluster.KillAgent("c");
        var alone = await cluster.TypeOnAsync("c", "import", "tank1", "--json");
        alone.ExitCode.ShouldBe(0, alone.Error);
        ((string)alone.Json["failure"]!, (string)alone.Json["sight"]!["presence"]!).ShouldBe(("None", "ReadWrite"));
        cluster.Truth().HoldersNow(pool).ShouldBe(["c"]);
        (await cluster.HistoryAsync("tank1")).ShouldNotContain(h => h.Host == "c" && h.Type == "import_succeeded");
        cluster.StartAgent("c");
        await FakeCluster.EventuallyAsync("it is told now", async () => (await cluster.HistoryAsync("tank1")).Any(h => h is { Host: "c", Type: "import_succeeded" }), Limit);
        await cluster.EverybodyInSessionAsync();
        (await cluster.DoneAsync("owner", "tank1")).Lines[0].ShouldStartWith("tank1 is held by c");
        (await cluster.GetAsync("/alerts")).AsArray().Select(a => (string)a!["kind"]!).ShouldNotContain("ImportNotOrdered", "a recorded command did it");
        await cluster.ShouldBeSoundAsync();
    }

    static async Task DeadLetterAsync(FakeCluster cluster)
    {
        await cluster.PutAsync(Message("lost", "nowhere", "b"));
        await FakeCluster.EventuallyAsync("it is a dead letter", async () => (await cluster.GetAsync("/dead-letters")).AsArray().Count == 1, Limit);
    }

    /// <summary>What <c>Cli.Tests</c> renders was recorded by hand; its members must be today's.</summary>
    static async Task RecordedDocumentsAreLikeTodaysAsync(FakeCluster cluster)
    {
        (string Recorded, string Path)[] documents =
        [
            ("pools", "/pools"), ("pool-in-conflict", "/pools/tank1"), ("owner", "/pools/tank1/owner"), ("history", "/pools/tank1/history?limit=1000"), ("moves", "/moves"),
            ("halted-failover", "/moves/wrong"), ("hosts", "/hosts"), ("alerts", "/alerts"), ("dead-letters", "/dead-letters"),
            ("projections", "/projections"), ("activity", "/activity"),
        ];
        foreach (var (recorded, path) in documents)
        {
            var (then, now) = (Members(JsonNode.Parse(await File.ReadAllTextAsync(Built.Recorded(recorded)))!), Members(await cluster.GetAsync(path)));
            now.ShouldContainKey("");
            foreach (var (place, members) in now.Where(m => then.ContainsKey(m.Key))) then[place].ShouldBe(members, $"{recorded}.json, {place}");
        }
    }

    /// <summary>The names of the members of every object in the document, by its place; of an event, also by its type. Those of <c>byHost</c> are hosts.</summary>
    static SortedDictionary<string, string> Members(JsonNode document)
    {
        var found = new SortedDictionary<string, string>();
        void Visit(JsonNode? node, string place)
        {
            if (node is JsonArray items) foreach (var item in items) Visit(item, place);
            if (node is not JsonObject fields) return;
            found[place] = string.Join(' ', fields.Select(f => f.Key).Order(StringComparer.Ordinal));
            foreach (var (name, value) in fields.Where(f => f.Key != "byHost")) Visit(value, name == "data" ? $"{place}/{fields["type"]}" : $"{place}/{name}");
        }

        Visit(document, "");
        return found;
    }

    static string Message(string id, string pool, string to) =>
        JsonSerializer.Serialize(new { specversion = "1.0", id, source = "/test", type = "zfsha.pool.switchover", subject = pool, data = new { pool, to, by = "test" } });

    static string Iso(DateTimeOffset at) => at.ToString("O").Replace("+00:00", "Z", StringComparison.Ordinal);

    static string[] Lines(Running process) => File.Exists(process.Log) ? File.ReadAllLines(process.Log) : [];

    static long? VersionOf(string line) => Regex.Match(line, "^ *([0-9]+)  [0-9:.]{12}  ") is { Success: true } found ? long.Parse(found.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture) : null;

    /// <summary>The time at the beginning of a line of <c>moves</c>, the duration in it, and all but one of the spaces between columns.</summary>
    [GeneratedRegex(@"^[0-9-]+ [0-9:]+ +|[0-9.]+ s +| +(?= )")]
    private static partial Regex MoveLine();
}
