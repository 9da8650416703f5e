using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Commands;
using ZfsHaEvents.Zfs.Locks;
using ZfsHaEvents.Zfs.Operations;
using ZfsHaEvents.Zfs.Tests.Operations;
using static ZfsHaEvents.Zfs.Tests.Running;

namespace ZfsHaEvents.Zfs.Tests.Locks;

/// <summary>
/// The two races between import-export sequences on one host that made the Integrated Manager for Lustre lock: a thread A mounts
/// a target on a pool while a thread B scans devices. Each is run without the lock, where it must fail, and with it.
/// </summary>
public sealed class ImportExportSequencesTests : IDisposable
{
    static readonly PoolGuid Pool = TestHost.Tank;
    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(20);

    readonly TestHost _host = new();
    readonly HostLocks _locks;
    readonly Kstats _kstats;

    public ImportExportSequencesTests()
    {
        _locks = new(_host.Environment, TimeProvider.System);
        _kstats = new(_host.Environment);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Scenario_1_both_find_the_pool_absent_and_both_import_it(bool locked)
    {
        var bothListed = new Barrier(2);
        async Task<ZpoolFailure> ListThenImportAsync()
        {
            using var held = await TakeAsync(locked);
            var imported = IsImported();
            // The moment between the list and the import, in which the other one also lists, if it is let.
            await Task.Run(() => bothListed.SignalAndWait(TimeSpan.FromSeconds(0.5), Token), Token);
            return imported ? ZpoolFailure.None : (await ZpoolAsync(held, "import", Pool.ToString())).Run.Failure;
        }

        var failures = await Task.WhenAll(Task.Run(ListThenImportAsync, Token), Task.Run(ListThenImportAsync, Token));

        failures.Order().ShouldBe(locked ? [ZpoolFailure.None, ZpoolFailure.None] : [ZpoolFailure.None, ZpoolFailure.NameTaken]);
        IsImported().ShouldBeTrue();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Scenario_2_one_relies_on_the_import_that_the_other_undoes(bool locked)
    {
        var scanning = new TaskCompletionSource();
        var listed = new TaskCompletionSource();
        var scanned = new TaskCompletionSource();

        async Task ScanDevicesAsync() // Thread B.
        {
            using (var held = await TakeAsync(locked))
            {
                IsImported().ShouldBeFalse();
                await ZpoolAsync(held, "import", Pool.ToString());
                scanning.SetResult();
                await Task.WhenAny(listed.Task, Task.Delay(500, Token));
                await ZpoolAsync(held, "export", "tank1"); // It exports only what it imported itself, and still does harm.
            }
            scanned.SetResult();
        }

        async Task<ZpoolFailure> CreateDatasetAsync() // Thread A.
        {
            await scanning.Task;
            using var held = await TakeAsync(locked);
            if (!IsImported()) await ZpoolAsync(held, "import", Pool.ToString());
            listed.SetResult();
            await scanned.Task;
            return (await ZpoolAsync(held, "get", "guid", "tank1")).Run.Failure; // Stands for any operation on the imported pool.
        }

        var scan = Task.Run(ScanDevicesAsync, Token);
        var failure = await Task.Run(CreateDatasetAsync, Token);
        await scan;

        failure.ShouldBe(locked ? ZpoolFailure.None : ZpoolFailure.NotImported);
    }

    [Fact]
    public async Task Of_many_imports_at_once_one_runs_and_all_find_the_pool_imported()
    {
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(
            () => new PoolOperations(_host.Environment, new RecordingSink(), TimeProvider.System)
                .ImportAsync(new(Pool, null, [], new($"import {i}", "a test", Plenty, Plenty)), Token),
            Token)));

        outcomes.ShouldAllBe(outcome => outcome.Failure == ZpoolFailure.None && outcome.Sight.Presence == PoolPresence.ReadWrite);
        _host.ZpoolCalls().Count(call => call.StartsWith("import")).ShouldBe(1);
    }

    public void Dispose() => _host.Dispose();

    async Task<HeldLock?> TakeAsync(bool locked) =>
        locked ? ((LockAttempt.Acquired)await _locks.AcquireAsync(Pool, "a sequence", Plenty, null, Token)).Lock : null;

    bool IsImported() => _kstats.Read().Any(pool => pool.PoolGuid == Pool);

    Task<ChildResult> ZpoolAsync(HeldLock? held, params string[] arguments) =>
        ChildProcess.RunAsync(new(_host.Environment.ProgramFile("zpool"), arguments, Plenty) { Under = held }, Token);
}
