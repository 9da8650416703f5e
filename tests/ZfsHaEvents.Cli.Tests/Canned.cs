using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Text;

namespace ZfsHaEvents.Cli.Tests;

/// <summary>Documents as a real server sent them.</summary>
static class Canned
{
    public static T Read<T>(string name, JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(Text(name), type)!;

    public static string Text(string name) => File.ReadAllText(Path.Join(AppContext.BaseDirectory, "Server", name + ".json"));

    public static IReadOnlyList<HistoryEntry> History(string name = "history") => Read(name, ApiJson.Default.IReadOnlyListHistoryEntry);

    /// <summary>What is shown, in lines.</summary>
    /// <param name="width">Of a terminal; null for a pipe.</param>
    public static string[] Shown(Action<Screen> write, int? width = null, bool colour = false)
    {
        using var text = new StringWriter();
        write(new Screen(text, json: false, width, colour, TimeZoneInfo.Utc));
        return text.ToString().TrimEnd('\n').Split('\n');
    }
}
