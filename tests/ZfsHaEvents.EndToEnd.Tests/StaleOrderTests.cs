using System.Text.Json;
using Shouldly;
using Xunit;
using ZfsHaEvents.Domain.Bus;

namespace ZfsHaEvents.EndToEnd.Tests;

/// <summary>
/// Orders that should never have arrived, laid on a host's queue as a delayed or re-sent message would be: the host refuses each by
/// what stands on its disk, and says so.
/// </summary>
public sealed class StaleOrderTests
{
    [Fact]
    public async Task An_order_that_no_longer_stands_is_refused_on_the_host_and_recorded()
    {
        await using var cluster = await FakeCluster.StartAsync(new());
        await cluster.MovedAsync("tank1", "b", "there");
        await cluster.MovedAsync("tank1", "a", "back");
        var pool = await cluster.PoolAsync("tank1");
        var epoch = (long)pool["epoch"]!;
        var holder = (string)pool["holder"]!;
        holder.ShouldBe("a");
        var oldSession = await cluster.SessionAsync("a");
        cluster.KillAgent("a");
        cluster.StartAgent("a");
        await FakeCluster.EventuallyAsync("a has a new session", async () => await cluster.SessionAsync("a") != oldSession, TimeSpan.FromSeconds(30));
        await cluster.EverybodyInSessionAsync();
        var session = await cluster.SessionAsync("a");
        var incarnation = await cluster.QueryAsync<Guid>("select id from zfsha.incarnations where ordinal = zfsha.current_incarnation()");
        var later = DateTimeOffset.UtcNow.AddMinutes(5);

        await PutOrderAsync(cluster, "stale/Export/1", new(epoch - 1, session, incarnation, later));
        await PutOrderAsync(cluster, "old/Export/1", new(epoch, oldSession, incarnation, later));
        await PutOrderAsync(cluster, "expired/Export/1", new(epoch, session, incarnation, DateTimeOffset.UtcNow.AddSeconds(-1)));
        await PutOrderAsync(cluster, "foreign/Export/1", new(epoch, session, Guid.NewGuid(), later));
        await PutOrderAsync(cluster, "forged/Export/1", new(epoch, session, incarnation, later, Row: Guid.NewGuid()));

        (string Order, string Reason)[] expected = [("stale/Export/1", "StaleEpoch"), ("old/Export/1", "StaleSession"), ("expired/Export/1", "Expired"), ("foreign/Export/1", "ForeignIncarnation")];
        IReadOnlyList<(string Order, string Reason)> refused = [];
        await FakeCluster.EventuallyAsync("all four are refused", async () =>
        {
            refused = [.. (await cluster.HistoryAsync("tank1")).Where(h => h.Type == "order_refused").Select(h => (h.Data.GetProperty("Order").GetString()!, h.Data.GetProperty("Reason").GetString()!))];
            return refused.Count >= expected.Length;
        }, TimeSpan.FromSeconds(30), () => string.Join(", ", refused));
        refused.ShouldBe(expected, ignoreOrder: true);
        await FakeCluster.EventuallyAsync("the forged one is put aside", async () => (await cluster.GetAsync("/dead-letters")).AsArray().Count == 1, TimeSpan.FromSeconds(30));

        await cluster.ShouldBeSoundAsync();
        cluster.Truth().HoldersNow(cluster.Pools["tank1"]).ShouldBe(["a"]);
        (await cluster.QueryAsync<long>("select count(*) from zfsha.messages where queue like 'host-%'")).ShouldBe(0);
        await cluster.MovedAsync("tank1", "c", "after");
        await cluster.ShouldBeSoundAsync();
    }

    static Task PutOrderAsync(FakeCluster cluster, string id, OrderTerms terms)
    {
        var pool = cluster.Pools["tank1"];
        var header = new { id, request = id.Split('/')[0], pool, incarnation = terms.Incarnation, epoch = terms.Epoch, session = terms.Session, notAfter = terms.NotAfter, limit = "00:00:08" };
        var body = JsonSerializer.Serialize(new { specversion = "1.0", id, source = "zfsha-server", type = "zfsha.order.export", subject = pool, data = new { header } });
        return cluster.ExecuteAsync("insert into zfsha.messages (id, queue, body) values ($1, 'host-a', $2::jsonb)", terms.Row ?? BusMessage.RowId("host-a", "zfsha-server", id), body);
    }

    sealed record OrderTerms(long Epoch, string Session, Guid Incarnation, DateTimeOffset NotAfter, Guid? Row = null);
}
