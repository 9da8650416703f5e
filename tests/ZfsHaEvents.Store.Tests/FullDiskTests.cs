using System.Collections.Concurrent;
using System.Security.Cryptography;
using Npgsql;
using Shouldly;
using Xunit;
using ZfsHaEvents.Testing;

namespace ZfsHaEvents.Store.Tests;

/// <summary>
/// PostgreSQL's disk fills up. Without room for its tables it refuses what needs more (SQLSTATE 53100); without room for its write-ahead log it
/// crashes, and may not come up again before there is room.
/// </summary>
public sealed class FullDiskTests
{
    const string Reason = "only root may mount a tmpfs in a mount namespace, and here it cannot: the disk that fills up is one";

    /// <summary>Appends that end in an error before room is made, and appends afterwards.</summary>
    const int RefusalsEnough = 25, Afterwards = 40;

    readonly ConcurrentDictionary<string, byte> _acknowledged = [];
    readonly ConcurrentBag<Exception> _refusals = [];

    public static bool CanMount => SmallDisk.IsPossible;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory(Skip = Reason, SkipUnless = nameof(CanMount))]
    [InlineData("of the tables", 64)]
    [InlineData("of the write-ahead log", 16)]
    [InlineData("of both", 80)]
    public async Task Appends_to_a_full_disk_are_refused_as_an_outage_and_go_on_once_there_is_room(string full, int mebibytes)
    {
        await using var disk = await SmallDisk.MountAsync(mebibytes);
        await using var server = await PostgresServer.StartAsync(disk, tables: full != "of the write-ahead log", log: full != "of the tables", "fsync=on", "full_page_writes=on");
        await server.CreateDatabaseAsync("zfsha");
        await using var database = PostgresConnection.Open(server.ConnectionString("zfsha"), "full disk");
        await PostgresSchema.ApplyAsync(database, Cancellation);
        await using var wakeUps = new WakeUps(database);
        var store = new PostgresEventStore(database, wakeUps);
        var room = new TaskCompletionSource();

        var writing = Task.WhenAll(Enumerable.Range(0, 4).Select(w => Task.Run(() => WriteAsync(store, w, room.Task), Cancellation)));
        while (_refusals.Count < RefusalsEnough && !writing.IsCompleted) await Task.Delay(20, Cancellation);
        _acknowledged.ShouldNotBeEmpty();
        if (full == "of the tables") _refusals.OfType<PostgresException>().ShouldContain(e => e.SqlState == PostgresErrorCodes.DiskFull);
        await disk.ResizeAsync(mebibytes * 4);
        room.SetResult();
        while (!writing.IsCompleted)
        {
            if (!server.IsRunning) await server.RestartAsync(); // As who runs it does: systemd, or the private cluster's supervisor.
            await Task.WhenAny(writing, Task.Delay(200, Cancellation));
        }

        await writing;
        var stored = await RoleDatabase.ListAsync(database, "select s.id from zfsha.mt_streams s join zfsha.mt_events e on e.stream_id = s.id join zfsha.mt_doc_poolownership d on d.id = s.id where s.version = 1");
        stored.Order().ShouldBe(_acknowledged.Keys.Order());
        (await RoleDatabase.ListAsync(database, "select concat_ws(' ', (select count(*) from zfsha.mt_streams), (select count(*) from zfsha.mt_events), (select count(*) from zfsha.mt_doc_poolownership))"))
            .ShouldBe([$"{stored.Count} {stored.Count} {stored.Count}"]);
    }

    /// <summary>Each append is tried until it is known to be there; what it fails with meanwhile must be what callers wait for.</summary>
    async Task WriteAsync(PostgresEventStore store, int writer, Task room)
    {
        var after = 0;
        for (var i = 0; after < Afterwards; i++)
        {
            var stream = $"pool-{writer}-{i}";
            var commit = new Commit(stream, "pool", 0, DateTimeOffset.UtcNow, null)
            {
                Events = [PostgresOnlyTests.Event() with { Json = $$"""{"Stderr":"{{Convert.ToBase64String(RandomNumberGenerator.GetBytes(24 * 1024))}}"}""" }], // Not to be compressed.
                Documents = [new("poolownership", stream, "{}", "T", 1)],
            };
            while (!_acknowledged.ContainsKey(stream))
            {
                try
                {
                    (await store.CommitAsync(commit, Cancellation)).ShouldBeOneOf(CommitResult.Committed, CommitResult.VersionConflict); // A conflict: it is there, and nobody was told.
                    _acknowledged[stream] = 0;
                }
                catch (Exception e) when (DatabaseOutage.Is(e))
                {
                    _refusals.Add(e);
                    await Task.Delay(50, Cancellation);
                }
            }

            if (room.IsCompleted) after++;
        }
    }
}
