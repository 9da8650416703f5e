using System.Text.Json.Nodes;
using Shouldly;
using Xunit;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Projections;

namespace ZfsHaEvents.Cli.Tests;

/// <summary><c>projections</c> and <c>activity</c>: what is typed, what is asked, what is shown.</summary>
public sealed class ProjectionsTests
{
    const string Stream = "pool-5764272812602266167";

    static ProjectionsState State => Canned.Read("projections", ApiJson.Default.ProjectionsState);

    static string Readers => JsonNode.Parse(Canned.Text("projections"))!["readers"]!.ToJsonString();

    [Fact]
    public void Readers_show_how_far_they_are_what_they_skip_and_what_holds_them_back() =>
        Canned.Shown(screen => ProjectionsText.Write(screen, State, " --server http://db1:7450")).ShouldBe(
        [
            "READER                EVENTS BEHIND  BEHIND FOR  STATE",
            "InlineViews:All       0              -           running",
            "PoolActivity:All      10000 or more  2 min 5 s   running; 1 stream parked",
            "PoolActivity:Rebuild  9020           1 h 1 min   paused by alice since 2026-11-21 14:46:01.107 UTC; makes the view anew: 41100 of 50120 (82 %)",
            "",
            "PoolActivity:All skips pool-5764272812602266167 from version 31 on, since 2026-11-21 14:43:00.107 UTC",
            "    pool_teleported: this version does not know events of the type 'pool_teleported' (version 31): install one that does, then replay the stream",
            "    when the cause is gone: zfsha projections replay PoolActivity:All pool-5764272812602266167 --server http://db1:7450",
            "",
            "No reader goes past the oldest of these transactions:",
            "  PID   AGE        APPLICATION  LOGIN  DATABASE  STATE                QUERY",
            "  4711  2 min 5 s  psql         bob    zfsha     idle in transaction  update t set x = 1",
        ]);

    [Fact]
    public void A_reader_that_no_server_runs_says_so()
    {
        var idle = State.Readers[0] with { Running = false };
        Canned.Shown(screen => ProjectionsText.Write(screen, new([idle], [], 0), ""))[1].ShouldBe("InlineViews:All  0              -           not running: no server has it");
        Canned.Shown(screen => ProjectionsText.Write(screen, new([], [], 0), "")).ShouldBe(["No reader has begun yet."]);
    }

    [Theory]
    [InlineData(0, 0, 100)]
    [InlineData(0, 10, 0)]
    [InlineData(999, 1000, 99)]
    [InlineData(1001, 1000, 100)]
    public void How_far_a_rebuild_is_goes_by_numbers_of_events(long reached, long last, int percent) =>
        ProjectionsText.Percent(State.Readers[2] with { LastSeqId = reached }, last).ShouldBe(percent);

    [Fact]
    public async Task Readers_are_listed_with_the_verb_list_as_without()
    {
        using var server = new CannedServer(_ => Canned.Text("projections"));

        var plain = await ZfshaProcess.RunAsync("projections", "--server", server.Address);
        var listed = await ZfshaProcess.RunAsync("projections", "list", "--server", server.Address);
        var json = await ZfshaProcess.RunAsync("projections", "--json", "--server", server.Address);

        plain.ShouldBe(listed);
        plain.Output.ShouldContain("10000 or more");
        JsonNode.DeepEquals(JsonNode.Parse(json.Output), JsonNode.Parse(Canned.Text("projections"))).ShouldBeTrue(json.Output);
        server.Asked.ShouldBe(["/projections", "/projections", "/projections"]);
    }

    [Theory]
    [InlineData("pauses", "PoolActivity stands still until zfsha projections resume", "pause", "PoolActivity")]
    [InlineData("resumptions", "PoolActivity goes on", "resume", "PoolActivity")]
    [InlineData("rebuilds", "PoolActivity is being made anew; zfsha projections", "rebuild", "PoolActivity")]
    [InlineData("replays", $"{Stream} is taken in by PoolActivity", "replay", "PoolActivity", Stream)]
    public async Task What_is_done_to_a_reader_is_asked_for_in_the_name_of_who_types(string asked, string said, params string[] words)
    {
        using var server = new CannedServer(_ => Readers);

        var (code, output, error) = await ZfshaProcess.RunAsync(["projections", .. words, "--by", "alice", "--server", server.Address]);
        (code, error).ShouldBe((ExitCodes.Done, ""));
        output.ShouldStartWith(said);
        (await ZfshaProcess.RunAsync(["projections", .. words, "--json", "--server", server.Address])).Output.ShouldStartWith("[{\"name\":\"InlineViews:All\"");

        var requests = server.Requests.ToList();
        requests[0].ShouldBe($"POST /projections/PoolActivity/{asked} {(words.Length > 2 ? $$"""{"by":"alice","stream":"{{words[2]}}"}""" : """{"by":"alice"}""")}");
        requests[1].ShouldMatch(@"\{""by"":""[^""]+@[^""]+""");
    }

