using System.Globalization;
using System.Text.RegularExpressions;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Zfs.Commands;

/// <summary>A vdev label as <c>zdb -l</c> prints it.</summary>
/// <param name="State">POOL_STATE_* (sys/fs/zfs.h): 0 active, 1 exported, 2 destroyed, 3 spare, 4 cache …</param>
/// <param name="Pool">Null on a spare's or cache device's label, which belongs to no pool.</param>
/// <param name="HostId">Zero when the label carries none.</param>
/// <param name="Txg">When the label was last rewritten: at import, export and changes of the configuration.</param>
public sealed record VdevLabel(int State, string Name, PoolGuid? Pool, ZfsHostId HostId, string HostName, ulong Txg)
{
    public LabelState PoolState() => State switch { 0 => LabelState.Active, 1 => LabelState.Exported, _ => LabelState.Other };
}

/// <summary>An uberblock as <c>zdb -lu</c> prints it.</summary>
/// <param name="Timestamp">Seconds since 1970 by the writing host's clock.</param>
/// <param name="MmpDelay">Nanoseconds between multihost writes, averaged; 0 while multihost is off.</param>
/// <param name="MmpSequence">Counts the multihost writes within a second.</param>
/// <param name="MmpInterval">Milliseconds from one multihost write to a leaf to the next (<c>mmp_write</c>); 0 while multihost is off, and before OpenZFS 0.8.</param>
public sealed record Uberblock(ulong Txg, long Timestamp, ulong MmpMagic, ulong MmpDelay, int MmpSequence, ulong MmpInterval = 0)
{
    /// <summary>MMP_MAGIC (sys/uberblock_impl.h), for "all clear".</summary>
    public const ulong Magic = 0xa11cea11;

    /// <summary>Whether multihost protection was on when this was written (MMP_INTERVAL_OK and its kin in sys/uberblock_impl.h).</summary>
    public bool MmpActive() => MmpMagic == Magic && MmpDelay > 0;

    /// <summary>Which of two was written later: as the kernel compares them (vdev_uberblock_compare, module/zfs/vdev_label.c).</summary>
    public bool IsNewerThan(Uberblock other) =>
        (Txg, Timestamp, MmpSequence).CompareTo((other.Txg, other.Timestamp, other.MmpSequence)) > 0;
}

/// <summary>What one leaf device carries: its newest label and its newest uberblock.</summary>
public sealed record LeafLabel(VdevLabel Label, Uberblock? Newest)
{
    /// <summary>What the label tells of the pool's other devices; null when it does not.</summary>
    public LabelTree? Tree { get; init; }
}

/// <summary>What a label tells of the devices of its pool: all of its own top-level vdev, and how many others there are.</summary>
/// <param name="TopLevel">The GUID of the top-level vdev that the device belongs to.</param>
/// <param name="TopLevels">How many top-level vdevs the pool has, without the holes that removed ones leave.</param>
/// <param name="Leaves">How many leaves its own has.</param>
public sealed record LabelTree(ulong TopLevel, int TopLevels, int Leaves);

/// <summary>Reads what <c>zdb -l</c> and <c>zdb -lu</c> print.</summary>
public static partial class ZdbOutput
{
    /// <summary>
    /// The newest label and uberblock of the device; null when it printed no label. The four copies on a device may differ after
    /// an interrupted write, and are printed apart then.
    /// </summary>
    public static LeafLabel? Leaf(string stdout)
    {
        VdevLabel? label = null;
        LabelTree? tree = null;
        Uberblock? newest = null;
        foreach (var block in Block().Split(stdout))
        {
            if (block.StartsWith("LABEL", StringComparison.Ordinal))
            {
                if (Label(block) is { } read && (label is null || read.Txg > label.Txg)) (label, tree) = (read, Tree(block));
            }
            else if (block.StartsWith("Uberblock", StringComparison.Ordinal))
            {
                if (OneUberblock(block) is { } read && (newest is null || read.IsNewerThan(newest))) newest = read;
            }
        }
        return label is null ? null : new(label, newest) { Tree = tree };
    }

