using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Zfs.Tests;

public sealed class KstatsTests : IDisposable
{
    const string ProgressHeader = "pool_guid            load_state     multihost_secs max_txg      pool_name        notes\n";
    static readonly PoolGuid Tank = new(5617477934682210394);

    readonly TestHost _host = new();
    readonly Kstats _kstats;

    public KstatsTests() => _kstats = new(_host.Environment);

    [Fact]
    public void Imported_pools_are_folders_with_a_state_and_a_guid()
    {
        _host.Import("tank1", Tank);
        _host.Import("solo", new(5553365397357904498), "SUSPENDED");
        _host.Write("/proc/spl/kstat/zfs/arcstats", "9 1 0x01\n");

        _kstats.Read().ShouldBe(
            [new(new("solo"), new PoolGuid(5553365397357904498), PoolHealth.Suspended), new(new("tank1"), Tank, PoolHealth.Online)]);
    }

    [Fact]
    public void A_module_that_is_not_loaded_has_no_pools()
    {
        Directory.Delete(_host.Kstat);
        _kstats.Read().ShouldBeEmpty();
        _kstats.ReadImportProgress().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("")]
    [InlineData("TRANSITIONING\n")]
    [InlineData("SOMETHING-NEW\n")]
    public void A_state_that_is_empty_or_unknown_is_an_imported_pool_of_unknown_health(string state)
    {
        _host.Import("tank1", Tank);
        _host.Write("/proc/spl/kstat/zfs/tank1/state", state);
        _kstats.Read().ShouldBe([new(new("tank1"), Tank, PoolHealth.Unknown)]);
    }

    [Fact]
    public void OpenZFS_before_2_2_shows_no_guid()
    {
        _host.Write("/proc/spl/kstat/zfs/tank1/state", "ONLINE\n");
        _kstats.Read().ShouldBe([new(new("tank1"), null, PoolHealth.Online)]);
    }

    [Fact]
    public void An_entry_that_is_vanishing_is_no_pool()
    {
        Directory.CreateDirectory(Path.Join(_host.Kstat, "tank1"));
        _kstats.Read().ShouldBeEmpty();
    }

    [Fact]
    public void A_configuration_being_read_is_no_pool_though_it_is_online_and_has_the_guid()
    {
        _host.Import("$import-ffff88801d639840-tank1", Tank);
        _kstats.Read().ShouldBeEmpty();
    }

    [Fact]
    public void A_pool_that_is_still_making_its_claim_is_not_imported()
    {
        _host.Import("tank1", Tank);
        _host.Import("solo", new(5553365397357904498));
        _host.Write("/proc/spl/kstat/zfs/import_progress", ProgressHeader + Progress(load: 2, seconds: 8, "Establishing MMP claim, waiting 10000 ms"));

        _kstats.Read().Select(pool => pool.Name.Value).ShouldBe(["solo"]);
        _kstats.ReadImportOf(Tank).ShouldBe(new(Tank, "tank1", 2, 8, "Establishing MMP claim, waiting 10000 ms"));
    }

    [Fact]
    public void A_pool_that_is_merely_being_scanned_for_elsewhere_on_the_host_is_imported_all_the_same()
    {
        _host.Import("tank1", Tank);
        _host.Write("/proc/spl/kstat/zfs/import_progress", ProgressHeader + Progress(load: 3, seconds: 8, "Checking MMP activity, waiting 21160 ms"));

        _kstats.Read().Select(pool => pool.Name.Value).ShouldBe(["tank1"]);
        _kstats.ReadImportOf(Tank).ShouldBeNull();
    }

    [Fact]
    public void Every_recorded_line_of_progress_is_read()
    {
        var lines = Transcript.All.SelectMany(recorded => recorded.Stdout.Split('\n')).Where(line => line.EndsWith(" ms", StringComparison.Ordinal) && line.Contains($"{Tank}  ")).ToList();
        lines.Count.ShouldBeGreaterThan(30);
        foreach (var line in lines)
        {
            // Some were recorded with the time before them.
            var progress = ImportProgress.Parse(line[line.IndexOf(Tank.ToString(), StringComparison.Ordinal)..]).ShouldNotBeNull(line);
            (progress.Pool, progress.Name).ShouldBe((Tank, "tank1"));
            progress.Notes.ShouldMatch("^(Checking MMP activity|Establishing MMP claim), waiting [0-9]+ ms$");
            progress.MultihostSeconds.ShouldBeInRange(0, 40);
            progress.IsScan().ShouldBe(progress.Notes.StartsWith("Checking", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void All_through_a_recorded_import_the_pool_is_absent_until_the_import_is_over()
    {
        var guid = new PoolGuid(4387971844133136912);
        var seen = new List<(bool Own, bool Imported)>();
        foreach (var moment in Moments(Transcript.All.Single(recorded => recorded.File.StartsWith("79", StringComparison.Ordinal)).Stdout))
        {
            Directory.Delete(_host.Kstat, recursive: true);
            _host.Import(moment.Folder, guid, moment.State);
            _host.Write("/proc/spl/kstat/zfs/import_progress", ProgressHeader + moment.Progress);
            seen.Add((moment.Folder == "tank1", _kstats.Read().Any(pool => pool.PoolGuid == guid)));
        }

        seen.Count.ShouldBeGreaterThan(20);
        seen.Count(moment => moment is { Own: true, Imported: false }).ShouldBeGreaterThan(5); // During the claim.
        seen.Select(moment => moment.Imported).ShouldBe([.. Enumerable.Repeat(false, seen.Count - 1), true]);
    }

    [Theory]
    [InlineData("1185814460880299980  2              0              0            tank1            Loading vdev metadata", "tank1", "Loading vdev metadata")]
    [InlineData("1185814460880299980  2              -1             0            tank1", "tank1", "")]
    [InlineData("1185814460880299980  2              0              0            a pool named so   Loading vdev metadata", "a pool named so", "Loading vdev metadata")]
    [InlineData("1185814460880299980  2              0              0            a-name-longer-than-16 Loading", "a-name-longer-than-16", "Loading")]
    public void Names_may_be_long_or_hold_spaces_and_notes_be_missing(string line, string name, string notes)
    {
        var progress = ImportProgress.Parse(line).ShouldNotBeNull();
        (progress.Name, progress.Notes).ShouldBe((name, notes));
    }

    [Fact]
    public async Task Pools_that_come_and_go_while_being_read_never_disturb()
    {
        using var stop = new CancellationTokenSource();
        var churn = Task.Run(
            () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    _host.Import("tank1", Tank);
                    _host.Export("tank1");
                }
            },
            Running.Token);

        for (var i = 0; i < 3000; i++)
            foreach (var pool in _kstats.Read()) pool.Name.Value.ShouldBe("tank1");
        await stop.CancelAsync();
        await churn;
    }

    public void Dispose() => _host.Dispose();

    static IEnumerable<(string Folder, string State, string Progress)> Moments(string stdout)
    {
        var lines = stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].Split(' ') is not [_, var folder, var state, _] || !state.StartsWith("state=", StringComparison.Ordinal)) continue;
            yield return (folder.TrimEnd('/'), state["state=".Length..], i + 1 < lines.Length && !lines[i + 1].Contains("state=") ? lines[i + 1] + "\n" : "");
        }
    }

    static string Progress(int load, int seconds, string notes) => $"{Tank,-20} {load,-14} {seconds,-14} {0,-12} {"tank1",-16} {notes}\n";
}
