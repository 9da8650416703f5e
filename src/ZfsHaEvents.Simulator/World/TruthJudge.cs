using System.Globalization;

namespace ZfsHaEvents.Simulator.World;

/// <summary>One host's hold on one pool.</summary>
/// <param name="Pool">The pool's GUID, decimal.</param>
/// <param name="Name">The pool's name on that host.</param>
/// <param name="Host">The host.</param>
/// <param name="BootId">The kernel that held it.</param>
/// <param name="Mode">rw or ro.</param>
/// <param name="Forced">Whether it was imported with force.</param>
/// <param name="From">When the hold began.</param>
/// <param name="Until">When it ended, as far as is known; nothing while it lasts.</param>
/// <param name="End">What ended it: export, suspend, crash, power-off or boot; held while it lasts; gone when its kernel died unnoticed.</param>
sealed record Holding(
    string Pool, string Name, string Host, string BootId, string Mode, bool Forced, DateTimeOffset From, DateTimeOffset? Until, string End);

/// <summary>Two hosts held one pool read-write at once.</summary>
/// <param name="Pool">The pool's GUID, decimal.</param>
/// <param name="First">The host that held it already.</param>
/// <param name="Second">The host that came on top.</param>
/// <param name="At">When the first one showed that it still held the pool.</param>
/// <param name="Evidence">What it did then.</param>
sealed record DoubleHolding(string Pool, string First, string Second, DateTimeOffset? At, string Evidence);

/// <summary>Who held what, and whether two ever held one pool.</summary>
sealed record TruthVerdict(IReadOnlyList<Holding> Holdings, IReadOnlyList<DoubleHolding> DoubleHoldings);

/// <summary>
/// Judges a truth log. The lines' order is the order of the facts, their times are only shown.
/// </summary>
/// <remarks>
/// A hold lasts until its export, its suspension or its kernel's death. A second read-write import while a hold lasts is a double
/// holding as soon as the first holder shows that it was still at it: it writes, it exports, it is powered off or killed while
/// running, or it runs now. A holder that was frozen, or starved of its processor, and then only suspends did nothing in between:
/// that is multihost protection doing its work, not a double holding.
/// </remarks>
sealed class TruthJudge
{
    readonly List<Hold> _holds = [];
    readonly List<DoubleHolding> _doubles = [];
    readonly HashSet<string> _frozen = [];

    TruthJudge()
    {
    }

    /// <param name="entries">The log.</param>
    /// <param name="runningNow">The boot ids of the kernels whose processes run, unfrozen, at this moment.</param>
    public static TruthVerdict Judge(IEnumerable<TruthEntry> entries, IReadOnlySet<string> runningNow)
    {
        var judge = new TruthJudge();
        foreach (var entry in entries) judge.Take(entry);
        judge.Conclude(runningNow);
        return new([.. judge._holds.Select(hold => hold.Holding)], judge._doubles);
    }

    void Take(TruthEntry entry)
    {
        switch (entry.Op)
        {
            case TruthOperation.Boot:
                _frozen.Remove(entry.Host);
                foreach (var hold in OpenOn(entry.Host)) hold.Close(entry, "boot");
                break;
            case TruthOperation.Crash or TruthOperation.PowerOff:
                foreach (var hold in OpenOn(entry.Host))
                {
                    // Somebody who finds the kernel gone already (then there is a reason) cannot say that it ran until now.
                    if (!_frozen.Contains(entry.Host) && entry.Reason is null) ShowsLife(hold, entry.At, Word(entry.Op));
                    hold.Close(entry, Word(entry.Op));
                }
                break;
            case TruthOperation.Freeze:
                _frozen.Add(entry.Host);
                break;
            case TruthOperation.Thaw:
                _frozen.Remove(entry.Host);
                break;
            case TruthOperation.Create or TruthOperation.Import or TruthOperation.Resume:
                Open(entry);
                break;
            case TruthOperation.Write or TruthOperation.Txg or TruthOperation.Export:
                foreach (var hold in OpenOf(entry))
                {
                    ShowsLife(hold, entry.At, Word(entry.Op));
                    if (entry.Op == TruthOperation.Export) hold.Close(entry, "export");
                }
                break;
            case TruthOperation.Suspend:
                foreach (var hold in OpenOf(entry)) hold.Close(entry, "suspend");
                break;
            case TruthOperation.ImportRefused:
                break;
            default:
                throw new System.Diagnostics.UnreachableException($"An operation without a rule: {entry.Op}");
        }
    }

    void Open(TruthEntry entry)
    {
        var hold = new Hold(new(
            entry.Pool ?? "", entry.Name ?? "", entry.Host, entry.BootId, entry.Mode ?? "rw", entry.Forced ?? false, entry.At, null, "held"));
        if (hold.Holding.Mode == "rw")
        {
            foreach (var other in _holds)
            {
                if (other.IsOpen && other.Holding.Mode == "rw" && other.Holding.Pool == hold.Holding.Pool) other.Overtakers.Add(hold);
            }
        }
        _holds.Add(hold);
    }

    /// <summary>The holder was at work: everybody who imported the pool after it holds it too.</summary>
    void ShowsLife(Hold hold, DateTimeOffset? at, string evidence)
    {
        foreach (var overtaker in hold.Overtakers)
            _doubles.Add(new(hold.Holding.Pool, hold.Holding.Host, overtaker.Holding.Host, at, evidence));
        hold.Overtakers.Clear();
    }

    void Conclude(IReadOnlySet<string> runningNow)
    {
        foreach (var hold in _holds.Where(hold => hold.IsOpen))
        {
            if (!runningNow.Contains(hold.Holding.BootId))
            {
                if (!_frozen.Contains(hold.Holding.Host)) hold.Gone();
                continue;
            }
            ShowsLife(hold, at: null, "holds it now");
        }
    }

    List<Hold> OpenOn(string host) => [.. _holds.Where(hold => hold.IsOpen && hold.Holding.Host == host)];

    List<Hold> OpenOf(TruthEntry entry) =>
        [.. _holds.Where(hold => hold.IsOpen && hold.Holding.BootId == entry.BootId && hold.Holding.Pool == entry.Pool)];

    static string Word(TruthOperation operation) =>
        operation == TruthOperation.PowerOff ? "power-off" : operation.ToString().ToLower(CultureInfo.InvariantCulture);

    sealed class Hold(Holding holding)
    {
        public Holding Holding { get; private set; } = holding;

        /// <summary>Who imported the pool while this hold lasted, not yet known to be a double holding.</summary>
        public List<Hold> Overtakers { get; } = [];

        public bool IsOpen => Holding.End == "held";

        public void Close(TruthEntry entry, string end) => Holding = Holding with { Until = entry.At, End = end };

        public void Gone() => Holding = Holding with { End = "gone" };
    }
}
