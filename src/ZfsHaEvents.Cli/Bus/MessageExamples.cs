using System.Text.Encodings.Web;
using System.Text.Json;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Cli.Bus;

/// <summary>Every message type, with a whole message of each that people and programs send.</summary>
static class MessageExamples
{
    static readonly JsonWriterOptions IndentedOptions = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    static readonly RequestId Id = new("move-tank1-2026-11-20");
    static readonly PoolReference Tank = new("tank1");
    static readonly HostName A = new("a"), B = new("b");

    static readonly IRequest[] Requests =
    [
        new SwitchoverPool(Id, Tank, B, "alice", "kernel update on a"),
        new FailoverPool(Id, Tank, "alice", B, "a does not answer", A, "power of a cut at the PDU"),
        new ConfirmFencing(Id, Tank, A, "alice", "power of a cut at the PDU"),
        new CallOffMove(Id, Tank, new("fo-1120-0214-k7f2q9ab"), "alice", "a is back"),
        new AcknowledgeHalt(Id, Tank, "alice", "looked at both hosts: only b has it imported"),
        new AcknowledgeAlert(Id, Tank, "MoveHalted-0199a1b2-0000-7000-8000-000000000000", "alice", "looking at it"),
        new SetPoolPolicy(Id, Tank, new(Automatic: true, FencingMethod.MmpAlone, [B, new("c")]), "alice"),
    ];

    public static IReadOnlyList<MessageTypeDocument> All() => [.. MessageTypes.All.Select(t => new MessageTypeDocument(t.Name, GroupOf(t.Name, t.Type), ExampleOf(t.Type)))];

    /// <summary>The example's <c>data</c>, on one line.</summary>
    public static string DataOf(JsonElement example) => example.GetProperty("data").GetRawText();

    public static string Indented(JsonElement example)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, IndentedOptions)) example.WriteTo(writer);
        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }

    static JsonElement? ExampleOf(Type type)
    {
        if (Requests.FirstOrDefault(r => r.GetType() == type) is not { } request) return null;
        using var document = JsonDocument.Parse(new BusMessage(request.Id.Value, "/runbooks/patch-day", Tank.Text, null, request).Write(new(2026, 11, 20, 2, 14, 0, TimeSpan.Zero)));
        return document.RootElement.Clone();
    }

    static string GroupOf(string name, Type type) =>
        type.IsAssignableTo(typeof(IRequest)) ? "request" : name.StartsWith("zfsha.order.", StringComparison.Ordinal) ? "order"
        : name is "zfsha.host.report" or "zfsha.host.open-session" ? "report" : "internal";
}
