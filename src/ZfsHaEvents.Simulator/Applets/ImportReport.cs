using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.Protocol;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>How <c>zpool import</c> shows a pool that could be imported (show_import).</summary>
static class ImportReport
{
    const int NameWidthMin = 10;

    const string InUse = "currently in use";

    /// <summary>What is said of a pool.</summary>
    /// <param name="Status">What is the matter, if anything is.</param>
    /// <param name="Action">What to do.</param>
    /// <param name="MessageId">The message's number, if it has one.</param>
    sealed record Advice(string? Status, string Action, string? MessageId);

    public static void Print(ZpoolContext context, ImportConfig config)
    {
        var terminal = context.Terminal;
        var unavailable = config.Mmp is MmpState.Active or MmpState.NoHostId;
        var health = unavailable ? VdevStatus.Unavailable : config.Health;
        var advice = AdviceOn(config, context.Host.ReadHostId());
        var indent = config.Comment is null ? "" : " ";
        terminal.WriteLine($"{indent}  pool: {config.Name}");
        terminal.WriteLine($"{indent}    id: {config.PoolGuid}");
        terminal.WriteLine($"{indent} state: {health}");
        if (advice.Status is { } status) terminal.WriteLine($"{indent}status: {status.Replace("\n\t", $"\n\t{indent}", StringComparison.Ordinal)}");
        terminal.WriteLine($"{indent}action: {advice.Action.Replace("\n\t", $"\n\t{indent}", StringComparison.Ordinal)}");
        if (config.Comment is { } comment) terminal.WriteLine($"comment: {comment}");
        if (advice.MessageId is { } id) terminal.WriteLine($"{indent}   see: https://openzfs.github.io/openzfs-docs/msg/{id}");
        terminal.WriteLine($"{indent}config:");
        terminal.WriteLine();

        var naming = new VdevNaming(context.Host);
        var width = Math.Max(NameWidthMin, Math.Max(config.Name.Length, naming.WidthMax(config.Vdevs, depth: 2, imported: false)));
        var aux = unavailable ? InUse : health == VdevStatus.Unavailable ? "insufficient replicas" : null;
        PrintVdev(terminal, config.Name, width, depth: 0, health, aux);
        foreach (var vdev in config.Vdevs) PrintTree(terminal, naming, vdev, width, depth: 2);
    }

    /// <summary>The worst that can be said (zpool_import_status).</summary>
    static Advice AdviceOn(ImportConfig config, uint hostId)
    {
        const string SeeHostId = "ZFS-8000-EY";
        var foreign = config.State == PoolState.Active && config.HostId != 0 && config.HostId != hostId;
        var leaves = config.Vdevs.SelectMany(vdev => vdev.Leaves).ToList();
        var faulted = leaves.Exists(leaf => leaf.State == VdevStatus.Faulted);
        var missing = leaves.Exists(leaf => leaf.State == VdevStatus.Unavailable);
        return config switch
        {
            { Mmp: MmpState.Active } => new(
                "The pool is currently imported by another system.",
                $"The pool must be exported from {config.HostName} (hostid={config.HostId:x})\n\tbefore it can be safely imported.",
                SeeHostId),
            { Mmp: MmpState.NoHostId } => new(
                "The pool has the multihost property on.  It cannot\n\tbe safely imported when the system hostid is not set.",
                "Set a unique system hostid with the zgenhostid(8) command.",
                SeeHostId),
            _ when foreign => new("The pool was last accessed by another system.", Action(config.Health, foreign: true), SeeHostId),
            _ when faulted => new("One or more devices are faulted.", Action(config.Health, foreign: false), MessageId: null),
            _ when missing => new(
                "One or more devices contains corrupted data.",
                Action(config.Health, foreign: false),
                config.Health == VdevStatus.Unavailable ? "ZFS-8000-5E" : "ZFS-8000-4J"),
            _ => new(Status: null, Action(config.Health, foreign: false), MessageId: null),
        };
    }

    static string Action(string health, bool foreign) => health switch
    {
        VdevStatus.Online when foreign => "The pool can be imported using its name or numeric identifier and\n\tthe '-f' flag.",
        VdevStatus.Online => "The pool can be imported using its name or numeric identifier.",
        VdevStatus.Degraded =>
            "The pool can be imported despite missing or damaged devices.  The\n\tfault tolerance of the pool may be compromised if imported.",
        _ => "The pool cannot be imported due to damaged devices or data.",
    };

    static void PrintTree(Terminal terminal, VdevNaming naming, VdevStatus vdev, int width, int depth)
    {
        PrintVdev(terminal, naming.Name(vdev, imported: false), width, depth, vdev.State, vdev.Aux);
        foreach (var child in vdev.Children) PrintTree(terminal, naming, child, width, depth + 2);
    }

    static void PrintVdev(Terminal terminal, string name, int width, int depth, string state, string? aux) =>
        terminal.WriteLine($"\t{new string(' ', depth)}{name.PadRight(width - depth)}  {state}{(aux is null ? "" : $"  {aux}")}");
}
