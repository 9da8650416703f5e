using System.Diagnostics;
using System.Globalization;
using Shouldly;
using Xunit;

namespace ZfsHaEvents.Zfs.Tests;

public sealed class HostSequenceTests : IDisposable
{
    readonly TestHost _host = new();

    string SequenceFile => Path.Join(_host.Environment.RunDirectory, "sequence");

    [Fact]
    public void Numbers_grow_and_what_another_boot_left_is_of_no_account()
    {
        var sequence = new HostSequence(_host.Environment);
        long[] drawn = [sequence.Next(), sequence.Next(), new HostSequence(_host.Environment).Next()];
        drawn.ShouldBe(drawn.Distinct().Order());

        File.WriteAllText(SequenceFile, $"{Guid.NewGuid()} {long.MaxValue:D19}\n");
        sequence.Next().ShouldBeInRange(drawn[^1] + 1, long.MaxValue / 2);
    }

    [Fact]
    public void A_number_ahead_of_the_clock_is_followed_by_the_next()
    {
        const long ahead = long.MaxValue / 2;
        File.WriteAllText(Written(), $"{_host.Environment.ReadBootId()} {ahead:D19}\n");
        var sequence = new HostSequence(_host.Environment);
        (sequence.Next(), sequence.Next()).ShouldBe((ahead + 1, ahead + 2));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("nonsense\n")]
    public void A_file_that_is_lost_or_damaged_within_a_boot_brings_no_number_back(string? content)
    {
        var sequence = new HostSequence(_host.Environment);
        var last = Enumerable.Range(0, 100).Select(_ => sequence.Next()).Last();
        if (content is null) Directory.Delete(_host.Environment.RunDirectory, recursive: true);
        else File.WriteAllText(SequenceFile, content);

        sequence.Next().ShouldBeGreaterThan(last);
    }

    [Fact]
    public void A_look_is_taken_with_the_number_and_its_failure_uses_the_number_up()
    {
        var sequence = new HostSequence(_host.Environment);
        var first = sequence.Draw(number => number);
        var failed = 0L;
        Should.Throw<HostException>(() => sequence.Draw<int>(number => throw new HostException($"cannot look at {failed = number}")));
        failed.ShouldBeGreaterThan(first);
        sequence.Next().ShouldBeGreaterThan(failed);
    }

    [Fact]
    public void A_number_that_cannot_be_drawn_is_told_with_its_place_where_root_can_make_a_full_device()
    {
        Directory.CreateDirectory(_host.Environment.RunDirectory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using var full = Process.Start("/usr/bin/mknod", [SequenceFile, "c", "1", "7"]); // A full disk: another /dev/full.
        full.WaitForExit();
        Assert.SkipUnless(full.ExitCode == 0, "making a device node needs root");
        Should.Throw<HostException>(() => new HostSequence(_host.Environment).Next()).Message.ShouldContain(SequenceFile);
    }

    [Fact]
    public async Task Eight_processes_draw_unique_numbers_in_the_order_of_their_looks()
    {
        const int processes = 8, draws = 250;
        var others = Enumerable.Range(0, processes).Select(_ => OtherProcess.Start(_host, "draw", draws.ToString(CultureInfo.InvariantCulture))).ToList();
        var lines = await Task.WhenAll(others.Select(other => other.ReadToEndAsync()));
        others.ForEach(other => other.Dispose());

        // Each line is a number and the time of the look, on the clock that all processes share.
        var looks = lines.SelectMany(line => line).Select(line => line.Split(' ')).Select(words => (Number: Number(words[0]), Time: Number(words[1]))).ToList();
        looks.Count.ShouldBe(processes * draws);
        looks.Select(look => look.Number).ShouldBeUnique();
        looks.OrderBy(look => look.Number).Select(look => look.Time).ShouldBeInOrder(SortDirection.Ascending);

        static long Number(string word) => long.Parse(word, CultureInfo.InvariantCulture);
    }

    string Written()
    {
        new HostSequence(_host.Environment).Next();
        return SequenceFile;
    }

    public void Dispose() => _host.Dispose();
}
