using System.CommandLine;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Pools;
using ZfsHaEvents.Cli.Text;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Domain.Views;
using ZfsHaEvents.Zfs.Operations;

namespace ZfsHaEvents.Cli.OnHost;

/// <summary>How long things on a host may take.</summary>
static class OperationTimes
{
    public static Option<TimeSpan?> LockWait() => Parsers.Seconds("--timeout", "How long to wait for the pool's host lock (60)");

    public static readonly TimeSpan LockWaitDefault = TimeSpan.FromSeconds(60);

    /// <summary>An activity check takes 35 to 40 s with OpenZFS's defaults, and longer where the last holder's intervals were longer.</summary>
    public static readonly TimeSpan Import = TimeSpan.FromSeconds(180);

    public static readonly TimeSpan Export = TimeSpan.FromSeconds(180);

    public static readonly TimeSpan ReadLabels = TimeSpan.FromSeconds(30);
}

/// <summary><c>import</c>: import a pool on this host, never with <c>-f</c>.</summary>
static class ImportVerb
{
    /// <summary>A resource agent waits for this, and a server that is away must not cost it its own time limit.</summary>
    static readonly TimeSpan ServerLimit = TimeSpan.FromSeconds(3);

    public static Command Define()
    {
        var pool = Parsers.Pool();
        var reason = Parsers.Text("--reason", "TEXT", "Why, for the audit; needed when the server cannot be asked and multihost is not proven on");
        var noMount = new Option<bool>("--no-mount", "-N") { Description = "Mount no file system" };
        var lockWait = OperationTimes.LockWait();
        return Verb.Of("import", "On a storage host: import a pool here, unless another host may have it; never with -f", [pool, reason, noMount, lockWait], async invocation =>
        {
            var host = new ThisHost();
            var guid = await ResolveAsync(invocation, host, invocation.Get(pool));
            CommandFailedException? refused = null;
            var terms = ThisHost.Terms("zfsha import", OperationTimes.Import, invocation.Get(lockWait) ?? OperationTimes.LockWaitDefault, invocation.Get(reason)) with
            {
                // Only when the lock is had: while it was waited for, another host may have been told to import.
                Gate = async () =>
                {
                    refused = await RefusalAsync(invocation, host, invocation.Get(pool), guid, invocation.Get(reason));
                    return refused is null ? null : new(OrderRefusal.NotPermitted, $"{refused.Reason}: {refused.Message}");
                },
            };
            var import = host.Operations.ImportAsync(new(guid, Force: null, [], terms) { NoMount = invocation.Get(noMount) }, invocation.Cancellation);
            var outcome = await OperationProgress.ShowAsync(invocation.Screen, host, guid, $"importing {invocation.Get(pool)} on {host.Name}", import);
            if (refused is not null) throw refused;
            return OperationText.Write(invocation.Screen, OperationText.DocumentOf(host, guid, outcome), invocation.Get(pool), "import");
        });
    }

    /// <summary>Which pool is meant; the server may know the name.</summary>
    static async Task<PoolGuid> ResolveAsync(Invocation invocation, ThisHost host, PoolReference pool)
    {
        if (pool.AsGuid() is { } guid) return guid;
        var (known, _) = await AskAsync(invocation, pool);
        return await host.ResolveAsync(pool, known?.Pool, invocation.Cancellation);
    }

    /// <summary>What forbids importing the pool here now; null when nothing does.</summary>
    static async Task<CommandFailedException?> RefusalAsync(Invocation invocation, ThisHost host, PoolReference pool, PoolGuid guid, string? reason)
    {
        if (host.IsImported(guid)) return null; // It is so already: there is nothing to forbid.

        var (known, blind) = await AskAsync(invocation, new(guid.ToString()));
        if (known is not null && ImportPermission.Refusal(known, host.Name, reason) is { } refusal) return refusal;
        if (blind is null) return null;
        if (reason is not null)
        {
            invocation.Screen.Notice($"{blind}; going on because a reason is given");
            return null;
        }

        var label = (await host.Disks.RunAsync(invocation.Cancellation)).Pools.FirstOrDefault(p => p.Pool == guid)?.Label;
        if (ImportPermission.RefusalBlind(pool.Text, label, host.Environment.ReadHostId(), blind) is { } blindRefusal) return blindRefusal;
        invocation.Screen.Notice($"{blind}; going on because multihost is on: ZFS watches the disks for another host before it imports");
        return null;
    }

