using System.Net;
using System.Text.Json;
using Shouldly;
using Xunit;

namespace ZfsHaEvents.EndToEnd.Tests;

/// <summary>Names that mean nothing, too much, or harm.</summary>
public sealed class NamesTests
{
    [Fact]
    public async Task A_name_that_names_nothing_or_several_things_is_refused_and_one_with_a_space_is_a_name()
    {
        await using var cluster = await FakeCluster.StartAsync(new(Pools: 1));
        Create(cluster, "b", "tank1", 2); // A second pool of that name, on other disks and another host.
        await FakeCluster.EventuallyAsync("the second pool is known", async () => (await cluster.GetAsync("/pools")).AsArray().Count == 2, TimeSpan.FromSeconds(30));
        var before = await StateAsync(cluster);

        (string Pool, string To, string? Bus, HttpStatusCode Status, string Type)[] asked =
        [
            ("tank9", "b", "UnknownPool", HttpStatusCode.NotFound, "UnknownPool"),
            ("4711", "b", "UnknownPool", HttpStatusCode.NotFound, "UnknownPool"),
            ("tank1", "b", "AmbiguousPool", HttpStatusCode.Conflict, "AmbiguousPool"),
            ("a b", "b", "UnknownPool", HttpStatusCode.NotFound, "UnknownPool"),
            ("-f", "b", "Malformed", HttpStatusCode.BadRequest, "BadRequest"),
            ("../x", "b", "Malformed", HttpStatusCode.BadRequest, "BadRequest"),
            (";", "b", "Malformed", HttpStatusCode.BadRequest, "BadRequest"),
            ("tank1;zpool destroy tank1", "b", "Malformed", HttpStatusCode.BadRequest, "BadRequest"),
            ("$(reboot)", "b", "Malformed", HttpStatusCode.BadRequest, "BadRequest"),
            (cluster.Pools["tank1"], "-f", "Malformed", HttpStatusCode.BadRequest, "BadRequest"),
            (cluster.Pools["tank1"], "../b", "Malformed", HttpStatusCode.BadRequest, "BadRequest"),
            (cluster.Pools["tank1"], "b;", "Malformed", HttpStatusCode.BadRequest, "BadRequest"),
            (cluster.Pools["tank1"], "a b", "Malformed", HttpStatusCode.BadRequest, "BadRequest"),
            (cluster.Pools["tank1"], "nobody", null, HttpStatusCode.Conflict, "UnknownHost"),
        ];
        foreach (var (pool, to, _, status, type) in asked)
        {
            var (answered, problem) = await cluster.AskAsync($"/pools/{Uri.EscapeDataString(pool)}/switchovers", new { id = cluster.NextId("http"), to, by = "test" });
            answered.ShouldBe(status, $"'{pool}' to '{to}': {problem}");
            ((string)problem["type"]!).ShouldBe(type);
            ((string)problem["detail"]!).Replace("%2F", "/", StringComparison.Ordinal).ShouldContain(type switch { "UnknownHost" or "BadRequest" when pool == cluster.Pools["tank1"] => to, _ => pool });
        }

        foreach (var (pool, to, _, _, _) in asked) await cluster.PutAsync(Message(cluster.NextId("bus"), pool, to));
        await FakeCluster.EventuallyAsync("all that was put on the bus is dealt with", async () => (await cluster.GetAsync("/dead-letters")).AsArray().Count == asked.Count(a => a.Bus is not null), TimeSpan.FromSeconds(30));
        await cluster.QuietAsync();
        (await cluster.GetAsync("/dead-letters")).AsArray().Select(l => (string)l!["reason"]!).Order().ShouldBe(asked.Where(a => a.Bus is not null).Select(a => a.Bus!).Order());
        var refused = (await cluster.HistoryAsync(cluster.Pools["tank1"])).Where(h => h.Type == "switchover_refused").ToList();
        refused.Select(h => h.Data.GetProperty("Reason").GetString()).ShouldBe(["UnknownHost", "UnknownHost"]);

        (await StateAsync(cluster)).ShouldBe(before);
        Create(cluster, "a", "a b", 4);
        await FakeCluster.EventuallyAsync("the pool with a space in its name is known", async () => (await cluster.GetAsync("/pools")).AsArray().Count == 3, TimeSpan.FromSeconds(30));
        await cluster.MovedAsync("a%20b", "c", "with-a-space");
        await cluster.MovedAsync(cluster.Pools["tank1"], "c", "by-guid");
        cluster.Pools.Remove("tank1", out var guid);
        cluster.Pools[guid!] = guid!; // By name its history cannot be asked for.
        await cluster.ShouldBeSoundAsync();
    }

    static void Create(FakeCluster cluster, string host, string name, int disk)
    {
        cluster.Zpool(host, "create", "-o", "cachefile=none", "-O", "canmount=off", name, "mirror", $"/dev/disk/by-id/virtio-d{disk}", $"/dev/disk/by-id/virtio-d{disk + 1}").ShouldBe("");
    }

    /// <summary>Who really holds what, and who is said to.</summary>
    static async Task<string> StateAsync(FakeCluster cluster) =>
        string.Join("; ", cluster.Truth().Holdings.Select(h => $"{h.Pool} {h.Host} {h.From:O} {h.To:O}"))
        + string.Join("; ", (await cluster.GetAsync("/pools")).AsArray().Select(p => $"{p!["pool"]} {p["holder"]} {p["claimant"]} {p["epoch"]}").Order());

    static string Message(string id, string pool, string to) =>
        JsonSerializer.Serialize(new { specversion = "1.0", id, source = "/test", type = "zfsha.pool.switchover", data = new { pool, to, by = "test" } });
}
