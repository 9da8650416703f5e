using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests;

/// <summary>
/// What another program needs to read the stored events, a Marten application for one: the domain's assembly, Marten's rule from type to stored name, and
/// System.Text.Json as it is.
/// </summary>
public sealed partial class StoredEventsTests
{
    static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Golden/events");

    /// <summary>The newest body of each type: older ones are for the server's upcasters.</summary>
    static readonly Dictionary<string, string> Newest = Directory.EnumerateFiles(Folder, "*.json").Select(file => (File: file, Name: Version().Match(Path.GetFileNameWithoutExtension(file))))
        .GroupBy(f => f.Name.Groups["alias"].Value)
        .ToDictionary(g => g.Key, g => g.MaxBy(f => f.Name.Groups["version"].Value is { Length: > 0 } v ? int.Parse(v, System.Globalization.CultureInfo.InvariantCulture) : 1).File);

    static readonly Dictionary<string, Type> Types = typeof(PoolEvent).Assembly.GetTypes().Where(t => !t.IsAbstract && (t.IsSubclassOf(typeof(PoolEvent)) || t.IsSubclassOf(typeof(HostEvent))))
        .ToDictionary(t => Capital().Replace(t.Name, "_$0").TrimStart('_').ToLowerInvariant());

    public static IEnumerable<TheoryDataRow<string>> Aliases => Newest.Keys.Order(StringComparer.Ordinal).Select(alias => new TheoryDataRow<string>(alias));

    [Fact]
    public void Nothing_of_ours_but_the_domain_is_needed() =>
        Assembly.GetExecutingAssembly().GetReferencedAssemblies().Select(a => a.Name!).Where(n => n.StartsWith("ZfsHaEvents", StringComparison.Ordinal)).ShouldBe(["ZfsHaEvents.Domain"]);

    [Fact]
    public void Every_event_type_has_a_stored_body_and_every_body_a_type() =>
        Newest.Keys.ShouldBe(Types.Where(t => t.Value != typeof(UnknownEvent) && t.Value != typeof(UnknownHostEvent)).Select(t => t.Key), ignoreOrder: true);

    [Theory]
    [MemberData(nameof(Aliases))]
    public void A_stored_event_reads_with_default_options_and_writes_the_same_again(string alias)
    {
        var stored = File.ReadAllText(Newest[alias]);

        var read = JsonSerializer.Deserialize(stored, Types[alias]).ShouldNotBeNull();

        var written = JsonSerializer.Serialize(read, Types[alias]);
        JsonNode.DeepEquals(JsonNode.Parse(written), JsonNode.Parse(stored)).ShouldBeTrue(written);
    }

    [Theory]
    [MemberData(nameof(Aliases))]
    public void Members_are_stored_under_the_names_of_the_records_PascalCase(string alias)
    {
        var stored = JsonNode.Parse(File.ReadAllText(Newest[alias]))!.AsObject();

        stored.Select(m => m.Key).ShouldBe(Types[alias].GetProperties().Select(p => p.Name), ignoreOrder: true);
        Members(stored).ShouldAllBe(name => Pascal().IsMatch(name));
    }

    static IEnumerable<string> Members(JsonNode? node) => node switch
    {
        JsonObject o => o.SelectMany(m => Members(m.Value).Prepend(m.Key)),
        JsonArray a => a.SelectMany(Members),
        _ => [],
    };

    [GeneratedRegex("^(?<alias>.+?)(_v(?<version>[0-9]+))?$")]
    private static partial Regex Version();

    [GeneratedRegex("[A-Z]")]
    private static partial Regex Capital();

    [GeneratedRegex("^[A-Z][A-Za-z]*$")]
    private static partial Regex Pascal();
}
