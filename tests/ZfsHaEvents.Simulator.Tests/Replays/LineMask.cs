using System.Text.RegularExpressions;

namespace ZfsHaEvents.Simulator.Tests.Replays;

/// <summary>
/// Compares a recorded line with a simulated one. Times and counters are masked. GUIDs are not: which number stands for which is
/// learnt as the lines come, and from then on one must always stand where the other does.
/// </summary>
sealed partial class LineMask
{
    const string Time = "<time>";

    readonly Dictionary<string, string> _simulated = [];
    readonly Dictionary<string, string> _recorded = [];

    /// <summary>The simulated number for the recorded one, once both were seen.</summary>
    public string Simulated(string recorded) => _simulated.GetValueOrDefault(recorded, recorded);

    /// <summary>Says beforehand which numbers stand for each other.</summary>
    public bool Pair(string recorded, string simulated) =>
        (_simulated.TryAdd(recorded, simulated) || _simulated[recorded] == simulated)
        & (_recorded.TryAdd(simulated, recorded) || _recorded[simulated] == recorded);

    /// <summary>Whether the lines are the same, and whether anything of them was masked to see it.</summary>
    public (bool Same, bool Masked) Compare(string recorded, string simulated)
    {
        if (recorded == simulated) return (true, false);

        var (left, right) = (Mask(recorded), Mask(simulated));
        var (leftNumbers, rightNumbers) = (LongNumber().Matches(left), LongNumber().Matches(right));
        if (leftNumbers.Count != rightNumbers.Count) return (false, true);

        var paired = true;
        for (var at = 0; at < leftNumbers.Count; at++) paired &= Pair(leftNumbers[at].Value, rightNumbers[at].Value);
        if (leftNumbers.Count > 0) (left, right) = (Squeeze(left), Squeeze(right));
        return (paired && left == right, true);
    }

    /// <summary>A table with a column of GUIDs is as wide as the longest of them.</summary>
    public static bool HasGuidColumn(string text) => GuidInTable().IsMatch(text);

    public static string Squeeze(string line) => Spaces().Replace(LongNumber().Replace(line, "<guid>"), " ");

    static string Mask(string line)
    {
        // Counters first: a delay in nanoseconds can look like seconds since 1970.
        line = Counter().Replace(line, "$1<n>");
        line = ClockTime().Replace(line, Time);
        line = Uptime().Replace(line, $"$1{Time}");
        line = BlockPointer().Replace(line, "$1<block pointer>");
        return ProgressSeconds().Replace(line, "$1<n>");
    }

    [GeneratedRegex(@"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}|\d{4}-\d\d-\d\d\.\d\d:\d\d:\d\d|\w{3} [ \d]\d \d{4} \d\d:\d\d:\d\d\.\d{9}|\b1[78]\d{8}\b|\b\d\d:\d\d:\d\d\b")]
    private static partial Regex ClockTime();

    [GeneratedRegex(@"((?:^|began |ended |after |at )(?=\d+\.\d\d\b)|^(?:real|user|sys)\s+)[\dm.s ]+")]
    private static partial Regex Uptime();

    /// <summary>
    /// Transaction groups, their slots and how many there are by now, sequences, delays, which label a multihost write took at random,
    /// process ids, and how long a check waits at random.
    /// </summary>
    [GeneratedRegex(@"(\btxg(?: = |: |:|=)|Uberblock\[(?!127\])|\((?=\d+ uberblocks shown)|mmp_delay(?: = |=)|mmp_seq(?: = |=)|^ +labels = (?=\d $)|pid |waiting )\d+")]
    private static partial Regex Counter();

    [GeneratedRegex(@"(bp = )DVA.*")]
    private static partial Regex BlockPointer();

    [GeneratedRegex(@"^((?:<time> +)?\d{15,20} +[23] +)\d+")]
    private static partial Regex ProgressSeconds();

    [GeneratedRegex(@"\b\d{15,20}\b")]
    private static partial Regex LongNumber();

    [GeneratedRegex(@"^\t +\d{15,20} ", RegexOptions.Multiline)]
    private static partial Regex GuidInTable();

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();
}
