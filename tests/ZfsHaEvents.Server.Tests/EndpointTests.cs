using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Server.Tests;

/// <summary>HTTP against the real server. Two hosts are in session; every test has a pool of its own.</summary>
public sealed class EndpointTests(EndpointTests.OneServer one) : IClassFixture<EndpointTests.OneServer>, IAsyncLifetime
{
    readonly string _name = $"tank{World.NewPool()}";
    readonly PoolGuid _pool = World.NewPool();

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    ServerProcess Server => one.Server;

    public async ValueTask InitializeAsync() => await Server.TellAsync(World.Saw("a", _pool, _name));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    async Task<IReadOnlyList<JsonNode>> HistoryAsync(string query = "") => [.. (await Server.GetAsync($"/pools/{_pool}/history?limit=1000{query}")).Body.AsArray().Select(e => e!)];

    static void ShouldBeProblem((HttpStatusCode Status, JsonNode Body) answer, HttpStatusCode status, string type, string detail)
    {
        answer.Status.ShouldBe(status, answer.Body.ToString());
        ((string?)answer.Body["type"]).ShouldBe(type);
        ((int?)answer.Body["status"]).ShouldBe((int)status);
        ((string?)answer.Body["detail"]).ShouldNotBeNull().ShouldContain(detail);
    }