    /// <returns>What the server knows of the pool, null when nobody ever reported it; and why it could not be asked, null when it could.</returns>
    static async Task<(PoolOwnership? Known, string? Blind)> AskAsync(Invocation invocation, PoolReference pool)
    {
        using var server = invocation.ConnectTo(ServerLimit);
        try
        {
            return (await server.PoolAsync(pool, invocation.Cancellation), null);
        }
        catch (ServerRefusedException e) when (e.Reason == "UnknownPool") // Nobody ever reported it: nobody is believed to hold it.
        {
            return (null, null);
        }
        catch (ServerUnreachableException e) // What this verb is also for.
        {
            return (null, e.Message);
        }
    }
}

/// <summary><c>export</c>: export a pool on this host, never with <c>-f</c>.</summary>
static class ExportVerb
{
    public static Command Define()
    {
        var pool = Parsers.Pool();
        var reason = Parsers.Text("--reason", "TEXT", "Why, for the audit");
        var lockWait = OperationTimes.LockWait();
        return Verb.Of("export", "On a storage host: export a pool here; never with -f", [pool, reason, lockWait], async invocation =>
        {
            var host = new ThisHost();
            var guid = await host.ResolveAsync(invocation.Get(pool), known: null, invocation.Cancellation);
            var terms = ThisHost.Terms("zfsha export", OperationTimes.Export, invocation.Get(lockWait) ?? OperationTimes.LockWaitDefault, invocation.Get(reason));
            var export = host.Operations.ExportAsync(new(guid, terms), invocation.Cancellation);
            var outcome = await OperationProgress.ShowAsync(invocation.Screen, host, guid, $"exporting {invocation.Get(pool)} on {host.Name}", export);
            return OperationText.Write(invocation.Screen, OperationText.DocumentOf(host, guid, outcome), invocation.Get(pool), "export");
        });
    }
}

/// <summary>How an import or export on this host went, as people read it.</summary>
static class OperationText
{
    public static OperationDocument DocumentOf(ThisHost host, PoolGuid pool, OperationOutcome outcome) =>
        new(pool, host.Name, outcome.Failure, WasSo: outcome is { Failure: ZpoolFailure.None, Run: null }, outcome.Sight, outcome.Run, outcome.Detail);

    /// <returns>The exit code.</returns>
    public static int Write(Screen screen, OperationDocument done, PoolReference pool, string verb)
    {
        if (screen.Json) screen.Document(done, ApiJson.Relaxed.OperationDocument);
        else if (done.Failure is ZpoolFailure.None) WriteDone(screen, done, pool, verb);
        else WriteFailed(screen, done, pool, verb);
        return ExitCode(done.Failure);
    }

    public static int ExitCode(ZpoolFailure failure)
    {
        if (failure is ZpoolFailure.None) return ExitCodes.Done;
        if (failure is ZpoolFailure.LockTimedOut) return ExitCodes.LockTimedOut;
        return failure.IsRefusal() ? ExitCodes.Refused : ExitCodes.Failed;
    }

    static void WriteDone(Screen screen, OperationDocument done, PoolReference pool, string verb)
    {
        var sight = done.Sight.IsImported() ? $": {PoolText.Presence(done.Sight.Presence)}, {done.Sight.Health.ToString().ToUpperInvariant()}" : "";
        screen.Line(
            done.Run is { } run ? $"{pool} {verb}ed on {done.Host} in {Human.Duration(run.Seconds)}{sight}"
            : $"{pool} was {(done.Sight.IsImported() ? "imported" : "not imported")} on {done.Host} already; nothing was run");
    }

    static void WriteFailed(Screen screen, OperationDocument done, PoolReference pool, string verb)
    {
        var word = ExitCode(done.Failure) switch { ExitCodes.Refused => "refused", ExitCodes.LockTimedOut => "not begun", _ => "failed" };
        screen.Notice($"{word}: {verb} of {pool} on {done.Host}: {done.Failure}{(done.Detail.Length > 0 ? $": {done.Detail}" : "")}");
        if (done.Sight.Presence is not PoolPresence.Unknown) screen.Notice($"The pool is {PoolText.Presence(done.Sight.Presence)} here.");
        if (done.Run is { Ended: false }) screen.Notice("The command did not end and could not be ended; it keeps the pool's host lock until it does.");
    }
}
