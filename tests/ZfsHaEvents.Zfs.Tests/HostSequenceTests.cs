using System.Globalization;
using Shouldly;
using Xunit;

namespace ZfsHaEvents.Zfs.Tests;

public sealed class HostSequenceTests : IDisposable
{
    readonly TestHost _host = new();

    [Fact]
    public void Numbers_begin_at_1_and_again_in_a_new_boot()
    {
        var sequence = new HostSequence(_host.Environment);
        (sequence.Next(), sequence.Next(), new HostSequence(_host.Environment).Next()).ShouldBe((1, 2, 3));

        _host.Boot();
        (sequence.Next(), sequence.Next()).ShouldBe((1, 2));
    }

    [Fact]
    public void A_look_is_taken_with_the_number_and_its_failure_uses_the_number_up()
    {
        var sequence = new HostSequence(_host.Environment);
        sequence.Draw(number => $"saw {number}").ShouldBe("saw 1");
        Should.Throw<HostException>(() => sequence.Draw<int>(_ => throw new HostException("cannot look")));
        sequence.Next().ShouldBe(3);
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
        looks.Select(look => look.Number).Order().ShouldBe(Enumerable.Range(1, processes * draws).Select(number => (long)number));
        looks.OrderBy(look => look.Number).Select(look => look.Time).ShouldBeInOrder(SortDirection.Ascending);

        static long Number(string word) => long.Parse(word, CultureInfo.InvariantCulture);
    }

    [Fact]
    public void A_damaged_file_is_never_begun_anew()
    {
        new HostSequence(_host.Environment).Next();
        File.WriteAllText(Path.Join(_host.Environment.RunDirectory, "sequence"), "nonsense\n");
        Should.Throw<HostException>(() => new HostSequence(_host.Environment).Next()).Message.ShouldContain("is damaged");
    }

    public void Dispose() => _host.Dispose();
}