    [Fact]
    public async Task What_the_server_says_no_to_is_a_refusal()
    {
        using var server = new CannedServer(_ => (409, """{"type":"RebuildRunning","detail":"PoolActivity is being made anew already"}"""));
        (await ZfshaProcess.RunAsync("projections", "rebuild", "PoolActivity", "--wait", "--server", server.Address))
            .ShouldBe((ExitCodes.Refused, "", "refused: RebuildRunning: PoolActivity is being made anew already"));
    }

    [Fact]
    public async Task Waiting_for_a_rebuild_tells_its_progress_beside_the_result_until_it_is_complete()
    {
        var (looks, rebuild) = (0, State.Readers[2] with { PausedAt = null, PausedBy = null, Running = true });
        string Document(params long[] reached) =>
            System.Text.Json.JsonSerializer.Serialize(new([State.Readers[0], .. reached.Select(r => rebuild with { LastSeqId = r })], [], 1000), ApiJson.Default.ProjectionsState);
        using var server = new CannedServer(path => path.EndsWith("/rebuilds", StringComparison.Ordinal) ? Readers : Interlocked.Increment(ref looks) switch
        {
            1 => Document(0),
            2 => Document(55),
            3 => Document(420),
            4 => Document(421),
            _ => Document(),
        });

        var (code, output, error) = await ZfshaProcess.RunAsync("projections", "rebuild", "PoolActivity:All", "--wait", "--server", server.Address);

        (code, output).ShouldBe((ExitCodes.Done, "PoolActivity:All was made anew"));
        error.Split('\n').ShouldBe(["PoolActivity:Rebuild: 0 of 1000 (0 %)", "PoolActivity:Rebuild: 420 of 1000 (42 %)"]);
    }

    [Fact]
    public async Task Waiting_for_a_rebuild_ends_in_the_time_given_and_says_that_it_goes_on()
    {
        using var server = new CannedServer(path => path.EndsWith("/rebuilds", StringComparison.Ordinal) ? Readers : Canned.Text("projections"));

        var (code, output, error) = await ZfshaProcess.RunAsync("projections", "rebuild", "PoolActivity", "--wait", "--timeout", "0", "--server", server.Address);

        (code, output).ShouldBe((ExitCodes.StillRunning, ""));
        error.ShouldContain("PoolActivity:Rebuild is paused by alice: zfsha projections resume PoolActivity:Rebuild --server ");
        error.ShouldContain("the rebuild of PoolActivity is not complete in the time given; see zfsha projections");
    }

    [Fact]
    public async Task The_numbers_of_every_pool_or_of_one_are_shown()
    {
        using var server = new CannedServer(path => path == "/activity" ? Canned.Text("activity") : JsonNode.Parse(Canned.Text("activity"))![0]!.ToJsonString());

        (await ZfshaProcess.RunAsync("activity", "--utc", "--server", server.Address)).Output.Split('\n').ShouldBe(
        [
            "POOL                  EVENTS  IMPORTS  EXPORTS  REFUSED  FAILED  SWITCHOVERS  FAILOVERS  ABORTED  HALTS  CONFLICTS  LAST MOVED (UTC)",
            "12614424547866524959  3       0        0        0        0       0            0          0        0      1          never",
            "tank1                 30      2        1        1        0       1            0          0        1      0          2026-11-21 14:39:55.770",
        ]);
        (await ZfshaProcess.RunAsync("activity", "tank1", "--utc", "--server", server.Address)).Output.Split('\n').ShouldBe(
        [
            "tank1  5764272812602266167",
            "  events     30, seen from 2026-11-21 14:39:41.900 to 2026-11-21 14:43:33.518 UTC",
            "  imports    2; exports 1; refused by ZFS 1; failed 0",
            "  moves      switchovers 1; failovers 0; aborted 0; halts 1",
            "  conflicts  0",
            "  last moved 2026-11-21 14:39:55.770 UTC",
            "  by host    a 9, b 8",
        ]);
        var json = await ZfshaProcess.RunAsync("activity", "--json", "--server", server.Address);
        JsonNode.Parse(json.Output)!.AsArray().Select(e => (long?)e!["activity"]!["events"]).ShouldBe([30, 3]);
        server.Asked.ShouldBe(["/activity", "/pools/tank1/activity", "/activity"]);
    }
}
