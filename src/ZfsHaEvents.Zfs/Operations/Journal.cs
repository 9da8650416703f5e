using System.Diagnostics;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Zfs.Commands;

namespace ZfsHaEvents.Zfs.Operations;

/// <summary>What happens in one operation, in order, until it is reported: once before the effect and once after.</summary>
sealed class Journal(HostEnvironment host, HostSequence sequence, IReportSink reports, TimeProvider time, PoolGuid pool, OperationTerms terms)
{
    static readonly TimeSpan ReportPause = TimeSpan.FromSeconds(1);

    readonly BootId _boot = host.ReadBootId();
    List<HostFact> _facts = [];
    bool _begun;

    /// <summary>The pool's name here, once it is known.</summary>
    public PoolName? Name { get; set; }

    /// <summary>Time inside external commands so far.</summary>
    public double ZpoolSeconds { get; private set; }

    public void Spend(double zpoolSeconds) => ZpoolSeconds += zpoolSeconds;

    public void Add(HostFact fact) => _facts.Add(fact);

    /// <summary>Notes a fact that is no look, numbered now.</summary>
    public void Add(Func<long, DateTimeOffset, HostFact> fact) => _facts.Add(sequence.Draw(number => fact(number, time.GetUtcNow())));

    /// <summary>Notes a reading of labels, which may also tell the pool's name.</summary>
    public void Add(LabelReading reading, string detail)
    {
        Add((number, at) => new HostFact.LabelsRead(number, at, reading.Label, detail, reading.Seconds));
        if (PoolName.TryParse(reading.Label?.Name, null, out var name)) Name ??= name;
    }

    /// <summary>Reports the intent, with all that was noted before it; durable on return. If that fails, there is no intent.</summary>
    public void ReportIntent(Func<long, DateTimeOffset, HostFact> intent)
    {
        reports.Append(Report([.. _facts, sequence.Draw(number => intent(number, time.GetUtcNow()))]), endsOrder: false);
        _facts = [];
        _begun = true;
    }

    /// <summary>
    /// Reports what was noted since the intent, or at all; durable on return. What a command printed cannot be had again: once an effect was
    /// begun, a report that cannot be written is tried again while patience lasts.
    /// </summary>
    /// <param name="endsOrder">The outcome is among what was noted: the order is not to be carried out again.</param>
    /// <exception cref="HostException">It could not be written.</exception>
    public async Task ReportOutcomeAsync(bool endsOrder, CancellationToken cancellation)
    {
        if (_facts.Count == 0) return;
        var report = Report(_facts);
        var started = Stopwatch.GetTimestamp();
        HostDiagnostics.Announce(HostDiagnostics.BeforeReport, report);
        while (true)
        {
            try
            {
                reports.Append(report, endsOrder);
                break;
            }
            catch (HostException) when (_begun && (terms.ReportPatience == Timeout.InfiniteTimeSpan || Stopwatch.GetElapsedTime(started) < terms.ReportPatience)) // A full disk.
            {
                await Task.Delay(ReportPause, cancellation);
            }
        }

        _facts = [];
        HostDiagnostics.Announce(HostDiagnostics.Report, report);
    }

    HostReport Report(IReadOnlyList<HostFact> facts) => new(pool, Name, host.Name, _boot, terms.Order, terms.Actor, facts);
}
