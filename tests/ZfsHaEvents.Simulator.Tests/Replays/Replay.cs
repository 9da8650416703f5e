using System.Globalization;
using System.Text.RegularExpressions;
using Shouldly;
using Xunit;
using ZfsHaEvents.Zfs.Tests;

namespace ZfsHaEvents.Simulator.Tests.Replays;

/// <summary>
/// Types what was typed on a real host with OpenZFS 2.3.9 on a fake one, and compares what comes of it: standard output, standard
/// error and exit code. All differences of a recording are shown together.
/// </summary>
sealed partial class Replay : IAsyncDisposable
{
    /// <summary>What the lab's own commands do, as far as the recordings need them. A sleep is as much shorter as the world is faster.</summary>
    const string Prelude = """
        sleep() { command sleep "$(awk -v s="$1" -v scale="$SCALE" 'BEGIN { print s * scale }')"; }
        dmesg() { :; }
        sim() { "$SIMULATOR" "$@"; }
        time() { "$@"; _rc=$?; [ $_rc = 0 ] || echo "Command exited with non-zero status $_rc" >&2; printf 'real\t0m\nuser\t0m\nsys\t0m\n' >&2; return $_rc; }
        """;

    /// <summary>Lines that a kernel's log, a file system and the shell wrote, not ZFS's commands.</summary>
    const string NeverSimulated = @"^\[ *\d+\.\d+\] .*\n|^\d+\+0 records (?:in|out)\n|^Terminated\n|^Killed\n";

    readonly FakeWorld _world;
    readonly string _file;
    readonly ReplayTotals _totals;
    readonly LineMask _mask = new();
    readonly List<string> _differences = [];
    int _commands;
    int _exact;
    int _masked;
    int _leftOut;

    Replay(FakeWorld world, string file, ReplayTotals totals) => (_world, _file, _totals) = (world, file, totals);

    public FakeWorld World => _world;

    /// <param name="file">How the recording's file name begins.</param>
    /// <param name="options">Further options of the world.</param>
    public static async Task<Replay> BeginAsync(ReplayTotals totals, string file, params IReadOnlyList<string> options) =>
        new(await FakeWorld.CreateAsync(["hosta", "hostb"], options), file, totals);

    /// <summary>A replay of another recording in the same world.</summary>
    public Replay Of(string file) => new(_world, file, _totals);

    /// <summary>Types something that was not recorded, to come where the recording begins. It must succeed.</summary>
    public async Task SetUpAsync(string host, string command)
    {
        var ended = await TypeAsync(host, command);
        ended.ExitCode.ShouldBe(0, $"{host}: {command}: {ended}");
    }

    /// <summary>Types a recorded command and compares.</summary>
    /// <param name="host">hosta or hostb.</param>
    /// <param name="recorded">The command as it was recorded.</param>
    /// <param name="typed">What to type instead, where the recording holds parts that no fake host has.</param>
    /// <param name="leaveOut">Recorded lines that so cannot come (a regular expression over whole lines), in output and errors.</param>
    /// <param name="index">Which of several recordings of the command.</param>
    public async Task TypeAsync(string host, string recorded, string? typed = null, string? leaveOut = null, int index = 0)
    {
        var expected = Transcript.All.Where(entry =>
            entry.File.StartsWith(_file, StringComparison.Ordinal) && entry.Host == host && entry.Command == recorded).ElementAtOrDefault(index)
            ?? throw new InvalidOperationException($"{_file} has no such command of {host}: {recorded}");
        var ended = await TypeAsync(host, typed ?? recorded);
        _commands++;
        Compare($"{host} $ {recorded}", "stdout", Left(expected.Stdout, leaveOut), ended.Stdout);
        // Some recordings end in the middle: their standard error was not kept.
        if (expected.ExitCode is not null || expected.Stderr.Length > 0)
            Compare($"{host} $ {recorded}", "stderr", Left(expected.Stderr, leaveOut), ended.Stderr);
        if (expected.ExitCode is { } code && code != ended.ExitCode) _differences.Add($"{host} $ {recorded}\n  exit {code}, simulated {ended.ExitCode}");
    }

