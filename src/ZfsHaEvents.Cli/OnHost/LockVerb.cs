using System.CommandLine;
using System.Diagnostics;
using ZfsHaEvents.Cli.Text;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Zfs;
using ZfsHaEvents.Zfs.Commands;
using ZfsHaEvents.Zfs.Locks;

namespace ZfsHaEvents.Cli.OnHost;

/// <summary><c>lock</c>: run a command while this host's lock of a pool is held.</summary>
static class LockVerb
{
    const int LockOfCommandMax = 200;

    public static Command Define()
    {
        var pool = Parsers.Pool();
        var command = new Argument<string[]>("COMMAND") { Description = "The command and its arguments, after --", Arity = ArgumentArity.OneOrMore };
        var purpose = Parsers.Text("--purpose", "TEXT", "What for, told to whoever waits and recorded; without it, the command");
        var timeout = OperationTimes.LockWait();
        return Verb.Of(
            "lock", "On a storage host: run a command while the pool's host lock is held; what it runs with zfsha is under the same lock", [pool, command, purpose, timeout],
            async invocation =>
            {
                var host = new ThisHost();
                var words = invocation.Get(command)!;
                var text = Human.Shell(words);
                var what = invocation.Get(purpose) ?? (text.Length > LockOfCommandMax ? text[..LockOfCommandMax] : text);
                var guid = await host.ResolveAsync(invocation.Get(pool), known: null, invocation.Cancellation);
                return await RunAsync(host, new(host, guid, what), words, invocation.Get(timeout) ?? OperationTimes.LockWaitDefault, invocation.Cancellation);
            });
    }

    static async Task<int> RunAsync(ThisHost host, LockReports reports, string[] words, TimeSpan timeout, CancellationToken cancellation)
    {
        var attempt = await new HostLocks(host.Environment, TimeProvider.System).AcquireAsync(reports.Pool, reports.Purpose, timeout, cancellation: cancellation);
        if (attempt is LockAttempt.TimedOut { Waited: var waited, Holder: var holder })
        {
            reports.TimedOut(waited, holder);
            throw new CommandFailedException(ExitCodes.LockTimedOut, "refused", "LockTimedOut", $"the host lock of pool {reports.Pool} is held by {holder}; waited {Human.Duration(waited.TotalSeconds)}");
        }

        using var held = ((LockAttempt.Acquired)attempt).Lock;
        if (!held.IsNested) reports.Acquired(held);
        var since = Stopwatch.GetTimestamp();
        try
        {
            var (code, error) = await ChildProcess.RunInForegroundAsync(words[0], words[1..], held);
            if (error is not null) await Console.Error.WriteLineAsync($"zfsha: {Printable.Of(error)}");
            return code;
        }
        finally
        {
            held.Dispose();
            if (!held.IsNested) reports.Released(Stopwatch.GetElapsedTime(since));
        }
    }

    /// <summary>What happens to the lock, put on the spool as it happens. In a nest only the outermost is reported.</summary>
    sealed class LockReports(ThisHost host, PoolGuid pool, string purpose)
    {
        readonly HostSequence _sequence = new(host.Environment);
        readonly BootId _boot = host.Environment.ReadBootId();

        public PoolGuid Pool => pool;

        public string Purpose => purpose;

        public void Acquired(HeldLock held)
        {
            var facts = new List<HostFact>();
            if (held.Broken is { } broken) facts.Add(Now((number, at) => new HostFact.LockBroken(number, at, broken.PreviousHolder, broken.Evidence)));
            facts.Add(Now((number, at) => new HostFact.LockAcquired(number, at, purpose, held.Waited.TotalSeconds)));
            Report(facts);
        }

        public void Released(TimeSpan heldFor) => Report([Now((number, at) => new HostFact.LockReleased(number, at, purpose, heldFor.TotalSeconds))]);

        public void TimedOut(TimeSpan waited, string holder) => Report([Now((number, at) => new HostFact.LockTimedOut(number, at, purpose, waited.TotalSeconds, holder))]);

        HostFact Now(Func<long, DateTimeOffset, HostFact> fact) => _sequence.Draw(number => fact(number, TimeProvider.System.GetUtcNow()));

        void Report(IReadOnlyList<HostFact> facts) => host.Reports.Append(new(pool, null, host.Name, _boot, Order: null, User.Name(), facts), endsOrder: false);
    }
}
