using System.Globalization;
using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Zfs.Spooling;

namespace ZfsHaEvents.Zfs.Tests;

public sealed class SpoolTests : IDisposable
{
    readonly TestHost _host = new();

    string Folder => Path.Join(_host.Environment.StateDirectory, "spool");

    [Fact]
    public void Entries_are_read_as_they_were_appended()
    {
        _host.Spool.Append("""{"a":"ü \" \n"}""", new OrderId("move-1/import/1"));
        _host.Spool.Append("{\n  \"b\": 2\n}");

        _host.Spool.ReadPending().Entries.ShouldBe([new(1, new OrderId("move-1/import/1"), """{"a":"ü \" \n"}"""), new(2, null, "{\n  \"b\": 2\n}")]);
    }

    [Fact]
    public void An_empty_spool_has_nothing_pending() => _host.Spool.ReadPending().Entries.ShouldBeEmpty();

    [Fact]
    public void A_number_is_never_used_again()
    {
        var spool = _host.Spool;
        spool.Remove(spool.Append("1"));
        spool.Remove(spool.Append("2"));
        new Spool(_host.Environment).Append("3").Number.ShouldBe(3);

        var last = spool.Append("4");
        spool.Remove(spool.ReadPending().Entries[0]);
        spool.Remove(last);
        spool.Remove(last);
        spool.Append("5").Number.ShouldBe(5);
    }

    [Fact]
    public void The_oldest_come_first_and_as_many_as_asked()
    {
        for (var i = 1; i <= 12; i++) _host.Spool.Append(i.ToString(CultureInfo.InvariantCulture));
        _host.Spool.ReadPending(max: 10).Entries.Select(entry => entry.Number).ShouldBe([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"Completes\":null,\"Te")]
    [InlineData("null")]
    [InlineData("{\"Completes\":null}")]
    [InlineData("{\"Completes\":null,\"Text\":null}")]
    public void A_file_that_is_no_entry_is_put_aside_and_told_and_the_others_are_read(string content)
    {
        _host.Spool.Append("1");
        File.WriteAllText(Path.Join(Folder, "0000000000000000002.json"), content);
        _host.Spool.Append("3").Number.ShouldBe(3);

        var reading = _host.Spool.ReadPending();
        reading.Entries.Select(entry => entry.Number).ShouldBe([1, 3]);
        reading.Bad.ShouldHaveSingleItem().ShouldContain("bad/0000000000000000002.json is no spool entry");
        File.ReadAllText(Path.Join(Folder, "bad/0000000000000000002.json")).ShouldBe(content);
        _host.Spool.ReadPending().Bad.ShouldBeEmpty();
    }

    [Fact]
    public void What_a_dead_writer_left_unfinished_is_ignored_and_removed()
    {
        _host.Spool.Append("1");
        var torn = Path.Join(Folder, ".tmp-0000000000000000002.json");
        File.WriteAllText(torn, "{\"Com");

        _host.Spool.ReadPending().Entries.Count.ShouldBe(1);
        _host.Spool.Append("2").Number.ShouldBe(2);
        File.Exists(torn).ShouldBeFalse();
    }

    [Fact]
    public void A_full_disk_is_told_with_its_place()
    {
        Directory.CreateDirectory(_host.Environment.StateDirectory);
        File.WriteAllText(Folder, "a file in the place of the folder");
        var message = Should.Throw<HostException>(() => _host.Spool.Append("1")).Message;
        message.ShouldContain(Folder);
        message.ShouldEndWith("move it out of the way.");
    }

    [Fact]
    public async Task A_writer_killed_at_any_moment_loses_nothing_it_was_told_is_safe()
    {
        var random = new Random(20261120);
        var acknowledged = new List<(int Process, long Number, long Serial)>();
        for (var round = 0; round < 50; round++)
        {
            using var writer = OtherProcess.Start(_host, "append-for-ever");
            acknowledged.Add(Acknowledged(writer.Id, await writer.ReadLineAsync()));
            await Task.Delay(random.Next(0, 30), Running.Token);
            var killing = writer.KillAsync();
            acknowledged.AddRange((await writer.ReadToEndAsync()).Where(line => line.Contains(' ')).Select(line => Acknowledged(writer.Id, line)));
            await killing;
        }

        var entries = _host.Spool.ReadPending(max: int.MaxValue);
        entries.Bad.ShouldBeEmpty();
        entries.Entries.Select(entry => entry.Number).ShouldBeUnique();
        var byNumber = entries.Entries.ToDictionary(entry => entry.Number, entry => entry.Text);
        acknowledged.Count.ShouldBeGreaterThan(50);
        acknowledged.Select(entry => entry.Number).ShouldBeInOrder(SortDirection.Ascending);
        foreach (var (process, number, serial) in acknowledged) byNumber[number].ShouldBe($$"""{"Writer":{{process}},"Serial":{{serial}}}""");

        static (int Process, long Number, long Serial) Acknowledged(int process, string line) =>
            line.Split(' ') is [var number, var serial]
                ? (process, long.Parse(number, CultureInfo.InvariantCulture), long.Parse(serial, CultureInfo.InvariantCulture))
                : throw new FormatException(line);
    }

    [Fact]
    public async Task Waiting_ends_with_an_append_by_this_process_and_by_another()
    {
        var spool = _host.Spool;
        var waiting = spool.WaitAsync(above: 0, Running.Token);
        await Task.Delay(50, Running.Token);
        waiting.IsCompleted.ShouldBeFalse();

        spool.Append("1");
        await waiting.WaitAsync(TimeSpan.FromSeconds(5), Running.Token);

        waiting = spool.WaitAsync(above: 1, Running.Token);
        using var writer = OtherProcess.Start(_host, "append-for-ever");
        await waiting.WaitAsync(TimeSpan.FromSeconds(10), Running.Token);
    }

    [Fact]
    public async Task Waiting_can_be_given_up()
    {
        using var impatience = new CancellationTokenSource(TimeSpan.FromSeconds(0.1));
        await Should.ThrowAsync<OperationCanceledException>(() => _host.Spool.WaitAsync(above: 0, impatience.Token));
    }

    public void Dispose() => _host.Dispose();
}
