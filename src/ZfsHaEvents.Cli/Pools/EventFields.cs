using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using ZfsHaEvents.Cli.Text;

namespace ZfsHaEvents.Cli.Pools;

/// <summary>
/// The members of a stored event. A foreign writer, or a later version, may have left one out or made it something else: then it
/// reads as empty, for a history must never be unreadable because of one event.
/// </summary>
readonly partial struct EventFields(JsonElement data)
{
    public string Text(string name, string otherwise = "") => Text(Member(name)) is { Length: > 0 } text ? text : otherwise;

    public double Number(string name) => Member(name) is { ValueKind: JsonValueKind.Number } number && number.TryGetDouble(out var value) ? value : 0;

    public string Duration(string name) => Human.Duration(Number(name));

    public string List(string name, string separator = ", ") =>
        Member(name) is { ValueKind: JsonValueKind.Array } array ? string.Join(separator, array.EnumerateArray().Select(item => Text(item))) : "";

    /// <summary>A name in code (<c>ActiveElsewhere</c>) as words.</summary>
    public string Words(string name) => Words(Member(name));

    /// <summary><c>: TEXT</c>, when there is one.</summary>
    public string After(string name) => Text(name) is { Length: > 0 } text ? $": {text}" : "";

    public string Because(string name) => Text(name) is { Length: > 0 } text ? $", because: {text}" : "";

    public string Command() =>
        Member("Arguments") is { ValueKind: JsonValueKind.Array } words ? Human.Shell(words.EnumerateArray().Select(word => Text(word))) : "";

    /// <summary><c> in 0.52 s</c>, or that it was so already.</summary>
    public string Took() => Member("Run") is { ValueKind: JsonValueKind.Object } run ? $" in {new EventFields(run).Duration("Seconds")}" : " (nothing was run)";

    /// <summary>The failure, with the first line of what the command said.</summary>
    public string Failure()
    {
        var said = Member("Run") is { ValueKind: JsonValueKind.Object } run ? new EventFields(run).Text("Stderr").Split('\n', 2)[0].Trim() : "";
        return said.Length > 0 ? $"{Words("Failure")}: {said}" : Words("Failure");
    }

    public string Sight()
    {
        if (Member("Sight") is not { ValueKind: JsonValueKind.Object } sight) return "";
        var fields = new EventFields(sight);
        var presence = fields.Text("Presence") switch
        {
            "ReadWrite" => "imported read-write",
            "ReadOnly" => "imported read-only",
            "Imported" => "imported",
            "Absent" => "not imported",
            _ => "in a state that could not be told",
        };
        var health = fields.Text("Health") is { Length: > 0 } word and not "Unknown" ? $", {word.ToUpperInvariant()}" : "";
        var multihost = fields.Text("Multihost") switch { "true" => ", multihost on", "false" => ", multihost off", _ => "" };
        return presence + health + multihost;
    }

    public string Label()
    {
        if (Member("Label") is not { ValueKind: JsonValueKind.Object } label) return $"none could be read{After("Detail")}";
        var fields = new EventFields(label);
        var mmp = fields.Member("MmpActive")?.ValueKind is JsonValueKind.True ? "MMP on" : "MMP off";
        return $"{fields.Text("State").ToUpperInvariant()}, hostid {fields.Text("HostId")} ({fields.Text("HostName", "no host name")}), txg {fields.Text("Txg")}, {mmp}, {fields.Text("LeavesRead")} of {fields.Text("LeavesAsked")} devices";
    }

    public string Policy()
    {
        if (Member("Policy") is not { ValueKind: JsonValueKind.Object } policy) return "";
        var fields = new EventFields(policy);
        return $"automatic {(fields.Member("Automatic")?.ValueKind is JsonValueKind.True ? "on" : "off")}, fencing {Words(fields.Member("Fencing"))}, targets {(fields.List("Targets") is { Length: > 0 } targets ? targets : "none")}";
    }

    JsonElement? Member(string name) => data.ValueKind is JsonValueKind.Object && data.TryGetProperty(name, out var member) ? member : null;

    static string Text(JsonElement? member) => member switch
    {
        { ValueKind: JsonValueKind.String } text => text.GetString()!,
        { ValueKind: JsonValueKind.Number or JsonValueKind.Object or JsonValueKind.Array } other => other.GetRawText(),
        { ValueKind: JsonValueKind.True } => "true",
        { ValueKind: JsonValueKind.False } => "false",
        _ => "",
    };

    static string Words(JsonElement? member) => Words().Replace(Text(member), match => " " + match.Value.ToLower(CultureInfo.InvariantCulture)).TrimStart();

    [GeneratedRegex("[A-Z]")]
    private static partial Regex Words();
}
