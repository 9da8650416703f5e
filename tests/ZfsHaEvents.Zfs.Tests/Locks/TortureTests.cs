using System.Diagnostics;
using System.Globalization;
using Shouldly;
using Xunit;
using ZfsHaEvents.Zfs.Locks;

namespace ZfsHaEvents.Zfs.Tests.Locks;

/// <summary>
/// Fifty processes that want one lock, killed and stopped at random. ZFSHA_TORTURE_SECONDS says for how long (12; the full measure is 60), ZFSHA_SEED which
/// ones.
/// </summary>
public sealed class TortureTests : IDisposable
{
    const int Processes = 50;

    static readonly double Seconds = double.Parse(Environment.GetEnvironmentVariable("ZFSHA_TORTURE_SECONDS") ?? "12", CultureInfo.InvariantCulture);
    static readonly int Seed = int.Parse(Environment.GetEnvironmentVariable("ZFSHA_SEED") ?? Random.Shared.Next(1_000_000).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    readonly TestHost _host = new();
    readonly List<OtherProcess> _processes = [];

    [Fact]
    public async Task Fifty_processes_killed_and_stopped_at_random_are_never_in_it_at_once()
    {
        var random = new Random(Seed);
        var (kills, stops) = (0, 0);
        await StartAsync(Processes, "locked");
        var waking = new List<Task>();
        var started = Stopwatch.GetTimestamp();
        bool HasHappened() => kills >= 10 && stops >= 10 && Entered() >= Processes;
        while (Stopwatch.GetElapsedTime(started).TotalSeconds is var passed && (passed < Seconds || (!HasHappened() && passed < Seconds + 60))) // On a busy machine it takes longer.
        {
            var i = random.Next(Processes);
            if (random.Next(3) > 0)
            {
                stops++;
                var stopped = _processes[i];
                stopped.Stop(true);
                waking.Add(Task.Delay(random.Next(400), Running.Token).ContinueWith(_ => stopped.Stop(false), TaskScheduler.Default));
            }
            else
            {
                kills++;
                await Task.WhenAll(waking); // A number that is sent a signal must still be its process's.
                waking.Clear();
                await _processes[i].KillAsync();
                _processes[i].Dispose();
                _processes[i] = await StartOneAsync("locked");
            }
            await Task.Delay(random.Next(60), Running.Token);
        }
        await Task.WhenAll(waking);

        Violations().ShouldBeEmpty($"ZFSHA_SEED={Seed}");
        TestContext.Current.TestOutputHelper!.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ZFSHA_SEED={Seed}: {kills} killed, {stops} stopped, {Entered()} times in"));
        HasHappened().ShouldBeTrue();

        foreach (var process in _processes) await process.KillAsync();
        (await new HostLocks(_host.Environment, TimeProvider.System).AcquireAsync(TestHost.Tank, "afterwards", TimeSpan.FromSeconds(10), null, Running.Token))
            .ShouldBeOfType<LockAttempt.Acquired>().Lock.Dispose();
        Violations().ShouldBeEmpty($"ZFSHA_SEED={Seed}");
    }

    [Fact]
    public async Task The_judge_finds_those_who_are_in_at_once()
    {
        await StartAsync(4, "unlocked");
        await Eventually.TrueAsync(() => Violations().Length > 3);
    }

    public void Dispose()
    {
        foreach (var process in _processes) process.Dispose();
        _host.Dispose();
    }

    async Task StartAsync(int count, string exclusion)
    {
        foreach (var _ in Enumerable.Range(0, count)) _processes.Add(OtherProcess.Start(_host, "contend", TestHost.Tank.ToString(), _host.Folder, exclusion));
        foreach (var process in _processes) (await process.ReadLineAsync()).ShouldBe("ready");
    }

    async Task<OtherProcess> StartOneAsync(string exclusion)
    {
        var process = OtherProcess.Start(_host, "contend", TestHost.Tank.ToString(), _host.Folder, exclusion);
        (await process.ReadLineAsync()).ShouldBe("ready");
        return process;
    }

    long Entered() => new FileInfo(Contender.EnteredFile(_host.Folder)) is { Exists: true } file ? file.Length : 0;

    string[] Violations() => File.Exists(Contender.ViolationsFile(_host.Folder)) ? File.ReadAllLines(Contender.ViolationsFile(_host.Folder)) : [];
}
