using System.Globalization;
using Shouldly;
using Xunit;

namespace ZfsHaEvents.EndToEnd.Tests;

/// <summary>A host's own directories are full, or gone; or its agent is there before anything else is.</summary>
public sealed class HostTroubleTests
{
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Agents_that_start_before_the_server_has_made_its_tables_wait_and_then_work()
    {
        await using var cluster = await FakeCluster.StartAsync(new());
        await cluster.LeaveDatabaseAloneAsync();
        foreach (var host in FakeCluster.Hosts) cluster.StopAgent(host);
        cluster.Server.KillHard();
        await cluster.EmptyDatabaseAsync();

        foreach (var host in FakeCluster.Hosts) cluster.StartAgent(host);
        await Task.Delay(4000, TestContext.Current.CancellationToken); // Time enough to have tried.
        var died = FakeCluster.Hosts.Where(h => !cluster.Agent(h).IsAlive).Select(h => $"{h}: {LastWords(cluster.Agent(h).Log + ".err")}").ToList();
        died.ShouldBeEmpty($"logs in {cluster.Directory}");

        cluster.StartServer();
        await cluster.ServerReadyAsync();
        await cluster.EverybodyInSessionAsync();
        await FakeCluster.EventuallyAsync("the pool is known", async () => (await cluster.GetAsync("/pools")).AsArray().Count == 1, Limit);
        await cluster.MovedAsync("tank1", to: "b", id: "first");
        await cluster.ShouldBeSoundAsync();
    }

    [Fact]
    public async Task An_import_behind_our_back_is_noticed_although_the_run_directory_was_emptied_while_the_agent_was_away()
    {
        await using var cluster = await FakeCluster.StartAsync(new());
        await cluster.MovedAsync("tank1", to: "c", id: "there");
        await cluster.MovedAsync("tank1", to: "a", id: "back"); // c has drawn many numbers in this boot.
        var session = await cluster.SessionAsync("c");
        cluster.StopAgent("c");
        cluster.EmptyRunDirectory("c");
        cluster.StartAgent("c");
        await FakeCluster.EventuallyAsync("c has a new session", async () => await cluster.SessionAsync("c") != session, Limit);

        cluster.Zpool("c", "import", "-f", "-o", "cachefile=none", cluster.Pools["tank1"]).ShouldBe("");

        await FakeCluster.EventuallyAsync("both alerts are raised", async () => (await cluster.AlertsAsync("TwoHolders")).Count == 1 && (await cluster.AlertsAsync("ImportNotOrdered")).Count == 1,
            TimeSpan.FromSeconds(20), () => $"logs in {cluster.Directory}");
        cluster.Zpool("c", "export", "tank1").ShouldBe("");
        await FakeCluster.EventuallyAsync("the conflict is over", async () => (await cluster.AlertsAsync("TwoHolders")).Single()["clearedAt"] is not null, TimeSpan.FromSeconds(20));
        await cluster.ShouldTellTheTruthAsync();
    }

