using System.Text.Json;
using System.Text.Json.Nodes;
using Shouldly;
using Xunit;

namespace ZfsHaEvents.EndToEnd.Tests;

/// <summary>Switchovers asked for over HTTP and over the bus, by friends, by fools and by programs with a bug.</summary>
public sealed class SwitchoverTests : IAsyncLifetime
{
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    FakeCluster _cluster = null!;

    public async ValueTask InitializeAsync() => _cluster = await FakeCluster.StartAsync(new());

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_pool_moves_to_the_host_that_was_asked_for()
    {
        await _cluster.MovedAsync("tank1", to: "b", id: "move-1");

        _cluster.Truth().HoldersNow(_cluster.Pools["tank1"]).ShouldBe(["b"]);
        await _cluster.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task A_row_that_a_foreign_program_puts_on_the_bus_moves_a_pool_and_the_same_message_again_moves_nothing()
    {
        var message = Message("patch-day", to: "b");
        await _cluster.PutAsync(message);
        await _cluster.PutAsync(message);
        (await _cluster.MoveEndedAsync("patch-day", Limit))["state"]!.ToString().ShouldBe("Completed");
        await _cluster.MovedAsync("tank1", to: "c", id: "later");
        await _cluster.PutAsync(message);
        await _cluster.QuietAsync();
        var (_, again) = await _cluster.AskAsync("/pools/tank1/switchovers", new { id = "patch-day", to = "b", by = "test" });

        ((string)again["dossier"]!["state"]!).ShouldBe("Completed");
        var history = await _cluster.HistoryAsync("tank1");
        history.Where(h => h.Type == "switchover_requested").Select(h => h.Request).ShouldBe(["patch-day", "later"]);
        _cluster.Truth().Lines.Where(l => l.Op == "import").Select(l => l.Host).ShouldBe(["b", "c"]);
        (await _cluster.GetAsync("/dead-letters")).AsArray().ShouldBeEmpty();
        await _cluster.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task A_message_that_cannot_be_understood_is_put_aside_with_what_is_wrong_and_disturbs_nobody()
    {
        const string text = "a text of no use";
        (string Body, string Reason, string Detail)[] bad =
        [
            ("[1, 2]", "Malformed", "expected a CloudEvents 1.0 message: a JSON object"),
            ("\"move tank1 to b\"", "Malformed", "expected a CloudEvents 1.0 message: a JSON object"),
            ("null", "Malformed", "expected a CloudEvents 1.0 message: a JSON object"),
            ("{}", "Malformed", "specversion is missing"),
            (Message("m1", "b", specversion: "0.3"), "Malformed", "specversion is '0.3'"),
            (Message("", "b"), "Malformed", "id is missing"),
            (Message("two words", "b"), "Malformed", "id 'two words' cannot be a request's id"),
            (Message(new string('x', 101), "b"), "Malformed", "100 characters at most"),
            (Message("m2", "b", source: ""), "Malformed", "source is missing"),
            (Message("m3", "b", type: ""), "Malformed", "type is missing"),
            (Message("m4", "b", type: "zfsha.pool.destroy"), "Malformed", "type 'zfsha.pool.destroy' is not one of ours"),
            (Message("m5", data: null), "Malformed", "data of a zfsha.pool.switchover message is null"),
            (Message("m6", data: text), "Malformed", "data of a zfsha.pool.switchover message"),
            (Message("m7", data: new { pool = "tank1", by = "test" }), "Malformed", "to"),
            (Message("m8", data: new { pool = 42, to = "b", by = "test" }), "Malformed", "$.pool"),
            (Message("m9", data: new { pool = "tank1", to = new[] { "b" }, by = "test" }), "Malformed", "$.to"),
            (Message("m10", data: new { pool = "tank1", to = new string('b', 64), by = "test" }), "Malformed", "63 characters at most"),
            (Message("m11", data: new { pool = new string('t', 256), to = "b", by = "test" }), "Malformed", "is neither a pool GUID"),
            (Message("m12", data: new { pool = "tank1", to = "b", by = new string('x', 2_000_000) }), "Malformed", "too long"),
            (Message("m13", "b", type: new string('x', 2_000_000)), "Malformed", "too long"),
            (Message("m14", "b", type: "zfsha.order.export", data: new { header = text }), "Malformed", "data of a zfsha.order.export message"),
        ];
        foreach (var (body, _, _) in bad) await _cluster.PutAsync(body);
        await _cluster.PutAsync(Message("good", to: "b"));

        (await _cluster.MoveEndedAsync("good", Limit))["state"]!.ToString().ShouldBe("Completed");
        await FakeCluster.EventuallyAsync("every bad one is put aside", async () => (await _cluster.GetAsync("/dead-letters")).AsArray().Count >= bad.Length, Limit);

        var letters = (await _cluster.GetAsync("/dead-letters")).AsArray().Select(l => (Body: JsonNode.Parse((string)l!["json"]!), Reason: (string)l["reason"]!, Detail: (string)l["detail"]!)).ToList();
        letters.Count.ShouldBe(bad.Length);
        foreach (var (body, reason, detail) in bad)
        {
            var letter = letters.Single(l => JsonNode.DeepEquals(l.Body, JsonNode.Parse(body)));
            letter.Reason.ShouldBe(reason, letter.Detail);
            letter.Detail.ShouldContain(detail);
            letter.Detail.Length.ShouldBeLessThan(2000);
        }

        (await _cluster.QueryAsync<long>("select count(*) from zfsha.messages where queue = 'server' and due_at <= now()")).ShouldBe(0);
        await _cluster.ShouldBeSoundAsync();
    }

    static string Message(string id, string to, string specversion = "1.0", string source = "/test", string type = "zfsha.pool.switchover", object? data = null) =>
        JsonSerializer.Serialize(new { specversion, id, source, type, subject = "tank1", data = data ?? new { pool = "tank1", to, by = "test" } });

    static string Message(string id, object? data) =>
        JsonSerializer.Serialize(new { specversion = "1.0", id, source = "/test", type = "zfsha.pool.switchover", subject = "tank1", data });
}