    async Task<(HttpStatusCode Status, JsonNode Body)> SendAsync(HttpMethod method, string path, string body, string contentType = "application/json")
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = content };
        return await ServerProcess.AnswerAsync(await Server.Http.SendAsync(request, Cancellation));
    }

    // ---- reading -----------------------------------------------------------------------------------------------------

    [Fact]
    public async Task A_pool_can_be_asked_for_by_name_and_by_GUID()
    {
        foreach (var reference in (string[])[_name, _pool.ToString()])
        {
            var (status, body) = await Server.GetAsync($"/pools/{reference}");
            status.ShouldBe(HttpStatusCode.OK);
            ((string?)body["pool"]).ShouldBe(_pool.ToString());
            ((string?)body["holder"]).ShouldBe("a");
        }
    }

    [Theory]
    [InlineData("dozer")]
    [InlineData("99")]
    [InlineData("a%20b")]
    public async Task An_unknown_pool_is_not_found_and_the_answer_says_what_to_do(string pool)
    {
        foreach (var path in (string[])["", "/owner", "/history"]) ShouldBeProblem(await Server.GetAsync($"/pools/{pool}{path}"), HttpStatusCode.NotFound, "UnknownPool", "zfsha pools");
        ShouldBeProblem(await Server.PostAsync($"/pools/{pool}/switchovers", new { to = "b", by = "alice" }), HttpStatusCode.NotFound, "UnknownPool", "zfsha pools");
        ShouldBeProblem(await Server.GetAsync($"/moves?pool={pool}"), HttpStatusCode.NotFound, "UnknownPool", "zfsha pools");
    }

    [Theory]
    [InlineData("-f")]
    [InlineData("..%2Fx")]
    [InlineData(";")]
    [InlineData("0")]
    [InlineData("mirror")]
    public async Task What_can_be_no_pools_name_is_a_bad_request(string pool)
    {
        ShouldBeProblem(await Server.GetAsync($"/pools/{pool}"), HttpStatusCode.BadRequest, "BadRequest", "neither a pool GUID");
        ShouldBeProblem(await Server.PostAsync($"/pools/{pool}/failovers", new { by = "alice" }), HttpStatusCode.BadRequest, "BadRequest", "neither a pool GUID");
    }

    [Fact]
    public async Task A_name_that_two_pools_have_is_refused_with_both_GUIDs()
    {
        var other = World.NewPool();
        await Server.TellAsync(World.Saw("b", other, _name));

        var answer = await Server.GetAsync($"/pools/{_name}");

        ShouldBeProblem(answer, HttpStatusCode.Conflict, "AmbiguousPool", _pool.ToString());
        ((string?)answer.Body["detail"]).ShouldNotBeNull().ShouldContain(other.ToString());
    }

    [Theory]
    [InlineData("owner?at=yesterday", "yesterday")]
    [InlineData("owner?at=2026-13-01T00:00:00Z", "2026-13-01")]
    [InlineData("history?from=noon", "noon")]
    [InlineData("history?to=1e9", "1e9")]
    [InlineData("history?after=last", "last")]
    [InlineData("history?limit=0", "limit")]
    [InlineData("history?limit=10001", "limit")]
    [InlineData("history?limit=many", "many")]
    [InlineData("history?newestFirst=perhaps", "perhaps")]
    public async Task A_bad_time_or_number_is_a_bad_request_that_names_it(string query, string named) =>
        ShouldBeProblem(await Server.GetAsync($"/pools/{_pool}/{query}"), HttpStatusCode.BadRequest, "BadRequest", named);

    [Fact]
    public async Task An_event_type_that_does_not_exist_is_a_bad_request_that_lists_those_that_do() =>
        ShouldBeProblem(await Server.GetAsync($"/pools/{_pool}/history?type=pool_observed&type=pool_exploded"), HttpStatusCode.BadRequest, "UnknownEventType", "import_refused");

    [Fact]
    public async Task A_history_is_filtered_and_paged()
    {
        var all = await HistoryAsync();
        all.Select(e => (string?)e["type"]).ShouldBe(["pool_discovered", "pool_observed", "ownership_claimed"]);
        all.Select(e => (long?)e["version"]).ShouldBe([1, 2, 3]);

        (await HistoryAsync("&type=pool_observed")).Select(e => (long?)e["version"]).ShouldBe([2]);
        (await HistoryAsync("&host=a")).Select(e => (long?)e["version"]).ShouldBe([2]);
        (await HistoryAsync("&host=a%00b")).ShouldBeEmpty();
        (await HistoryAsync("&after=1")).Select(e => (long?)e["version"]).ShouldBe([2, 3]);
        (await HistoryAsync("&newestFirst=true")).Select(e => (long?)e["version"]).ShouldBe([3, 2, 1]);
        (await HistoryAsync("&from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z")).Count.ShouldBe(3);
        (await HistoryAsync("&from=2999-01-01T00:00:00Z")).ShouldBeEmpty();
        ((string?)all[1]["host"], (string?)all[1]["boot"], (string?)all[1]["actor"]).ShouldBe(("a", World.Boot.ToString(), Actors.Agent));
    }

    [Fact]
    public async Task The_holder_at_a_past_instant_can_be_asked_for()
    {
        var now = (await Server.GetAsync($"/pools/{_pool}/owner")).Body;
        ((bool?)now["known"], (string?)now["holders"]![0]!["host"]).ShouldBe((true, "a"));

        var before = (await Server.GetAsync($"/pools/{_pool}/owner?at=0001-01-01T00:00:00Z")).Body;
        ((bool?)before["known"], before["holders"]!.AsArray().Count).ShouldBe((false, 0));
        var past = DateTimeOffset.UtcNow.AddDays(-1).ToString("O", CultureInfo.InvariantCulture);
        ((bool?)(await Server.GetAsync($"/pools/{_pool}/owner?at={Uri.EscapeDataString(past)}")).Body["known"]).ShouldBe(false);
    }

    [Fact]
    public async Task A_move_or_alert_that_does_not_exist_is_not_found()
    {
        ShouldBeProblem(await Server.GetAsync("/moves/none"), HttpStatusCode.NotFound, "UnknownMove", "none");
        ShouldBeProblem(await Server.GetAsync("/moves/none/events"), HttpStatusCode.NotFound, "UnknownMove", "none");
        ShouldBeProblem(await Server.PostAsync("/moves/none/call-offs", new { by = "alice", reason = "x" }), HttpStatusCode.NotFound, "UnknownMove", "none");
        ShouldBeProblem(await Server.GetAsync("/moves/a%20b"), HttpStatusCode.BadRequest, "BadRequest", "a b");
        ShouldBeProblem(await Server.PostAsync("/alerts/none/acknowledgements", new { by = "alice", comment = "x" }), HttpStatusCode.NotFound, "UnknownAlert", "none");
    }

    // ---- asking ------------------------------------------------------------------------------------------------------

    [Theory]
    [InlineData("POST", "switchovers", "")]
    [InlineData("POST", "switchovers", "null")]
    [InlineData("POST", "switchovers", "{")]
    [InlineData("POST", "switchovers", "[]")]
    [InlineData("POST", "switchovers", "{}")]
    [InlineData("POST", "switchovers", """{"to":"b"}""")]
    [InlineData("POST", "switchovers", """{"by":"alice"}""")]
    [InlineData("POST", "switchovers", """{"to":null,"by":"alice"}""")]
    [InlineData("POST", "switchovers", """{"to":5,"by":"alice"}""")]
    [InlineData("POST", "switchovers", """{"to":"-f","by":"alice"}""")]
    [InlineData("POST", "switchovers", """{"to":"a b","by":"alice"}""")]
    [InlineData("POST", "switchovers", """{"to":"../b","by":"alice"}""")]
    [InlineData("POST", "switchovers", """{"to":"b","by":""}""")]
    [InlineData("POST", "switchovers", """{"to":"b","by":"  "}""")]
    [InlineData("POST", "switchovers", """{"to":"b","by":null}""")]
    [InlineData("POST", "switchovers", """{"to":"b","by":"alice","id":"a b"}""")]
    [InlineData("POST", "switchovers", """{"to":"b","by":"alice","id":""}""")]
    [InlineData("POST", "failovers", "{}")]
    [InlineData("POST", "fencing-confirmations", """{"host":"a","by":"alice"}""")]
    [InlineData("POST", "fencing-confirmations", """{"host":"a","by":"alice","statement":null}""")]
    [InlineData("POST", "halt-acknowledgements", """{"by":"alice","comment":null}""")]
    [InlineData("PUT", "policy", """{"automatic":true,"fencing":"Hope","targets":[],"by":"alice"}""")]
    [InlineData("PUT", "policy", """{"automatic":true,"fencing":"Manual","targets":null,"by":"alice"}""")]
    [InlineData("PUT", "policy", """{"automatic":true,"fencing":"Manual","targets":["-f"],"by":"alice"}""")]
    [InlineData("PUT", "policy", """{"fencing":"Manual","targets":[],"by":"alice"}""")]
    public async Task A_bad_body_is_a_bad_request_and_leaves_no_trace(string method, string what, string body)
    {
        ShouldBeProblem(await SendAsync(new(method), $"/pools/{_pool}/{what}", body), HttpStatusCode.BadRequest, "BadRequest", "");

        (await HistoryAsync()).Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_body_that_is_no_JSON_by_its_type_is_turned_away() =>
        (await SendAsync(HttpMethod.Post, $"/pools/{_pool}/switchovers", "to=b", "application/x-www-form-urlencoded")).Status.ShouldBe(HttpStatusCode.UnsupportedMediaType);

    [Fact]
    public async Task The_same_switchover_asked_for_twice_is_accepted_twice_and_recorded_once()
    {
        var id = $"move-{_pool}";
        for (var i = 0; i < 2; i++)
        {
            var (status, body) = await Server.PostAsync($"/pools/{_name}/switchovers", new { id, to = "b", by = "alice", reason = "patch day" });
            status.ShouldBe(HttpStatusCode.Accepted, body.ToString());
            ((string?)body["id"]).ShouldBe(id);
            body["events"]!.AsArray().Select(e => (string?)e!["type"]).ShouldBe(["switchover_requested", "switchover_started", "switchover_step_started"]);
            ((string?)body["dossier"]!["state"]).ShouldBe("Running");
        }

        (await HistoryAsync()).Count(e => (string?)e["type"] == "switchover_requested").ShouldBe(1);
        (await Server.ExecuteAsync("select count(*) from zfsha.messages where queue = 'host-a' and group_key = $1", _pool.ToString())).ShouldBe(1L);
        ((string?)(await Server.GetAsync($"/moves/{id}")).Body["requestedBy"]).ShouldBe("alice");
        (await Server.GetAsync($"/moves/{id}/events")).Body.AsArray().Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_switchover_that_is_refused_is_a_conflict_with_its_reason_each_time_and_is_recorded_once()
    {
        for (var i = 0; i < 2; i++)
            ShouldBeProblem(await Server.PostAsync($"/pools/{_pool}/switchovers", new { id = $"no-{_pool}", to = "a", by = "alice" }), HttpStatusCode.Conflict, "AlreadyHeldByTarget", "imported already");
        ShouldBeProblem(await Server.PostAsync($"/pools/{_pool}/switchovers", new { to = "nobody", by = "alice" }), HttpStatusCode.Conflict, "UnknownHost", "nobody");
        ShouldBeProblem(await Server.PostAsync($"/pools/{_pool}/failovers", new { to = "b", by = "alice" }), HttpStatusCode.Conflict, "HolderAlive", "switchover");

        (await HistoryAsync("&type=switchover_refused")).Count.ShouldBe(2);
        (await HistoryAsync("&type=failover_refused")).Count.ShouldBe(1);
    }

    [Fact]
    public async Task One_id_on_two_pools_is_two_moves_and_one_says_which_by_the_pool()
    {
        var (other, id) = (World.NewPool(), $"twice-{_pool}");
        await Server.TellAsync(World.Saw("a", other, $"tank{other}"));
        PoolGuid[] both = [_pool, other];
        foreach (var pool in both)
        {
            var (status, body) = await Server.PostAsync($"/pools/{pool}/switchovers", new { id, to = "b", by = "alice" });
            status.ShouldBe(HttpStatusCode.Accepted, body.ToString());
            ((string?)body["dossier"]!["pool"]).ShouldBe(pool.ToString());
            (await Server.ExecuteAsync("select count(*) from zfsha.messages where queue = 'host-a' and group_key = $1", pool.ToString())).ShouldBe(1L);
            (await Server.ExecuteAsync("select count(*) from zfsha.messages where queue = 'server' and body->>'type' = 'zfsha.pool.step-overdue' and group_key = $1", pool.ToString())).ShouldBe(1L);
        }

        foreach (var path in (string[])["", "/events"])
        {
            var which = await Server.GetAsync($"/moves/{id}{path}");
            ShouldBeProblem(which, HttpStatusCode.Conflict, "AmbiguousMove", "?pool=");
            both.ShouldAllBe(pool => ((string)which.Body["detail"]!).Contains(pool.ToString(), StringComparison.Ordinal));
            foreach (var pool in both) (await Server.GetAsync($"/moves/{id}{path}?pool={pool}")).Status.ShouldBe(HttpStatusCode.OK);
        }

        ((string?)(await Server.GetAsync($"/moves/{id}?pool=tank{other}")).Body["pool"]).ShouldBe(other.ToString());
        ShouldBeProblem(await Server.GetAsync($"/moves/{id}?pool=99"), HttpStatusCode.NotFound, "UnknownPool", "99");
        ShouldBeProblem(await Server.PostAsync($"/moves/{id}/call-offs", new { by = "alice", reason = "x" }), HttpStatusCode.Conflict, "AmbiguousMove", "?pool=");
        var callOff = await Server.PostAsync($"/moves/{id}/call-offs?pool={other}", new { by = "alice", reason = "x" });
        ShouldBeProblem(callOff, HttpStatusCode.Conflict, "OrderOutstanding", other.ToString());
    }

    [Fact]
    public async Task While_one_switchover_runs_another_is_refused()
    {
        (await Server.PostAsync($"/pools/{_pool}/switchovers", new { to = "b", by = "alice" })).Status.ShouldBe(HttpStatusCode.Accepted);

        ShouldBeProblem(await Server.PostAsync($"/pools/{_pool}/switchovers", new { to = "b", by = "bob" }), HttpStatusCode.Conflict, "MoveInProgress", "is running");
    }

    [Fact]
    public async Task A_confirmation_or_acknowledgement_that_is_refused_is_refused_when_asked_again()
    {
        for (var i = 0; i < 2; i++)
        {
            ShouldBeProblem(
                await Server.PostAsync($"/pools/{_pool}/fencing-confirmations", new { id = $"fence-{_pool}", host = "a", by = "alice", statement = "pulled the plug" }),
                HttpStatusCode.Conflict, "HostAlive", "renews its lease");
            ShouldBeProblem(
                await Server.PostAsync($"/pools/{_pool}/halt-acknowledgements", new { id = $"ack-{_pool}", by = "alice", comment = "seen" }),
                HttpStatusCode.Conflict, "NothingPending", "not halted");
        }

        (await HistoryAsync("&type=request_refused")).Count.ShouldBe(2);
    }

    [Fact]
    public async Task An_alert_is_acknowledged_with_a_comment_and_refused_without_one()
    {
        await Server.TellAsync(World.Saw("b", _pool, _name));
        var alert = (string)(await Server.GetAsync("/alerts?open=true")).Body.AsArray().First(a => (string?)a!["pool"] == _pool.ToString())!["id"]!;

        ShouldBeProblem(await Server.PostAsync($"/alerts/{alert}/acknowledgements", new { by = "alice", comment = " " }), HttpStatusCode.Conflict, "EvidenceMissing", "what is being done");
        (await Server.PostAsync($"/alerts/{alert}/acknowledgements", new { by = "alice", comment = "on it" })).Status.ShouldBe(HttpStatusCode.OK);

        (await Server.GetAsync("/alerts?open=true")).Body.AsArray().ShouldNotContain(a => (string?)a!["id"] == alert);
    }

    [Fact]
    public async Task A_policy_set_twice_is_recorded_once()
    {
        for (var i = 0; i < 2; i++)
        {
            var (status, body) = await SendAsync(HttpMethod.Put, $"/pools/{_pool}/policy", $$"""{"id":"policy-{{_pool}}","automatic":true,"fencing":"MmpAlone","targets":["b"],"by":"alice"}""");
            status.ShouldBe(HttpStatusCode.OK);
            body["events"]!.AsArray().Select(e => (string?)e!["type"]).ShouldBe(["policy_set"]);
        }

        (await HistoryAsync("&type=policy_set")).Count.ShouldBe(1);
        ((string?)(await Server.GetAsync($"/pools/{_pool}")).Body["policy"]!["fencing"]).ShouldBe("MmpAlone");
    }

    [Fact]
    public async Task A_request_with_characters_that_the_database_cannot_hold_is_recorded_all_the_same()
    {
        var (status, _) = await SendAsync(HttpMethod.Post, $"/pools/{_pool}/switchovers", """{"to":"b","by":"al\u0000ice","reason":"\u0000"}""");

        status.ShouldBe(HttpStatusCode.Accepted);
        var requested = (await HistoryAsync("&type=switchover_requested")).ShouldHaveSingleItem();
        ((string?)requested["actor"], (string?)requested["data"]!["Reason"]).ShouldBe(("al\uFFFDice", "\uFFFD"));
    }

    // ---- another version's events --------------------------------------------------------------------------------------

    [Fact]
    public async Task An_event_of_a_type_that_we_do_not_know_stops_the_orders_of_its_pool_and_nothing_else()
    {
        var (other, id) = (World.NewPool(), $"unknown-{_pool}");
        await Server.TellAsync(World.Saw("a", other, $"tank{other}"));
        await Server.ExecuteAsync(
            """
            with stream as (update zfsha.mt_streams set version = version + 1 where id = $1 returning version)
            insert into zfsha.mt_events (seq_id, id, stream_id, version, data, type, headers, user_name)
            select nextval('zfsha.mt_events_sequence'), gen_random_uuid(), $1, version, '{"Fragments":{"Left":17}}', 'pool_defragmented_v2', '{"host":"a"}', 'a newer server' from stream
            """, $"pool-{_pool}");

        foreach (var what in (string[])["switchovers", "failovers"])
        {
            var refused = await Server.PostAsync($"/pools/{_pool}/{what}", new { id = $"{id}-{what}", to = "b", by = "alice" });
            ShouldBeProblem(refused, HttpStatusCode.Conflict, "UnknownHistory", "event 4 of the pool's history is a 'pool_defragmented_v2', ");
            ((string?)refused.Body["detail"]).ShouldNotBeNull().ShouldContain("upgrade the server");
        }

        (await Server.PostAsync($"/pools/{other}/switchovers", new { to = "b", by = "alice" })).Status.ShouldBe(HttpStatusCode.Accepted);
        (await HistoryAsync()).Select(e => (string?)e["type"]).ShouldBe(
            ["pool_discovered", "pool_observed", "ownership_claimed", "pool_defragmented_v2", "switchover_requested", "switchover_refused", "failover_requested", "failover_refused"]);
        var unknown = (await HistoryAsync("&after=3"))[0];
        ((int?)unknown["data"]!["Fragments"]!["Left"], (string?)unknown["host"], (string?)unknown["actor"]).ShouldBe((17, "a", "a newer server"));

        // What its hosts see is still taken in, and shown.
        await Server.TellAsync(World.Saw("a", _pool, _name, World.Held with { Health = Domain.Pools.PoolHealth.Degraded }));
        var pool = (await Server.GetAsync($"/pools/{_pool}")).Body;
        ((string?)pool["holder"], (string?)pool["health"], (bool?)pool["unknownHistory"]).ShouldBe(("a", "Degraded", true));
        ((string?)(await Server.GetAsync($"/pools/{_pool}/owner")).Body["holders"]![0]!["host"]).ShouldBe("a");
        (await Server.GetAsync("/pools")).Body.AsArray().Count(p => (bool?)p!["unknownHistory"] == true).ShouldBe(1);
    }

    // ---- the bus -----------------------------------------------------------------------------------------------------

    [Fact]
    public async Task A_message_that_cannot_be_read_is_listed_with_its_reason()
    {
        var marker = $"broken-{_pool}";
        await Server.PutAsync($$"""{"specversion":"1.0","id":"{{marker}}","source":"x","type":"zfsha.pool.explode","data":{ } }""");
        await Server.TakenAsync();

        var letter = (await Server.GetAsync("/dead-letters")).Body.AsArray().Single(l => ((string)l!["json"]!).Contains(marker, StringComparison.Ordinal))!;
        ((string?)letter["reason"], (string?)letter["queue"]).ShouldBe(("Malformed", "server"));
        ((string?)letter["detail"]).ShouldNotBeNull().ShouldContain("zfsha.pool.explode");
    }

    /// <summary>A message for a pool that nobody knows, given up on.</summary>
    /// <returns>The dead letter's id.</returns>
    async Task<string> GivenADeadLetterAsync(string pool, string id)
    {
        await Server.PutAsync($$"""{"specversion":"1.0","id":"{{id}}","source":"x","type":"zfsha.pool.switchover","subject":"{{pool}}","data":{"pool":"{{pool}}","to":"b","by":"alice"} }""");
        await Server.TakenAsync();
        return await DeadLetterOfAsync(id) ?? throw new InvalidOperationException($"{id} is no dead letter");
    }

    async Task<string?> DeadLetterOfAsync(string id) =>
        (string?)(await Server.GetAsync("/dead-letters")).Body.AsArray().SingleOrDefault(l => ((string)l!["json"]!).Contains($"\"{id}\"", StringComparison.Ordinal))?["id"];

    [Fact]
    public async Task A_dead_letter_can_be_looked_at_and_replayed_when_its_cause_is_gone()
    {
        var (late, id) = (World.NewPool(), $"early-{_pool}");
        var letter = await GivenADeadLetterAsync($"late{late}", id);
        ((string?)(await Server.GetAsync($"/dead-letters/{letter}")).Body["reason"]).ShouldBe("UnknownPool");
        await Server.TellAsync(World.Saw("a", late, $"late{late}"));

        ShouldBeProblem(await Server.PostAsync($"/dead-letters/{letter}/replays", new { by = " " }), HttpStatusCode.BadRequest, "BadRequest", "who asks");
        var (status, body) = await Server.PostAsync($"/dead-letters/{letter}/replays", new { by = "alice of the night shift" });
        (status, (string?)body["id"]).ShouldBe((HttpStatusCode.Accepted, letter));
        await Server.TakenAsync();

        ((string?)(await Server.GetAsync($"/moves/{id}")).Body["state"]).ShouldBe("Running");
        (await DeadLetterOfAsync(id)).ShouldBeNull();
        ShouldBeProblem(await Server.PostAsync($"/dead-letters/{letter}/replays", new { by = "alice" }), HttpStatusCode.NotFound, "UnknownDeadLetter", letter);
        await Eventually.TrueAsync("it is logged who asked", () => Server.Output.Contains($"Dead letter {letter} of queue server replayed by alice of the night shift", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_replay_whose_cause_is_not_gone_is_a_dead_letter_again()
    {
        var letter = await GivenADeadLetterAsync("nowhere", $"again-{_pool}");

        (await Server.PostAsync($"/dead-letters/{letter}/replays", new { by = "alice" })).Status.ShouldBe(HttpStatusCode.Accepted);
        await Server.TakenAsync();

        ((int?)(await Server.GetAsync($"/dead-letters/{letter}")).Body["attempts"]).ShouldBe(1);
    }

    [Fact]
    public async Task A_dead_letter_is_discarded_with_a_reason_and_the_log_keeps_it()
    {
        var (id, path) = ($"away-{_pool}", $"/dead-letters/{await GivenADeadLetterAsync("nowhere", $"away-{_pool}")}");

        ShouldBeProblem(await SendAsync(HttpMethod.Delete, path, """{"by":"alice"}"""), HttpStatusCode.BadRequest, "BadRequest", "reason");
        ShouldBeProblem(await SendAsync(HttpMethod.Delete, path, """{"by":"alice","reason":" "}"""), HttpStatusCode.BadRequest, "BadRequest", "why");
        ShouldBeProblem(await SendAsync(HttpMethod.Delete, path, """{"by":"","reason":"x"}"""), HttpStatusCode.BadRequest, "BadRequest", "who asks");
        (await Server.GetAsync(path)).Status.ShouldBe(HttpStatusCode.OK);
        (await SendAsync(HttpMethod.Delete, path, """{"by":"alice","reason":"a typing error"}""")).Status.ShouldBe(HttpStatusCode.OK);

        ShouldBeProblem(await Server.GetAsync(path), HttpStatusCode.NotFound, "UnknownDeadLetter", "zfsha dead-letters");
        ShouldBeProblem(await SendAsync(HttpMethod.Delete, path, """{"by":"alice","reason":"twice"}"""), HttpStatusCode.NotFound, "UnknownDeadLetter", "discarded");
        await Eventually.TrueAsync("the log has who, why and what", () => Server.Output.Split('\n').Any(line =>
            line.Contains("discarded by alice: a typing error", StringComparison.Ordinal) && line.Contains(id, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Dead_letters_are_listed_by_queue_and_no_more_than_asked_for()
    {
        foreach (var id in (string[])["one", "two"]) await GivenADeadLetterAsync("nowhere", $"{id}-{_pool}");

        (await Server.GetAsync("/dead-letters?queue=server&limit=1")).Body.AsArray().Count.ShouldBe(1);
        (await Server.GetAsync("/dead-letters?queue=host-a")).Body.AsArray().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("GET", "?limit=0", "limit")]
    [InlineData("GET", "?limit=10001", "limit")]
    [InlineData("GET", "?limit=all", "all")]
    [InlineData("GET", "/1", "UUID")]
    [InlineData("POST", "/1/replays", "UUID")]
    [InlineData("DELETE", "/1", "UUID")]
    public async Task What_cannot_be_a_dead_letter_is_a_bad_request(string method, string path, string named) => ShouldBeProblem(
        method == "GET" ? await Server.GetAsync($"/dead-letters{path}") : await SendAsync(new(method), $"/dead-letters{path}", """{"by":"alice","reason":"x"}"""),
        HttpStatusCode.BadRequest, "BadRequest", named);

    [Fact]
    public async Task Hosts_are_listed_with_their_leases()
    {
        var hosts = (await Server.GetAsync("/hosts")).Body.AsArray();
        hosts.Select(h => ((string?)h!["host"]!["name"], (string?)h["host"]!["status"], (bool?)h["alive"])).ShouldBe([("a", "Live", true), ("b", "Live", true)]);
    }

    /// <summary>The server, with two hosts in session.</summary>
    public sealed class OneServer : IAsyncLifetime
    {
        internal ServerProcess Server { get; } = new();

        public async ValueTask InitializeAsync()
        {
            await Server.StartAsync();
            await Server.TellAsync(World.Opened("a", 1), World.Opened("b", 2));
        }

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
