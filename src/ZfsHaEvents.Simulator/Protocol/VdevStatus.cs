using ZfsHaEvents.Simulator.Disks;

namespace ZfsHaEvents.Simulator.Protocol;

/// <summary>A vdev and how it does, as a kernel reports it.</summary>
/// <param name="Type">mirror or disk.</param>
/// <param name="Id">Its place among its siblings.</param>
/// <param name="VdevGuid">Its GUID.</param>
/// <param name="Path">A disk's device node.</param>
/// <param name="State">ONLINE, DEGRADED, FAULTED or UNAVAIL.</param>
/// <param name="Aux">What is wrong with it, in the words of <c>zpool status</c>.</param>
/// <param name="ReadErrors">Failed reads.</param>
/// <param name="WriteErrors">Failed writes.</param>
/// <param name="Children">A mirror's disks.</param>
sealed record VdevStatus(
    string Type,
    ulong Id,
    ulong VdevGuid,
    string? Path,
    string State,
    string? Aux,
    ulong ReadErrors,
    ulong WriteErrors,
    IReadOnlyList<VdevStatus> Children)
{
    public const string Online = "ONLINE";
    public const string Degraded = "DEGRADED";
    public const string Faulted = "FAULTED";
    public const string Unavailable = "UNAVAIL";

    public bool IsLeaf => Type == Vdev.Disk;

    public IEnumerable<VdevStatus> Leaves => IsLeaf ? [this] : Children.SelectMany(child => child.Leaves);

    public static VdevStatus From(NvList list) => new(
        list.Text("type"),
        list.Number("id"),
        list.Number("guid"),
        list.TextOrNone("path"),
        list.Text("state"),
        list.TextOrNone("aux"),
        list.Number("read_errors"),
        list.Number("write_errors"),
        [.. list.Lists("children").Select(From)]);

    public NvList ToList()
    {
        NvList list = new() { { "type", Type }, { "id", Id }, { "guid", VdevGuid } };
        list.AddText("path", Path);
        list.Add("state", State);
        list.AddText("aux", Aux);
        list.Add("read_errors", ReadErrors);
        list.Add("write_errors", WriteErrors);
        list.Add("children", [.. Children.Select(child => child.ToList())]);
        return list;
    }
}
