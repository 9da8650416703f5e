using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Bus;

/// <summary>The one table of message types: the CloudEvents <c>type</c> and the record it carries. The names are frozen.</summary>
public static class MessageTypes
{
    static readonly (string Name, Type Type)[] Table =
    [
        // Requests: any program may send these.
        ("zfsha.pool.switchover", typeof(SwitchoverPool)),
        ("zfsha.pool.failover", typeof(FailoverPool)),
        ("zfsha.pool.confirm-fencing", typeof(ConfirmFencing)),
        ("zfsha.pool.call-off", typeof(CallOffMove)),
        ("zfsha.pool.acknowledge-halt", typeof(AcknowledgeHalt)),
        ("zfsha.pool.acknowledge-alert", typeof(AcknowledgeAlert)),
        ("zfsha.pool.set-policy", typeof(SetPoolPolicy)),

        // Reports from hosts.
        ("zfsha.host.report", typeof(HostReport)),
        ("zfsha.host.open-session", typeof(OpenSession)),

        // What the control plane tells itself.
        ("zfsha.pool.host-reconnected", typeof(HostReconnected)),
        ("zfsha.pool.host-lost", typeof(HostLost)),
        ("zfsha.pool.step-overdue", typeof(StepOverdue)),
        ("zfsha.pool.takeover-due", typeof(TakeoverDue)),
        ("zfsha.host.evict", typeof(EvictHost)),

        // Orders to hosts.
        ("zfsha.order.export", typeof(ExportPool)),
        ("zfsha.order.import", typeof(ImportPool)),
        ("zfsha.order.read-labels", typeof(ReadLabels)),
    ];

    static readonly Dictionary<string, Type> ByName = Table.ToDictionary(t => t.Name, t => t.Type, StringComparer.Ordinal);
    static readonly Dictionary<Type, string> ByType = Table.ToDictionary(t => t.Type, t => t.Name);

    /// <summary>Every message type.</summary>
    public static IEnumerable<(string Name, Type Type)> All => Table;

    public static Type? TypeOf(string name) => ByName.GetValueOrDefault(name);

    /// <exception cref="KeyNotFoundException">The type is not a message: a bug.</exception>
    public static string NameOf(Type type) => ByType[type];
}