    /// <summary>Says which pool of the recording a pool of this world is.</summary>
    public async Task PairGuidAsync(string host, string pool, string recordedGuid) =>
        _mask.Pair(recordedGuid, (await _world.ZpoolAsync(host, "get", "-H", "-o", "value", "guid", pool)).Trim()).ShouldBeTrue();

    /// <summary>The same for a pool that nobody holds.</summary>
    public async Task PairFoundGuidAsync(string host, string recordedGuid) =>
        _mask.Pair(recordedGuid, (await TypeAsync(host, "zdb -l virtio-d0-part1 | awk '$1 == \"pool_guid:\" { print $2 }'")).Stdout.Trim()).ShouldBeTrue();

    /// <summary>Ends the replay: no difference, and how much was compared.</summary>
    public void Finish()
    {
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{_file}: {_commands} commands, {_exact} lines equal, {_masked} equal but for what is masked, {_leftOut} left out");
        _differences.ShouldBeEmpty(string.Join("\n\n", _differences) + "\n" + _world.Log());
        _commands.ShouldBePositive();
        _totals.Add(_commands, _exact, _masked, _leftOut);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    async Task<Ended> TypeAsync(string host, string command)
    {
        var root = _world.Host(host).Path;
        // A GUID that was typed is that of the pool which stands for the recorded one.
        command = Regex.Replace(command, @"\b\d{15,20}\b", number => _mask.Simulated(number.Value));
        command = Regex.Replace(command, @"(?<![\w.])/(?:proc/spl|proc/sys/kernel/spl|sys/module|etc/hostid)", path => root + path.Value);
        Dictionary<string, string> variables = new()
        {
            ["PATH"] = $"{_world.Host(host).Sbin}:/usr/bin:/bin",
            ["SCALE"] = FakeWorld.TimeScale.ToString(CultureInfo.InvariantCulture),
            ["SIMULATOR"] = FakeWorld.Simulator,
            ["HOST"] = root,
            ["TZ"] = "UTC",
            ["LC_ALL"] = "C",
        };
        var ended = await _world.Start(variables, "/bin/sh", "-c", Prelude + "\n" + command).EndAsync();
        return ended with { Stdout = ended.Stdout.Replace(root, "", StringComparison.Ordinal), Stderr = ended.Stderr.Replace(root, "", StringComparison.Ordinal) };
    }

    string Left(string recorded, string? leaveOut)
    {
        var pattern = leaveOut is null ? NeverSimulated : $"{NeverSimulated}|{leaveOut}";
        return Regex.Replace(recorded, pattern, gone =>
        {
            _leftOut += gone.Value.Count(character => character == '\n');
            return "";
        }, RegexOptions.Multiline);
    }

    void Compare(string command, string stream, string recorded, string simulated)
    {
        var wide = LineMask.HasGuidColumn(recorded);
        if (wide) (recorded, simulated) = (Spaces().Replace(recorded, " "), Spaces().Replace(simulated, " "));
        var (left, right) = (recorded.Split('\n'), simulated.Split('\n'));
        for (var at = 0; at < Math.Max(left.Length, right.Length); at++)
        {
            var (want, have) = (left.ElementAtOrDefault(at), right.ElementAtOrDefault(at));
            var (same, masked) = want is not null && have is not null ? _mask.Compare(want, have) : (false, false);
            if (!same)
            {
                _differences.Add($"{command}\n  {stream} line {at + 1}\n  recorded  {want ?? "(nothing)"}\n  simulated {have ?? "(nothing)"}");
                // What follows a missing line would differ as well and say nothing new.
                return;
            }
            if (want!.Length == 0) continue;
            if (masked || wide) _masked++;
            else _exact++;
        }
    }

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();
}
