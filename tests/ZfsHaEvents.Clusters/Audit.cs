namespace ZfsHaEvents.Clusters;

/// <summary>How long an agent lived on a host. No end: it lives.</summary>
sealed record Life(string Host, DateTimeOffset From, DateTimeOffset? To);

/// <summary>
/// Compares what really happened to one pool with what its stream tells. Both ways: what happened is told, and what is told happened. Only
/// that is forgiven which nobody could tell: it ended with its host, and no agent had lived beside it.
/// </summary>
sealed class Audit
{
    /// <summary>A host's clock is this machine's clock; a look may be noted this much before the log line of what it saw.</summary>
    static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(50);

    /// <summary>Between the moment that a look is noted with and what it sees, a busy machine may do something else for this long.</summary>
    static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    /// <summary>An agent that lived this long beside something has told of it, or left it on its spool.</summary>
    static readonly TimeSpan Notice = TimeSpan.FromSeconds(3);

    readonly Truth _truth;
    readonly IReadOnlyList<Life> _lives;
    readonly string _pool;
    readonly DateTimeOffset _now;
    readonly IReadOnlyList<HistoryLine> _history;
    readonly List<HistoryLine> _sights;
    readonly List<string> _differences = [];

    Audit(Truth truth, IReadOnlyList<Life> lives, string pool, IReadOnlyList<HistoryLine> history, DateTimeOffset now)
    {
        (_truth, _lives, _pool, _now) = (truth, lives, pool, now);
        _history = [.. history.Where(h => h.Host is not null).OrderBy(h => h.ObservedAt)];
        _sights = [.. _history.Where(h => h.Presence is not null)];
    }

    /// <summary>The differences between the truth log and the stream, in words.</summary>
    /// <param name="truth">What really happened.</param>
    /// <param name="lives">When an agent lived on which host.</param>
    /// <param name="history">The pool's whole stream.</param>
    /// <param name="now">When both were read.</param>
    public static IReadOnlyList<string> Differences(Truth truth, IReadOnlyList<Life> lives, string pool, IReadOnlyList<HistoryLine> history, DateTimeOffset now)
    {
        var audit = new Audit(truth, lives, pool, history, now);
        audit.ImportsAreTold();
        audit.ExportsAreTold();
        audit.RefusalsAreTold();
        audit.SightsAreTrue();
        audit.SuccessesAreTrue();
        audit.OutcomesHaveIntents();
        audit.PresentIsTrue();
        return audit._differences;
    }

    // ---- what happened is told -----------------------------------------------------------------------------------------

    void ImportsAreTold()
    {
        foreach (var span in _truth.Holdings.Concat(_truth.ReadOnlyImports).Where(h => h.Pool == _pool))
        {
            var until = span.To ?? _now;
            bool Tells(HistoryLine s) => Within(s, span.Host, span.From, until) && (span.Mode == "rw" ? s.SaysHeld : s.Presence is "ReadOnly" or "Imported");
            var nobodyCouldTell = (span.EndedByDeath || span.To is null) && !LivedBeside(span.Host, span.From, until);
            if (!nobodyCouldTell && !_sights.Exists(Tells)) Differ($"the stream does not tell of {span}");
        }
    }

    void ExportsAreTold()
    {
        foreach (var export in Lines("export"))
        {
            // Until the host imports it again, or dies, it does not have the pool.
            var next = _truth.Lines.SkipWhile(l => l != export).Skip(1)
                .FirstOrDefault(l => l.Host == export.Host && (l.Op is "boot" or "crash" or "power-off" || l.Pool == _pool && l.Op is "import" or "create"));
            var until = next?.At ?? _now;
            var nobodyCouldTell = next is null or { Op: "boot" or "crash" or "power-off" } && !LivedBeside(export.Host, export.At, until);
            if (!nobodyCouldTell && !_sights.Exists(s => Within(s, export.Host, export.At, until) && s.Presence is "Absent")) Differ($"the stream does not tell of {export}");
        }
    }

    /// <summary>What ZFS refuses to an order, the order's outcome says. What it refuses to somebody with a shell concerns nobody.</summary>
    void RefusalsAreTold()
    {
        foreach (var refusal in Lines("import-refused").Where(l => l.Mode == "rw"))
        {
            var outcomes = _history.Where(h => h.Attempt is "import" && h.Host == refusal.Host && h.Order is not null).ToList();
            if (outcomes.LastOrDefault(h => h.ObservedAt <= refusal.At) is not { IsIntent: true } intent) continue;
            if (!LivedThrough(refusal.Host, intent.ObservedAt, refusal.At + Notice)) continue; // Its zpool outlived the agent, and nobody heard what it said.
            var outcome = outcomes.FirstOrDefault(h => h.ObservedAt >= refusal.At);
            if (outcome?.Order != intent.Order || outcome?.Type is not ("import_refused" or "import_failed")) Differ($"the stream does not tell that {refusal} for {intent.Order}");
        }
    }

