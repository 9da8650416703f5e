using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Zfs.Operations;
using ZfsHaEvents.Zfs.Spooling;

namespace ZfsHaEvents.Zfs.Tests.Operations;

/// <summary>A real spool as the sink of reports. Of each it keeps the kinds of its facts.</summary>
sealed class SpoolOfKinds(HostEnvironment host) : IReportSink
{
    readonly Spool _spool = new(host);

    public void Append(HostReport report, bool endsOrder) => _spool.Append(string.Join(' ', report.Facts.Select(fact => fact.GetType().Name)), endsOrder ? report.Order : null);
}
