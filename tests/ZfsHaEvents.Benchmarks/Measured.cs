using System.Globalization;

namespace ZfsHaEvents.Benchmarks;

/// <summary>A measured series and what is asked of it.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Unit">The unit of every number here.</param>
/// <param name="Values">Each measurement.</param>
/// <param name="Judged">The number that the target is about: a percentile, 50 for the median, 100 for the worst.</param>
/// <param name="Target">At most this; null when there is no target.</param>
/// <param name="Baseline">What it is compared with, in the same run and unit; null when there is none.</param>
sealed record Measured(string What, string Unit, IReadOnlyList<double> Values, double Judged = 50, double? Target = null, (string What, double Value)? Baseline = null)
{
    public double Result => Percentile(Judged);

    public bool IsMet => Target is not { } target || Result <= target;

    /// <summary>The nearest-rank percentile.</summary>
    public double Percentile(double percent)
    {
        var sorted = Values.Order().ToList();
        return sorted[Math.Clamp((int)Math.Ceiling(percent / 100 * sorted.Count) - 1, 0, sorted.Count - 1)];
    }

    public override string ToString()
    {
        string Number(double value) => value.ToString(value < 10 ? "0.00" : "0.0", CultureInfo.InvariantCulture);
        var judged = Judged switch { 50 => "median", 100 => "worst", _ => $"p{Judged.ToString(CultureInfo.InvariantCulture)}" };
        var spread = Values.Count == 1 ? "" : $"  (p50 {Number(Percentile(50))}, p95 {Number(Percentile(95))}, max {Number(Percentile(100))}, n {Values.Count})";
        var target = Target is { } at ? $"  target <= {Number(at)}: {(IsMet ? "met" : "MISSED")}" : "";
        var baseline = Baseline is { } floor ? $"  against {floor.What} {Number(floor.Value)}: {(Result / floor.Value).ToString("0.000", CultureInfo.InvariantCulture)}x" : "";
        return $"{What}: {(Values.Count == 1 ? "" : judged + " ")}{Number(Result)} {Unit}{spread}{baseline}{target}";
    }
}
