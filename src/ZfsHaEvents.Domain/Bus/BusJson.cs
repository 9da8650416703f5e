using System.Text.Json;
using System.Text.Json.Serialization;
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
[JsonSerializable(typeof(EvictHost))]
[JsonSerializable(typeof(ExportPool))]
[JsonSerializable(typeof(ImportPool))]
[JsonSerializable(typeof(ReadLabels))]
public sealed partial class BusJson : JsonSerializerContext;