    /// <summary>What is missing of the pool's leaves, going by the labels of those that were read; null when they are all.</summary>
    public static string? Missing(IReadOnlyList<LeafLabel> leaves)
    {
        if (leaves.Any(leaf => leaf.Tree is null)) return "a label does not tell which devices the pool has";

        var topLevels = leaves.GroupBy(leaf => leaf.Tree!.TopLevel).ToList();
        var expected = leaves.Max(leaf => leaf.Tree!.TopLevels);
        if (topLevels.Count < expected) return string.Create(CultureInfo.InvariantCulture, $"the labels tell of {expected} top-level vdevs, and the devices read belong to {topLevels.Count}");
        var incomplete = topLevels.Find(top => top.Count() < top.Max(leaf => leaf.Tree!.Leaves));
        return incomplete is null
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"the labels tell of {incomplete.Max(leaf => leaf.Tree!.Leaves)} leaves of the top-level vdev {incomplete.Key}, and {incomplete.Count()} were read");
    }

    /// <summary>
    /// The pool's label as several of its leaves tell it: the newest label and the newest uberblock of those that belong to
    /// the pool. Null when none does.
    /// </summary>
    public static PoolLabel? Combine(PoolGuid pool, IEnumerable<LeafLabel> leaves, int leavesAsked)
    {
        var ours = leaves.Where(leaf => leaf.Label.Pool == pool).ToList();
        if (ours.Count == 0) return null;

        var label = ours.Select(leaf => leaf.Label).Aggregate((newest, other) => other.Txg > newest.Txg ? other : newest);
        var uberblock = ours.Select(leaf => leaf.Newest).OfType<Uberblock>()
            .Aggregate((Uberblock?)null, (newest, other) => newest is null || other.IsNewerThan(newest) ? other : newest);
        return new(
            label.PoolState(), label.Name, label.HostId, label.HostName, uberblock?.Txg ?? label.Txg, uberblock?.MmpActive() ?? false,
            ours.Count, leavesAsked);
    }

    static VdevLabel? Label(string block)
    {
        // The first occurrence counts: further down the vdev tree repeats some of the words.
        var fields = new Dictionary<string, string>();
        foreach (Match field in LabelField().Matches(block)) fields.TryAdd(field.Groups["key"].Value, field.Groups["value"].Value.Trim('\''));

        if (!int.TryParse(fields.GetValueOrDefault("state"), NumberStyles.None, CultureInfo.InvariantCulture, out var state)) return null;
        PoolGuid? pool = PoolGuid.TryParse(fields.GetValueOrDefault("pool_guid"), null, out var guid) ? guid : null;
        return new(
            state, fields.GetValueOrDefault("name", ""), pool, new ZfsHostId((uint)Number(fields.GetValueOrDefault("hostid"))),
            fields.GetValueOrDefault("hostname", ""), Number(fields.GetValueOrDefault("txg")));
    }

    static LabelTree? Tree(string block)
    {
        ulong Of(string key) => TreeField().Matches(block).FirstOrDefault(field => field.Groups["key"].Value == key) is { } found ? Number(found.Groups["value"].Value) : 0;

        var (topLevel, topLevels, leaves) = (Of("top_guid"), (int)Math.Min(Of("vdev_children"), int.MaxValue), LeafPath().Count(block));
        return topLevel == 0 || topLevels == 0 || leaves == 0 ? null : new(topLevel, topLevels - Hole().Count(block), leaves);
    }

    static Uberblock? OneUberblock(string block)
    {
        var fields = new Dictionary<string, string>();
        foreach (Match field in UberblockField().Matches(block)) fields.TryAdd(field.Groups["key"].Value, field.Groups["value"].Value);

        if (!fields.TryGetValue("txg", out var txg)) return null; // "Uberblock[104] invalid".
        var magic = ulong.TryParse(fields.GetValueOrDefault("mmp_magic"), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) ? value : 0;
        return new(
            Number(txg), (long)Number(fields.GetValueOrDefault("timestamp")), magic, Number(fields.GetValueOrDefault("mmp_delay")),
            (int)Number(fields.GetValueOrDefault("mmp_seq")), Number(fields.GetValueOrDefault("mmp_write")));
    }

    /// <summary>A decimal number, as zdb prints all of these; 0 when absent.</summary>
    static ulong Number(string? text) => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    [GeneratedRegex(@"^(?=LABEL \d)|^ +(?=Uberblock\[)", RegexOptions.Multiline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^    (?<key>name|state|txg|pool_guid|hostid|hostname): (?<value>.*?)\s*$", RegexOptions.Multiline)]
    private static partial Regex LabelField();

    [GeneratedRegex(@"^    (?<key>top_guid|vdev_children): (?<value>\d+)\s*$", RegexOptions.Multiline)]
    private static partial Regex TreeField();

    /// <summary>Every leaf of the top-level vdev has a path, also one that is missing; nothing else in the tree has.</summary>
    [GeneratedRegex(@"^ {8,}path: ", RegexOptions.Multiline)]
    private static partial Regex LeafPath();

    /// <summary>The place of a top-level vdev that was removed.</summary>
    [GeneratedRegex(@"^    hole_array\[\d+\]: ", RegexOptions.Multiline)]
    private static partial Regex Hole();

    [GeneratedRegex(@"^\t(?<key>txg|timestamp|mmp_magic|mmp_delay|mmp_seq|mmp_write) = (?<value>\S+)", RegexOptions.Multiline)]
    private static partial Regex UberblockField();
}
