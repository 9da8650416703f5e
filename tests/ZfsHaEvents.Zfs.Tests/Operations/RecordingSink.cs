using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Zfs.Operations;

namespace ZfsHaEvents.Zfs.Tests.Operations;

/// <summary>Keeps reports in memory, and tells what was so when each came.</summary>
sealed class RecordingSink(Action<HostReport>? onAppend = null) : IReportSink
{
    readonly List<HostReport> _reports = [];
    readonly List<bool> _ends = [];

    public IReadOnlyList<HostReport> Reports => _reports;

    /// <summary>For each report whether its order is over with it.</summary>
    public IReadOnlyList<bool> Ends => _ends;

    public void Append(HostReport report, bool endsOrder)
    {
        onAppend?.Invoke(report);
        _ends.Add(endsOrder);
        _reports.Add(report);
    }

    /// <summary>The kinds of facts of each report, in order.</summary>
    public IReadOnlyList<string> Kinds() => [.. _reports.Select(report => string.Join(' ', report.Facts.Select(fact => fact.GetType().Name)))];

    public T Single<T>() where T : HostFact => _reports.SelectMany(report => report.Facts).OfType<T>().Single();
}
