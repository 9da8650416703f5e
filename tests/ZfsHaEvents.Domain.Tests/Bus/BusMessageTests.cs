using System.Text.Json;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests.Bus;

/// <summary>The form in which messages come from and go to programs we do not know.</summary>
public sealed class BusMessageTests
{
    static readonly PoolReference Tank = new("tank1");
    static readonly RequestId Id = new("patch-day");

    public static TheoryData<string> Requests => [
        """{"type":"zfsha.pool.switchover","data":{"pool":"tank1","to":"b","by":"alice","reason":"kernel update"}}""",
        """{"type":"zfsha.pool.switchover","data":{"pool":"tank1","to":"b","by":"alice"}}""",
        """{"type":"zfsha.pool.failover","data":{"pool":"tank1","by":"alice"}}""",
        """{"type":"zfsha.pool.failover","data":{"pool":"tank1","by":"alice","to":"b","fencedHost":"a","fencingStatement":"PDU outlet 7 is off"}}""",
        """{"type":"zfsha.pool.confirm-fencing","data":{"pool":"tank1","host":"a","by":"alice","statement":"PDU outlet 7 is off"}}""",
        """{"type":"zfsha.pool.call-off","data":{"pool":"tank1","move":"m1","by":"alice","reason":"not needed"}}""",
        """{"type":"zfsha.pool.acknowledge-halt","data":{"pool":"tank1","by":"alice","comment":"looked"}}""",
        """{"type":"zfsha.pool.acknowledge-alert","data":{"pool":"tank1","alert":"TwoHolders-1","by":"alice","comment":"on it"}}""",
        """{"type":"zfsha.pool.set-policy","data":{"pool":"tank1","policy":{"automatic":true,"fencing":"MmpAlone","targets":["b"]},"by":"alice"}}"""];

    [Theory]
    [MemberData(nameof(Requests))]
    public void A_request_as_the_bus_page_shows_it_is_read_and_takes_the_messages_id(string typeAndData)
    {
        var message = BusMessage.Read($"{{\"specversion\":\"1.0\",\"id\":\"{Id}\",\"source\":\"/runbooks\",{typeAndData[1..]}");

        var request = message.Message.ShouldBeAssignableTo<IRequest>()!;
        request.Id.ShouldBe(Id);
        request.Pool.ShouldBe(Tank);
        request.By.ShouldBe("alice");
        message.Source.ShouldBe("/runbooks");
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public void A_request_that_is_written_and_read_is_the_same_and_its_data_has_no_id(string typeAndData)
    {
        var message = BusMessage.Read($"{{\"specversion\":\"1.0\",\"id\":\"{Id}\",\"source\":\"/runbooks\",{typeAndData[1..]}");

        var text = message.Write(DateTimeOffset.UnixEpoch);

        BusMessage.Read(text).Write(DateTimeOffset.UnixEpoch).ShouldBe(text);
        using var json = JsonDocument.Parse(text);
        json.RootElement.GetProperty("data").TryGetProperty("id", out _).ShouldBeFalse();
    }

    [Fact]
    public void An_id_inside_the_data_does_not_replace_the_messages()
    {
        var message = BusMessage.Read("""{"specversion":"1.0","id":"outer","source":"/x","type":"zfsha.pool.switchover","data":{"id":"inner","pool":"tank1","to":"b","by":"alice"}}""");

        ((IRequest)message.Message).Id.ShouldBe(new RequestId("outer"));
    }

    [Theory]
    [InlineData("nonsense", "not JSON")]
    [InlineData("[]", "a JSON object")]
    [InlineData("""{"id":"1","source":"/x","type":"t","data":{}}""", "specversion is missing")]
    [InlineData("""{"specversion":"0.3","id":"1","source":"/x","type":"t","data":{}}""", "'0.3'")]
    [InlineData("""{"specversion":"1.0","source":"/x","type":"t","data":{}}""", "id is missing")]
    [InlineData("""{"specversion":"1.0","id":"1","type":"t","data":{}}""", "source is missing")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"/x","type":"com.example.other","data":{}}""", "'com.example.other'")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"/x","type":"zfsha.pool.switchover"}""", "data is missing")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"/x","type":"zfsha.pool.switchover","data":null}""", "null")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"/x","type":"zfsha.pool.switchover","data":{"pool":"tank1","by":"alice"}}""", "'to'")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"/x","type":"zfsha.pool.switchover","data":{"pool":"tank1","to":null,"by":"alice"}}""", "$.to")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"/x","type":"zfsha.pool.switchover","data":{"pool":"../x","to":"b","by":"alice"}}""", "../x")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"/x","type":"zfsha.pool.switchover","data":{"pool":"-f","to":"b","by":"alice"}}""", "-f")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"/x","type":"zfsha.pool.switchover","data":{"pool":"tank1","to":"b;reboot","by":"alice"}}""", "b;reboot")]
    [InlineData("""{"specversion":"1.0","id":"a b","source":"/x","type":"zfsha.pool.switchover","data":{"pool":"tank1","to":"b","by":"alice"}}""", "'a b'")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"/x","type":"zfsha.pool.switchover","data":{"pool":"tank1","to":"b","by":""}}""", "'by'")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"/x","type":"zfsha.pool.acknowledge-halt","data":{"pool":"tank1","by":" \t","comment":"looked"}}""", "'by'")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"/x","type":"zfsha.pool.set-policy","data":{"pool":"tank1","policy":{"automatic":true,"fencing":"Prayer","targets":[]},"by":"alice"}}""", "policy")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"/x","type":"zfsha.pool.set-policy","data":{"pool":"tank1","policy":{"automatic":true,"fencing":99,"targets":[]},"by":"alice"}}""", "fencing")]
    [InlineData("""{"specversion":"1.0","id":"1","source":"/x","type":"zfsha.host.report","data":{"poolId":"1","name":"t","host":"a","boot":"20047857-1203-8052-8eaf-7ce46b9d267c","order":null,"actor":"x","facts":[{"kind":"miracle"}]}}""", "miracle")]
    public void What_cannot_be_understood_is_refused_with_what_is_wrong_with_it(string text, string said) =>
        Should.Throw<MalformedMessageException>(() => BusMessage.Read(text)).Message.ShouldContain(said);

    [Fact]
    public void A_name_too_long_to_be_known_again_by_is_refused() =>
        Should.Throw<MalformedMessageException>(() => BusMessage.Read($"{{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/{new string('x', 1000)}\",\"type\":\"zfsha.pool.switchover\",\"data\":{{}}}}"))
            .Message.ShouldContain("1000 at most");

    [Fact]
    public void A_report_survives_the_reordering_of_its_members_by_jsonb()
    {
        var message = BusMessage.Read("""
            {"specversion":"1.0","id":"r1","source":"/hosts/a","type":"zfsha.host.report","data":{"facts":[{"sequence":3,"observedAt":"2026-03-01T12:00:00Z",
            "sight":{"presence":"ReadWrite","health":"Online","multihost":true,"leaves":["/dev/x"]},"kind":"observed"}],
            "actor":"zfsha-agent","order":null,"boot":"20047857-1203-8052-8eaf-7ce46b9d267c","host":"a","name":"tank1","poolId":"9001"}}
            """);

        message.Message.ShouldBeOfType<HostReport>().Facts.ShouldHaveSingleItem().ShouldBeOfType<HostFact.Observed>().Sight.Presence.ShouldBe(PoolPresence.ReadWrite);
    }
}
