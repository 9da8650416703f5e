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

    readonly HostSequence _sequence = new(host);

    /// <inheritdoc/>
    public void Append(HostReport report, bool endsOrder) =>
        spool.Append(Text(report), endsOrder ? report.Order : null, ShareOf(report), new(report.PoolId.ToString(), KindsOf(report), refused => Text(Refused(report, refused))));

    /// <summary>How it ended is told, whatever the room, of what was told to have begun. What begins and ends in one report would fill the spool for ever.</summary>
    static SpoolShare ShareOf(HostReport report)
    {
        if (report.Facts.Any(fact => fact is HostFact.ImportEnded { Run: not null } or HostFact.ExportEnded { Run: not null })) return SpoolShare.Outcome;
        if (report.Facts.Any(fact => fact is HostFact.LockReleased) && !report.Facts.Any(fact => fact is HostFact.LockAcquired)) return SpoolShare.Outcome;
        return report.Actor == Actors.Agent ? SpoolShare.Routine : SpoolShare.Typed;
    }

    static string KindsOf(HostReport report) => string.Join(" + ", report.Facts.Select(fact => fact.GetType().Name).Distinct());

    /// <summary>What the pool's history is told of reports that were refused: how many of what, when, and who came last.</summary>
    HostReport Refused(HostReport last, RefusedEntries refused)
    {
        var kinds = string.Join(", ", refused.Kinds.Select(kind => string.Create(CultureInfo.InvariantCulture, $"{kind.Value}x {kind.Key}")));
        var detail = string.Create(CultureInfo.InvariantCulture,
            $"the spool was full from {refused.First:O} to {refused.Last:O}; refused, and nothing begun by them: {kinds}; last by {last.Actor}{(last.Order is { } order ? $" for {order}" : "")}");
        return last with { Order = null, Facts = [_sequence.Draw(number => new HostFact.OrderRefused(number, time.GetUtcNow(), OrderRefusal.SpoolFull, detail))] };
    }

    string Text(HostReport report) => Message(report).Write(time.GetUtcNow());

    BusMessage Message(HostReport report)
    {
        // The order says what it answers, boot and number where it belongs. The drawn part makes it this very report whatever happens to the
        // numbers; it is on the spool with the rest, so that the report told twice is noticed.
        var drawn = RandomNumberGenerator.GetHexString(DrawnDigits, lowercase: true);
        var id = string.Create(CultureInfo.InvariantCulture, $"{report.Order?.Value ?? "report"}@{report.Boot}/{report.Facts[0].Sequence}/{drawn}");
        return new(id, Source(host.Name), report.PoolId.ToString(), Activity.Current?.Id, report); // An order's trace goes on in what is reported of it.
    }
}
