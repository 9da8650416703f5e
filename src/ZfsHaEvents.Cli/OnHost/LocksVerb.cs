using System.CommandLine;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Text;
using ZfsHaEvents.Zfs.Locks;

namespace ZfsHaEvents.Cli.OnHost;

/// <summary><c>locks</c>: who has this host's locks now.</summary>
static class LocksVerb
{
    public static Command Define() => Verb.Of("locks", "On a storage host: every host lock, whether it is held now, by whom, and who waits; touches none", [], invocation =>
    {
        var host = new ThisHost();
        var survey = new HostLocks(host.Environment, TimeProvider.System).Survey();
        var names = host.Names();
        var document = new LocksDocument(host.Name, [.. survey.Locks.Select(one => DocumentOf(one, names.TryGetValue(one.Pool, out var name) ? name.Value : null))], survey.Problems);
        if (invocation.Screen.Json) invocation.Screen.Document(document, ApiJson.Relaxed.LocksDocument);
        else Write(invocation.Screen, document, DateTimeOffset.UtcNow);
        return Task.FromResult(ExitCode(document));
    });

    /// <summary>What needs a person comes before what is merely so.</summary>
    public static int ExitCode(LocksDocument document)
    {
        if (document.Problems.Count > 0 || document.Locks.Any(one => one.State is LockCondition.Stale)) return ExitCodes.Trouble;
        return document.Locks.Any(one => one.State is not LockCondition.Free) ? ExitCodes.Pending : ExitCodes.Done;
    }

    public static void Write(Screen screen, LocksDocument document, DateTimeOffset now)
    {
        if (document.Locks.Count > 0)
        {
            var table = new Table("POOL", "LOCK", $"SINCE ({screen.ZoneName(now)})", "FOR", "HOLDER");
            foreach (var one in document.Locks)
            {
                var (since, lasts) = one.Holder is { Since: var at } ? (screen.Instant(at), Human.Duration((now - at).TotalSeconds)) : ("-", "-");
                table.Add(one.Name ?? one.Pool.ToString(), State(one), since, lasts, Holder(one));
            }
            table.WriteTo(screen);
        }
        else
        {
            screen.Line($"no pool was ever locked on {document.Host} since it booted");
        }

        foreach (var one in document.Locks.Where(one => one.Waiting.Count > 0))
            screen.Notice($"{one.Name ?? one.Pool.ToString()} is waited for by {string.Join(", ", one.Waiting)}");
        if (document.Locks.Any(one => one.State is LockCondition.Stale)) screen.Notice("A stale record is in nobody's way: whoever takes the lock next records whose it was. Nothing needs to be removed.");
        foreach (var problem in document.Problems) screen.Notice(problem);
    }

    static LockDocument DocumentOf(LockFound found, string? name) =>
        new(found.Pool, name, found.Condition, found.Record, found.Processes, found.Waiting, found.Evidence);

    static Piece State(LockDocument one) => one.State switch
    {
        LockCondition.Free => "free",
        LockCondition.Held => Piece.Strong("held"),
        LockCondition.LeftToChild => Piece.Warning("held by a child"),
        LockCondition.HeldByUnknown => Piece.Warning("held"),
        LockCondition.Stale => Piece.Bad("stale"),
        _ => throw new System.Diagnostics.UnreachableException($"{one.State} is no state of a lock."),
    };

    static string Holder(LockDocument one)
    {
        var processes = one.Processes.Count == 0 ? "a process that cannot be found" : string.Join(", ", one.Processes);
        return one.State switch
        {
            LockCondition.Held => one.Holder!.Who(),
            LockCondition.LeftToChild => $"{processes}, started by {one.Holder!.Who()}",
            LockCondition.HeldByUnknown => $"{processes}; the record names nobody",
            LockCondition.Stale => $"{(one.Holder is { } holder ? $"was {holder.Who()}: " : "")}{one.Evidence}",
            LockCondition.Free or _ => "-",
        };
    }
}
