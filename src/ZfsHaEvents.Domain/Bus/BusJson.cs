using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Bus;

/// <summary>
/// How <c>data</c> is written: camelCase; a member that a record needs and the message lacks is an error, one that the record does
/// not know is passed over.
/// </summary>
/// <remarks>PostgreSQL's jsonb reorders members, so a fact's <c>kind</c> need not come first.</remarks>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    AllowOutOfOrderMetadataProperties = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(SwitchoverPool))]
[JsonSerializable(typeof(FailoverPool))]
[JsonSerializable(typeof(ConfirmFencing))]
[JsonSerializable(typeof(CallOffMove))]
[JsonSerializable(typeof(AcknowledgeHalt))]
[JsonSerializable(typeof(AcknowledgeAlert))]
[JsonSerializable(typeof(SetPoolPolicy))]
[JsonSerializable(typeof(HostReport))]
[JsonSerializable(typeof(OpenSession))]
[JsonSerializable(typeof(HostReconnected))]
[JsonSerializable(typeof(HostLost))]
[JsonSerializable(typeof(StepOverdue))]
[JsonSerializable(typeof(TakeoverDue))]
[JsonSerializable(typeof(EvictHost))]
[JsonSerializable(typeof(ExportPool))]
[JsonSerializable(typeof(ImportPool))]
[JsonSerializable(typeof(ReadLabels))]
public sealed partial class BusJson : JsonSerializerContext;

/// <summary>How <c>data</c> is read.</summary>
static class BusReading
{
    static readonly JsonSerializerOptions Options = new(BusJson.Default.Options) { TypeInfoResolver = BusJson.Default.WithAddedModifier(TakeIdFromEnvelope) };

    public static JsonTypeInfo Of(Type type) => Options.GetTypeInfo(type);

    /// <summary>A request's id is the message's; in <c>data</c> it need not be, though the record's constructor takes it.</summary>
    static void TakeIdFromEnvelope(JsonTypeInfo info)
    {
        if (!typeof(IRequest).IsAssignableFrom(info.Type)) return;
        foreach (var property in info.Properties.Where(p => p.Name == "id")) property.IsRequired = false;
    }
}