    // ---- what is told happened -----------------------------------------------------------------------------------------

    void SightsAreTrue()
    {
        foreach (var sight in _sights)
        {
            bool Seen(Holding h) => h.Pool == _pool && h.Host == sight.Host && sight.ObservedAt >= h.From - Slack && (h.To is null || sight.ObservedAt <= h.To + Beat);
            bool Overlooked(Holding h) => h.Pool == _pool && h.Host == sight.Host && sight.ObservedAt >= h.From + Beat && (h.To is null || sight.ObservedAt <= h.To - Beat);
            if (sight.SaysHeld && !_truth.Holdings.Any(Seen) && !(sight.Presence is "Imported" && _truth.ReadOnlyImports.Any(Seen))) Differ($"{sight} tells of a holding that never was");
            if (sight.Presence is "ReadOnly" && !_truth.ReadOnlyImports.Any(Seen)) Differ($"{sight} tells of a read-only import that never was");
            if (sight.Presence is "Absent" && _truth.Holdings.Concat(_truth.ReadOnlyImports).Any(Overlooked)) Differ($"{sight} does not see a pool that was there");
        }
    }

    /// <summary>A success that a command brought about has its own line in the log, between the intent and the outcome.</summary>
    void SuccessesAreTrue()
    {
        var claimed = new HashSet<TruthLine>();
        foreach (var success in _history.Where(h => h.Type is "import_succeeded" or "export_succeeded" && h.RanZpool))
        {
            if (IntentOf(success) is not { } intent) continue; // A difference of its own.
            var line = Lines(success.Attempt!).LastOrDefault(l =>
                l.Mode == "rw" && l.Host == success.Host && l.BootId == success.Boot && l.At >= intent.ObservedAt && l.At <= success.ObservedAt + Slack);
            if (line is null || !claimed.Add(line)) Differ($"{success} tells of an {success.Attempt} that never was");
        }
    }

    /// <summary>Intent before effect.</summary>
    void OutcomesHaveIntents()
    {
        foreach (var outcome in _history.Where(h => h.Attempt is not null && !h.IsIntent && h.RanZpool))
            if (IntentOf(outcome) is null) Differ($"{outcome} tells of something that nobody said they would do");
    }

    void PresentIsTrue()
    {
        foreach (var host in _truth.Lines.Select(l => l.Host).Distinct())
        {
            var held = _truth.HoldersNow(_pool).Contains(host);
            var last = _sights.Where(s => s.Host == host && !s.Late).OrderBy(s => s.Version).LastOrDefault();
            if (held != (last?.SaysHeld ?? false) && !Died(host, last)) Differ($"{host} {(held ? "holds" : "does not hold")} the pool, and the stream's last word on it is {last?.ToString() ?? "nothing"}");
        }
    }

    // ---- terms -----------------------------------------------------------------------------------------------------------

    void Differ(string difference) => _differences.Add(difference);

    IEnumerable<TruthLine> Lines(string op) => _truth.Lines.Where(l => l.Op == op && l.Pool == _pool);

    static bool Within(HistoryLine sight, string host, DateTimeOffset from, DateTimeOffset until) => sight.Host == host && sight.ObservedAt >= from - Slack && sight.ObservedAt <= until + Slack;

    HistoryLine? IntentOf(HistoryLine outcome) =>
        _history.LastOrDefault(h => h.IsIntent && h.Attempt == outcome.Attempt && h.Host == outcome.Host && h.Boot == outcome.Boot && h.Order == outcome.Order && h.ObservedAt <= outcome.ObservedAt);

    /// <summary>An agent lived long enough beside it to see it; or lives, and it is there still.</summary>
    bool LivedBeside(string host, DateTimeOffset from, DateTimeOffset until) =>
        _lives.Any(l => l.Host == host && Earlier(l.To ?? _now, until) - Later(l.From, from) >= Notice);

    bool LivedThrough(string host, DateTimeOffset from, DateTimeOffset until) => _lives.Any(l => l.Host == host && l.From <= from && (l.To is null || l.To >= until));

    static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;

    /// <summary>The host's kernel died after its last word and has not come up since: then nobody could tell.</summary>
    bool Died(string host, HistoryLine? last) => _truth.Lines.LastOrDefault(l => l.Host == host && l.Op is "boot" or "crash" or "power-off") is { Op: not "boot" } end && (last is null || end.At >= last.ObservedAt - Slack);
}
