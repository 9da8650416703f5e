using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Bus;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Zfs.Operations;

namespace ZfsHaEvents.Zfs.Spooling;

/// <summary>Puts reports on the spool, as the messages that the server will read.</summary>
public sealed class SpooledReports(HostEnvironment host, Spool spool, TimeProvider time) : IReportSink
{
    const int DrawnDigits = 16;

    /// <summary>The bus's <c>source</c> of everything a host reports.</summary>
    public static string Source(HostName host) => $"zfsha-host/{host}";

    /// <inheritdoc/>
    public void Append(HostReport report, bool endsOrder) => spool.Append(Message(report).Write(time.GetUtcNow()), endsOrder ? report.Order : null);

    BusMessage Message(HostReport report)
    {
        // The order says what it answers, boot and number where it belongs. The drawn part makes it this very report whatever happens to the
        // numbers; it is on the spool with the rest, so that the report told twice is noticed.
        var drawn = RandomNumberGenerator.GetHexString(DrawnDigits, lowercase: true);
        var id = string.Create(CultureInfo.InvariantCulture, $"{report.Order?.Value ?? "report"}@{report.Boot}/{report.Facts[0].Sequence}/{drawn}");
        return new(id, Source(host.Name), report.PoolId.ToString(), Activity.Current?.Id, report); // An order's trace goes on in what is reported of it.
    }
}
