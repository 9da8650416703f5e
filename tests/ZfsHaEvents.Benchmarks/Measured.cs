using System.Globalization;

namespace ZfsHaEvents.Benchmarks;

/// <summary>A measured series and what is asked of it.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Unit">The unit of every number here.</param>
/// <param name="Values">Each measurement.</param>
/// <param name="Judged">The number that the target is about: a percentile, 50 for the median, 100 for the worst.</param>
/// <param name="Target">At most this, or at least this; null when there is no target.</param>
/// <param name="Baseline">What it is compared with, in the same run and unit; null when there is none.</param>
/// <param name="AtLeast">The target is a lower bound: the more the better.</param>
/// <param name="Floor">
/// What was measured beside each value, in the same unit and the same moments: what is judged then is the ratio of the two, whatever else the machine had to do.
/// </param>
sealed record Measured(
    string What, string Unit, IReadOnlyList<double> Values, double Judged = 50, double? Target = null, (string What, double Value)? Baseline = null,
    bool AtLeast = false, (string What, IReadOnlyList<double> Values)? Floor = null)
{
    /// <summary>What the target is about: the judged percentile of the values or, where there is a floor, of their ratios to it.</summary>
    public double Result => Rank(Floor is { } floor ? Values.Zip(floor.Values, (value, under) => value / under) : Values, Judged);

    public bool IsMet => Target is not { } target || (AtLeast ? Result >= target : Result <= target);

    /// <summary>The nearest-rank percentile.</summary>
    public double Percentile(double percent) => Rank(Values, percent);

    public override string ToString()
    {
        var judged = Judged switch { 50 => "median", 100 => "worst", _ => $"p{Judged.ToString(CultureInfo.InvariantCulture)}" };
        var target = Target is { } at ? $"  target {(AtLeast ? ">=" : "<=")} {Number(at)}: {(IsMet ? "met" : "MISSED")}" : "";
        if (Floor is { } under)
            return $"{What}: {judged} {Number(Result)} x {under.What}  ({Number(Percentile(50))} {Unit} against {Number(Rank(under.Values, 50))}, n {Values.Count}){target}";

        var spread = Values.Count == 1 ? "" : $"  (p50 {Number(Percentile(50))}, p95 {Number(Percentile(95))}, max {Number(Percentile(100))}, n {Values.Count})";
        var baseline = Baseline is { } floor ? $"  against {floor.What} {Number(floor.Value)}: {(Result / floor.Value).ToString("0.000", CultureInfo.InvariantCulture)}x" : "";
        return $"{What}: {(Values.Count == 1 ? "" : judged + " ")}{Number(Result)} {Unit}{spread}{baseline}{target}";
    }

    static double Rank(IEnumerable<double> values, double percent)
    {
        var sorted = values.Order().ToList();
        return sorted[Math.Clamp((int)Math.Ceiling(percent / 100 * sorted.Count) - 1, 0, sorted.Count - 1)];
    }

    static string Number(double value) => value.ToString(value < 10 ? "0.00" : "0.0", CultureInfo.InvariantCulture);
}
