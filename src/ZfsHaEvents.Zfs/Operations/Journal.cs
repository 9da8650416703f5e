using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Zfs.Commands;

namespace ZfsHaEvents.Zfs.Operations;

/// <summary>What happens in one operation, in order, until it is reported: once before the effect and once after.</summary>
sealed class Journal(HostEnvironment host, HostSequence sequence, IReportSink reports, TimeProvider time, PoolGuid pool, OperationTerms terms)
{
    readonly BootId _boot = host.ReadBootId();
    List<HostFact> _facts = [];

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
        reports.Append(Report([.. _facts, sequence.Draw(number => intent(number, time.GetUtcNow()))]));
        _facts = [];
    }

    /// <summary>Reports what was noted since the intent, or at all; durable on return.</summary>
    public void ReportOutcome()
    {
        if (_facts.Count == 0) return;
        var report = Report(_facts);
        _facts = [];
        HostDiagnostics.Announce(HostDiagnostics.BeforeReport, report);
        reports.Append(report);
        HostDiagnostics.Announce(HostDiagnostics.Report, report);
    }

    HostReport Report(IReadOnlyList<HostFact> facts) => new(pool, Name, host.Name, _boot, terms.Order, terms.Actor, facts);
}
