using Shouldly;
using Xunit;
using ZfsHaEvents.Cli.Bus;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Cli.Tests;

public class BusTests
{
    [Fact]
    public void Every_example_is_a_message_that_the_bus_takes()
    {
        var examples = MessageExamples.All().Where(t => t.Example is not null).ToList();
        examples.Count.ShouldBe(7);
        foreach (var type in examples)
            BusVerb.Checked(MessageExamples.Indented(type.Example!.Value)).Message.ShouldBeAssignableTo<IRequest>()!.Id.Value.ShouldBe("move-tank1-2026-11-20");
    }

    [Fact]
    public void Every_type_of_the_bus_is_listed() => MessageExamples.All().Select(t => t.Type).ShouldBe(MessageTypes.All.Select(t => t.Name));

    [Theory]
    [InlineData("{\n \"id\": \"x\",,\n}", "(line 2, column 12)")]
    [InlineData("[]", "expected a CloudEvents 1.0 message: a JSON object")]
    [InlineData("""{"specversion":"1.0","id":"x","source":"/x","type":"zfsha.pool.teleport","data":{}}""", "type 'zfsha.pool.teleport' is not one of ours")]
    [InlineData("""{"specversion":"1.0","id":"x","source":"/x","type":"zfsha.pool.switchover","data":{"pool":"tank1","to":"../x","by":"a"}}""", "'../x' is not a host name")]
    [InlineData("""{"specversion":"1.0","id":"x","source":"/x","type":"zfsha.pool.switchover","data":{"pool":"tank1","to":"../x","by":"a"}}""", "(at data.to)")]
    [InlineData("""{"specversion":"1.0","id":"x","source":"/x","type":"zfsha.pool.switchover","data":{"pool":"tank1","by":"a"}}""", "it lacks 'to'")]
    [InlineData("""{"specversion":"1.0","id":"a b","source":"/x","type":"zfsha.pool.switchover","data":{"pool":"tank1","to":"b","by":"a"}}""", "id 'a b' cannot be a request's id")]
    public void What_is_no_message_is_not_sent_and_it_is_said_what_is_wrong_where(string json, string said)
    {
        var failure = Should.Throw<CommandFailedException>(() => BusVerb.Checked(json));
        failure.ExitCode.ShouldBe(ExitCodes.Usage);
        failure.Message.ShouldContain(said);
    }
}
