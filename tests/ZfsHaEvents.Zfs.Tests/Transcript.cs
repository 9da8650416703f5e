using System.Globalization;
using System.Text.RegularExpressions;

namespace ZfsHaEvents.Zfs.Tests;

/// <summary>A command line as it was typed on a real host with OpenZFS 2.3.9, and what came of it.</summary>
sealed record Recorded(string File, string Host, string Command, string Stdout, string Stderr, int? ExitCode);

/// <summary>The recordings in <c>Transcripts/</c>.</summary>
static partial class Transcript
{
    public static IReadOnlyList<Recorded> All { get; } =
        Directory.GetFiles(Path.Join(AppContext.BaseDirectory, "Transcripts")).Order(StringComparer.Ordinal).SelectMany(Read).ToList();

    /// <summary>The only recording of the command, or the given one of several, in the file whose name begins so.</summary>
    public static Recorded Of(string filePrefix, string command, int index = 0) =>
        All.Where(recorded => recorded.File.StartsWith(filePrefix, StringComparison.Ordinal) && recorded.Command == command).ElementAt(index);

    static IEnumerable<Recorded> Read(string path)
    {
        var text = System.IO.File.ReadAllText(path);
        foreach (Match entry in Entry().Matches(text))
        {
            var exit = entry.Groups["exit"];
            yield return new(
                Path.GetFileName(path), entry.Groups["host"].Value, entry.Groups["command"].Value, entry.Groups["stdout"].Value, entry.Groups["stderr"].Value,
                exit.Success ? int.Parse(exit.Value, CultureInfo.InvariantCulture) : null);
        }
    }

    [GeneratedRegex(
        @"^### \[(?<host>\w+)\] \$ (?<command>.*)\n--- stdout:\n(?<stdout>(?:(?!--- stderr:|### ).*\n)*)(?:--- stderr:\n(?<stderr>(?:(?!--- exit |### ).*\n?)*)(?:--- exit (?<exit>\d+))?)?",
        RegexOptions.Multiline)]
    private static partial Regex Entry();
}
