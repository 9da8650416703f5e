using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Hosts;

namespace ZfsHaEvents.Zfs.Tests;

public sealed class EpochRecordTests : IDisposable
{
    static readonly PoolGuid Pool = TestHost.Tank;
    static readonly Incarnation History = new(Guid.Parse("11111111-1111-1111-1111-111111111111"));
    static readonly Incarnation Restored = new(Guid.Parse("22222222-2222-2222-2222-222222222222"));

    readonly TestHost _host = new();
    readonly EpochRecord _record;

    public EpochRecordTests() => _record = new(_host.Environment);

    string RecordFile => Path.Join(_host.Environment.StateDirectory, "epochs", $"{Pool}.json");

    [Fact]
    public void Nothing_is_obeyed_at_first()
    {
        _record.Obeyed(Pool).ShouldBeNull();
        _record.All().Obeyed.ShouldBeEmpty();
    }

    [Fact]
    public void What_was_obeyed_is_known_to_the_next_process()
    {
        Obey(History, 7).ShouldBeNull();

        new EpochRecord(_host.Environment).Obeyed(Pool).ShouldBe(new(Pool, History, new(7)));
        File.ReadAllText(RecordFile).ShouldBe($$"""{"Pool":"{{Pool}}","Incarnation":"{{History}}","Epoch":7}""" + "\n");
    }

    [Fact]
    public void A_lower_epoch_is_refused_and_the_same_is_not()
    {
        Obey(History, 7);

        Obey(History, 6).ShouldBe(new(OrderRefusal.StaleEpoch, "epoch 6 was ordered, epoch 7 of the same history has been obeyed"));
        Obey(History, 7).ShouldBeNull();
        Obey(History, 8).ShouldBeNull();
        _record.Obeyed(Pool)!.Epoch.ShouldBe(new(8));
    }

    [Fact]
    public void A_new_history_begins_where_it_begins()
    {
        Obey(History, 7);
        Obey(Restored, 2).ShouldBeNull();
        _record.Obeyed(Pool).ShouldBe(new(Pool, Restored, new(2)));
    }

    [Fact]
    public void The_same_epoch_again_writes_nothing()
    {
        Obey(History, 7);
        var written = File.GetLastWriteTimeUtc(RecordFile);
        Thread.Sleep(20);
        Obey(History, 7);
        File.GetLastWriteTimeUtc(RecordFile).ShouldBe(written);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"Pool":"1","Incarnation":"11111111-1111-1111-1111-111111111111","Epoch":1}""")]
    public void A_damaged_record_refuses_everything_and_is_left_as_it_is(string content)
    {
        Obey(History, 7);
        File.WriteAllText(RecordFile, content);

        var refusal = Obey(History, 8).ShouldNotBeNull();
        refusal.Reason.ShouldBe(OrderRefusal.EpochNotRecorded);
        refusal.Detail.ShouldContain("is damaged");
        File.ReadAllText(RecordFile).ShouldBe(content);
        Should.Throw<HostException>(() => _record.Obeyed(Pool));
    }

    [Fact]
    public void A_disk_that_cannot_be_written_refuses_everything()
    {
        File.WriteAllText(_host.Environment.StateDirectory, "a file in the place of the folder");
        Obey(History, 8).ShouldNotBeNull().Reason.ShouldBe(OrderRefusal.EpochNotRecorded);
    }

    [Fact]
    public void All_records_are_told_and_the_damaged_ones_too()
    {
        Obey(History, 7);
        _record.TryObey(new(99), History, new(3), out _);
        File.WriteAllText(Path.Join(_host.Environment.StateDirectory, "epochs", "5.json"), "x");
        File.WriteAllText(Path.Join(_host.Environment.StateDirectory, "epochs", "tank.json"), "x");

        var (obeyed, unreadable) = _record.All();
        obeyed.ShouldBe([new(new(99), History, new(3)), new(Pool, History, new(7))]);
        unreadable.Order().Select(sentence => sentence.Split(" is ")[1].Split(' ')[0]).ShouldBe(["damaged", "not"], ignoreOrder: true);
    }

    [Fact]
    public async Task Of_many_at_once_the_highest_stays()
    {
        await Task.WhenAll(Enumerable.Range(1, 40).Reverse().Select(epoch => Task.Run(() => Obey(History, epoch), Running.Token)));
        _record.Obeyed(Pool)!.Epoch.ShouldBe(new(40));
    }

    public void Dispose() => _host.Dispose();

    Refusal? Obey(Incarnation incarnation, long epoch)
    {
        _record.TryObey(Pool, incarnation, new(epoch), out var refusal).ShouldBe(refusal is null);
        return refusal;
    }
}
