using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using ZfsHaEvents.Domain.Alerts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Domain.Views;

namespace ZfsHaEvents.Cli.Api;

/// <summary>How the server's answers are read and <c>--json</c> is written: camelCase, by generated code.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(IReadOnlyList<PoolOwnership>))]
[JsonSerializable(typeof(OwnerAt))]
[JsonSerializable(typeof(IReadOnlyList<HistoryEntry>))]
[JsonSerializable(typeof(IReadOnlyList<Dossier>))]
[JsonSerializable(typeof(IReadOnlyList<Alert>))]
[JsonSerializable(typeof(IReadOnlyList<HostState>))]
[JsonSerializable(typeof(IReadOnlyList<DeadLetter>))]
[JsonSerializable(typeof(DeadLetter))]
[JsonSerializable(typeof(ReplayBody))]
[JsonSerializable(typeof(DiscardBody))]
[JsonSerializable(typeof(IReadOnlyList<DeadLetterOutcome>))]
[JsonSerializable(typeof(ProjectionsState))]
[JsonSerializable(typeof(IReadOnlyList<ReaderState>))]
[JsonSerializable(typeof(ActivityEntry))]
[JsonSerializable(typeof(IReadOnlyList<ActivityEntry>))]
[JsonSerializable(typeof(AskedBody))]
[JsonSerializable(typeof(ReplayStreamBody))]
[JsonSerializable(typeof(PoolPolicy))]
[JsonSerializable(typeof(Health))]
[JsonSerializable(typeof(Answer))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(SwitchoverBody))]
[JsonSerializable(typeof(FailoverBody))]
[JsonSerializable(typeof(FencingBody))]
[JsonSerializable(typeof(CallOffBody))]
[JsonSerializable(typeof(AcknowledgeBody))]
[JsonSerializable(typeof(PolicyBody))]
[JsonSerializable(typeof(ErrorDocument))]
[JsonSerializable(typeof(NoticeDocument))]
[JsonSerializable(typeof(IReadOnlyList<HistoryDocument>))]
[JsonSerializable(typeof(OwnerDocument))]
[JsonSerializable(typeof(DossierDocument))]
[JsonSerializable(typeof(RequestDocument))]
[JsonSerializable(typeof(SentDocument))]
[JsonSerializable(typeof(IReadOnlyList<MessageTypeDocument>))]
[JsonSerializable(typeof(OperationDocument))]
[JsonSerializable(typeof(ScanDocument))]
[JsonSerializable(typeof(WitnessDocument))]
[JsonSerializable(typeof(PostureDocument))]
[JsonSerializable(typeof(LocksDocument))]
[JsonSerializable(typeof(SpoolDocument))]
sealed partial class ApiJson : JsonSerializerContext
{
    /// <summary>For printing: without the escapes that only HTML needs, for people read this too.</summary>
    public static ApiJson Relaxed => Printed.Json;

    /// <summary>A class of its own, so that it is made after <see cref="Default"/>.</summary>
    static class Printed
    {
        public static readonly ApiJson Json = new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }
}
