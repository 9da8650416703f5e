using System.Diagnostics;
using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Operations;
using static ZfsHaEvents.Zfs.Tests.Running;

namespace ZfsHaEvents.Zfs.Tests.Operations;

public sealed class PoolObserverTests : IDisposable
{
    static readonly PoolGuid Tank = TestHost.Tank;

    readonly TestHost _host = new();
    readonly PoolObserver _observer;

    public PoolObserverTests() => _observer = new(_host.Environment, TimeProvider.System);

    [Fact]
    public async Task An_imported_pool_is_seen_with_all_that_zpool_tells()
    {
        _host.Import("tank1", Tank, "DEGRADED");
        var before = DateTimeOffset.UtcNow;
        var look = await _observer.LookAsync(Tank, Token);

        look.Name.ShouldBe(new PoolName("tank1"));
        look.ObservedAt.ShouldBeInRange(before, DateTimeOffset.UtcNow);
        (look.Sight.Presence, look.Sight.Health, look.Sight.Multihost).ShouldBe((PoolPresence.ReadWrite, PoolHealth.Degraded, true));
        look.Sight.Leaves.ShouldBe(["/dev/disk/by-id/virtio-d0-part1"]);
    }

    [Fact]
    public async Task An_absent_pool_is_seen_without_running_anything()
    {
        _host.Import("other", new(1));
        (await _observer.LookAsync(Tank, Token)).Sight.ShouldBe(PoolSight.Absent);
        _host.ZpoolCalls().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_read_only_import_is_told_apart()
    {
        _host.Import("tank1", Tank);
        _host.SetZpool($"[ $1 = get ] && {{ printf 'guid\\t{Tank}\\nreadonly\\ton\\nmultihost\\ton\\nhealth\\tONLINE\\n'; exit 0; }}");
        (await _observer.LookAsync(Tank, Token)).Sight.Presence.ShouldBe(PoolPresence.ReadOnly);
    }

    [Fact]
    public async Task A_zpool_that_does_not_answer_leaves_the_pool_held_in_doubt()
    {
        _host.Import("tank1", Tank, "SUSPENDED");
        _host.SetZpool("exec sleep 30");
        var started = Stopwatch.GetTimestamp();
        var sight = (await _observer.LookAsync(Tank, Token)).Sight;

        Stopwatch.GetElapsedTime(started).TotalSeconds.ShouldBeInRange(1.9, 20);
        (sight.Presence, sight.Health, sight.Multihost, sight.Leaves.Count).ShouldBe((PoolPresence.Imported, PoolHealth.Suspended, null, 0));
        sight.IsHeld().ShouldBeTrue();
    }

    [Fact]
    public async Task A_flickering_state_is_taken_from_zpool()
    {
        _host.Import("tank1", Tank, "");
        (await _observer.LookAsync(Tank, Token)).Sight.Health.ShouldBe(PoolHealth.Online);
    }

    [Fact]
    public async Task Where_the_kernel_shows_no_guids_zpool_list_tells_the_name()
    {
        _host.Write("/proc/spl/kstat/zfs/tank1/state", "ONLINE\n");
        _host.SetZpool($"[ $1 = get ] && {{ printf 'guid\\t{Tank}\\nreadonly\\toff\\nmultihost\\toff\\nhealth\\tONLINE\\n'; exit 0; }}");

        var look = await _observer.LookAsync(Tank, Token);
        (look.Name, look.Sight.Presence).ShouldBe((new PoolName("tank1"), PoolPresence.ReadWrite));
        (await _observer.LookAsync(new(1), Token)).Sight.ShouldBe(PoolSight.Absent);
    }

    [Fact]
    public async Task Where_the_kernel_shows_no_guids_and_zpool_does_not_answer_nothing_is_known()
    {
        _host.Write("/proc/spl/kstat/zfs/tank1/state", "ONLINE\n");
        _host.SetZpool("exec sleep 30");
        (await _observer.GlanceAsync(Tank, Token)).Sight.ShouldBe(PoolSight.Unknown);
    }

    [Fact]
    public void A_survey_numbers_all_pools_at_once()
    {
        _host.Import("tank1", Tank);
        _host.Import("solo", new(5));
        var survey = _observer.Survey();
        survey.Pools.Select(pool => pool.Name.Value).ShouldBe(["solo", "tank1"]);
        _observer.Survey().Sequence.ShouldBeGreaterThan(survey.Sequence);
    }

    [Fact]
    public async Task A_pool_that_the_kernel_is_importing_is_neither_imported_nor_absent()
    {
        _host.Import("solo", new(5));
        _host.SetImporting(Tank);

        _observer.Survey().Importing.ShouldBe([Tank]);
        (await _observer.LookAsync(Tank, Token)).Sight.ShouldBe(PoolSight.Unknown);
        (await _observer.GlanceAsync(Tank, Token)).Sight.ShouldBe(PoolSight.Unknown);

        _host.Import("tank1", Tank); // In the last part of the activity check it has a folder already.
        (await _observer.LookAsync(Tank, Token)).Sight.ShouldBe(PoolSight.Unknown);

        _host.SetImporting(null);
        _observer.Survey().Importing.ShouldBeEmpty();
        (await _observer.LookAsync(Tank, Token)).Sight.Presence.ShouldBe(PoolPresence.ReadWrite);
    }

    [Fact]
    public async Task A_pool_that_the_kernel_merely_reads_the_configuration_of_is_absent()
    {
        _host.SetImporting(Tank, loadState: 3);
        (await _observer.LookAsync(Tank, Token)).Sight.ShouldBe(PoolSight.Absent);
    }

    public void Dispose() => _host.Dispose();
}
