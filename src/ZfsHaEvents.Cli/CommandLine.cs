using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using ZfsHaEvents.Cli.Alerts;
using ZfsHaEvents.Cli.Bus;
using ZfsHaEvents.Cli.Hosts;
using ZfsHaEvents.Cli.Moves;
using ZfsHaEvents.Cli.OnHost;
using ZfsHaEvents.Cli.Pools;
using ZfsHaEvents.Cli.Projections;

namespace ZfsHaEvents.Cli;

/// <summary>The verbs, and how what was typed becomes one of them.</summary>
static class CommandLine
{
    const string Description = """
        Who holds which ZFS pool, what happened to it, and moving it to another host.

        pools, pool, owner and history tell; switchover and failover act through the server; lock, locks, import, export, scan, spool, posture and witness act on
        this host itself, also when the server is down.
        """;

    public static async Task<int> RunAsync(string[] args)
    {
        var root = Root();
        // A word that begins with '@' is a word, not a file to read more words from; and -v is never -a -b -c.
        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
        var failures = new FailurePrinter(args.TakeWhile(a => a != "--").Contains(Options.Json.Name));
        if (parsed.Errors.Count > 0 && parsed.Action is not (HelpAction or HelpWithExitCodes))
        {
            var verb = PathOf(parsed.CommandResult.Command);
            var wrong = parsed is { UnmatchedTokens: [var word, ..], CommandResult.Command.Subcommands.Count: > 0 }
                ? $"'{word}' is not a verb of {verb}"
                : string.Join("; ", parsed.Errors.Select(e => e.Message.TrimEnd('.')));
            return failures.Print(CommandFailedException.BadUsage(wrong, $"See {verb} --help."));
        }

        // Signals are the verbs' own business: one that runs a command under a lock passes them on, one that watches says how to go on.
        return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    static RootCommand Root()
    {
        var root = new RootCommand(Description)
        {
            Options.Server, Options.Json, Options.Utc,

            PoolsVerb.Define(), PoolVerb.Define(), OwnerVerb.Define(), HistoryVerb.Define(),
            SwitchoverVerb.Define(), FailoverVerb.Define(), ConfirmFencingVerb.Define(), AcknowledgeVerb.Define(), CallOffVerb.Define(), PolicyVerb.Define(),
            DossierVerb.Define(), MovesVerb.Define(), AlertsVerb.Define(), HostsVerb.Define(), DeadLettersVerb.Define(), BusVerb.Define(),
            ActivityVerb.Define(), ProjectionsVerb.Define(),
            LockVerb.Define(), LocksVerb.Define(), ImportVerb.Define(), ExportVerb.Define(), ScanVerb.Define(), SpoolVerb.Define(), PostureVerb.Define(), WitnessVerb.Define(),
        };
        root.HelpName = "zfsha";
        root.Directives.Clear();
        foreach (var help in root.Options.OfType<HelpOption>()) help.Action = new HelpWithExitCodes((HelpAction)help.Action!);
        return root;
    }

    static string PathOf(Command command) =>
        command is RootCommand ? "zfsha" : $"{PathOf(command.Parents.OfType<Command>().First())} {command.Name}";

    /// <summary>The help of every verb; that of the whole also explains the exit codes.</summary>
    sealed class HelpWithExitCodes(HelpAction help) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            help.Invoke(parseResult);
            if (parseResult.CommandResult.Command is not RootCommand) return ExitCodes.Done;

            Console.Out.WriteLine("Exit codes:");
            foreach (var (code, meaning) in ExitCodes.Table) Console.Out.WriteLine($"  {code,-3} {meaning}");
            return ExitCodes.Done;
        }
    }
}
