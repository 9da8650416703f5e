using System.CommandLine;
using System.Globalization;
using System.Text.Json.Serialization;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Text;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Zfs.Spooling;

namespace ZfsHaEvents.Cli.OnHost;

/// <summary>The spool in one word.</summary>
[JsonConverter(typeof(NameConverter<SpoolCondition>))]
enum SpoolCondition
{
    /// <summary>Everything has been told.</summary>
    Empty,

    /// <summary>Something waits for the agent, or for its database.</summary>
    Waiting,

    /// <summary>A person is needed: it is full, entries were refused, or files in it are no entries.</summary>
    Trouble,
}

/// <summary><c>spool</c>: what this host has not told yet.</summary>
static class SpoolVerb
{
    public static Command Define() => Verb.Of("spool", "On a storage host: what waits on its disk to be told to the server", [], invocation =>
    {
        var host = new ThisHost();
        var found = new Spool(host.Environment).Look();
        var document = new SpoolDocument(host.Name, Condition(found), found);
        if (invocation.Screen.Json) invocation.Screen.Document(document, ApiJson.Relaxed.SpoolDocument);
        else Write(invocation.Screen, document, DateTimeOffset.UtcNow);
        return Task.FromResult(document.State switch
        {
            SpoolCondition.Empty => ExitCodes.Done,
            SpoolCondition.Waiting => ExitCodes.Pending,
            SpoolCondition.Trouble or _ => ExitCodes.Trouble,
        });
    });

    static SpoolCondition Condition(SpoolFound found)
    {
        if (found.IsFull || found.Unreadable.Count + found.PutAside.Count + found.Refused.Count > 0) return SpoolCondition.Trouble;
        return found.Entries > 0 ? SpoolCondition.Waiting : SpoolCondition.Empty;
    }

    static void Write(Screen screen, SpoolDocument document, DateTimeOffset now)
    {
        var found = document.Spool;
        screen.Line(found.Entries == 0 ? $"nothing waits on {document.Host} to be told" : $"{found.Entries} {(found.Entries == 1 ? "entry waits" : "entries wait")} on {document.Host} to be told");
        if (found.Oldest is { } oldest) screen.Line($"  oldest  {screen.Instant(oldest)} {screen.ZoneName(oldest)}, {Human.Ago(oldest, now)}");
        screen.Line($"  disk    {Mebibytes(found.Bytes)} of {Mebibytes(found.BytesMax)} in {found.Directory}");
        if (found.IsFull)
            screen.Line(Piece.Bad("  FULL    "), "what nobody types is refused. Start this host's agent, or bring its database back, and it empties; ZFSHA_SPOOL_LIMIT_MB makes it larger");
        foreach (var refused in found.Refused)
        {
            var kinds = string.Join(", ", refused.Kinds.Select(kind => $"{kind.Value}x {kind.Key}"));
            screen.Line(Piece.Bad("  refused "), $"pool {refused.Subject}, {screen.Instant(refused.First)} to {screen.Instant(refused.Last)} {screen.ZoneName(refused.Last)}: {kinds}; told once there is room");
        }
        if (found.Unfinished > 0) screen.Line($"  {found.Unfinished} unfinished, never acknowledged: the next append removes what dead writers left");
        foreach (var problem in found.Unreadable) screen.Notice(problem);
        foreach (var file in found.PutAside) screen.Notice($"{file} was no entry and is not told: read it, then move it away");
    }

    static string Mebibytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (1024.0 * 1024):0.0} MiB");
}