    [Fact]
    public async Task What_a_host_sees_while_its_disk_is_full_is_told_once_there_is_room_again_and_its_lease_is_kept_where_root_can_mount_a_small_disk()
    {
        Assert.SkipUnless(Environment.UserName == "root", "only root may mount a file system that is small enough to fill");
        await using var cluster = await FakeCluster.StartAsync(new());
        await cluster.QuietAsync();
        var session = await cluster.SessionAsync("c");
        cluster.StopAgent("c");
        using var disk = new SmallDisk(cluster.StateDirectory("c"));
        string[] Spooled() => Directory.GetFiles(Path.Combine(cluster.StateDirectory("c"), "spool"), "*.json");
        try
        {
            cluster.StartAgent("c");
            await FakeCluster.EventuallyAsync("c has a new session", async () => await cluster.SessionAsync("c") != session, Limit);
            await cluster.EverybodyInSessionAsync();
            var agent = cluster.Agent("c");
            var before = await SessionsAndLossesAsync(cluster); // On a busy machine the restart may have cost a lease.

            // Full before there is anything to tell.
            disk.Fill();
            cluster.Zpool("a", "export", "tank1").ShouldBe("");
            cluster.Zpool("c", "import", "-o", "cachefile=none", cluster.Pools["tank1"]).ShouldBe("");
            await Task.Delay(4000, TestContext.Current.CancellationToken); // Longer than a lease.
            agent.IsAlive.ShouldBeTrue($"logs in {cluster.Directory}");
            cluster.Truth().HoldersNow(cluster.Pools["tank1"]).ShouldBe(["c"]);
            disk.MakeRoom();
            await FakeCluster.EventuallyAsync("c's import is told, with all there is to tell", async () =>
                (await cluster.HistoryAsync("tank1")).LastOrDefault(h => h.Host == "c")?.Presence == "ReadWrite" && Spooled().Length == 0, Limit, () => $"logs in {cluster.Directory}");
            ((string?)(await cluster.PoolAsync("tank1"))["holder"]).ShouldBe("c");

            // Full while what was seen waits for the database.
            var database = cluster.PostgresPids();
            foreach (var pid in database) Running.Signal(pid, Running.SigStop);
            cluster.Zpool("c", "export", "tank1").ShouldBe("");
            await FakeCluster.EventuallyAsync("it is on the spool", () => Task.FromResult(Spooled().Length > 0), Limit);
            disk.Fill();
            foreach (var pid in database) Running.Signal(pid, Running.SigCont);
            await FakeCluster.EventuallyAsync("c's export is told", async () => (await cluster.HistoryAsync("tank1")).LastOrDefault(h => h.Host == "c")?.Presence == "Absent", Limit, () => $"c's agent {(agent.IsAlive ? "lives" : $"died: {LastWords(agent.Log + ".err")}")}; logs in {cluster.Directory}");
            await Task.Delay(4000, TestContext.Current.CancellationToken);
            agent.IsAlive.ShouldBeTrue($"logs in {cluster.Directory}");
            disk.MakeRoom();

            await cluster.MovedAsync("tank1", to: "b", id: "after");
            await cluster.ShouldBeSoundAsync();
            (await SessionsAndLossesAsync(cluster)).ShouldBe(before, "no lease is lost by it, and no session");
        }
        finally
        {
            cluster.KillAgent("c"); // Nobody may be using the file system when it goes.
        }
    }

    static Task<long> SessionsAndLossesAsync(FakeCluster cluster) => cluster.QueryAsync<long>("select count(*) from zfsha.mt_events where type in ('host_session_opened', 'host_lease_lost')");

    static string LastWords(string file) => File.Exists(file) ? File.ReadLines(file).FirstOrDefault() ?? "" : "";

    /// <summary>A file system of a quarter of a megabyte on a directory.</summary>
    sealed class SmallDisk : IDisposable
    {
        const int Kilobytes = 256;

        readonly string _directory;

        public SmallDisk(string directory)
        {
            _directory = directory;
            Directory.CreateDirectory(directory);
            Run("mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={Kilobytes}k,mode=0700"), "zfsha-small", directory);
        }

        string Filling => Path.Combine(_directory, "filling");

        public void Fill()
        {
            using var file = File.Create(Filling, bufferSize: 0);
            try
            {
                for (var i = 0; i < 2 * Kilobytes; i++) file.Write(new byte[1024]);
            }
            catch (IOException)
            {
                return; // No space is left, as it should be.
            }

            throw new InvalidOperationException($"{_directory} took twice its size and is not full");
        }

        public void MakeRoom() => File.Delete(Filling);

        public void Dispose() => Run("umount", _directory);

        static void Run(params string[] command)
        {
            var (code, output) = Running.Run(command[0], command[1..]);
            code.ShouldBe(0, output);
        }
    }
}
