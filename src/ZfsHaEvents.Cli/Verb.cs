using System.CommandLine;

namespace ZfsHaEvents.Cli;

/// <summary>Makes a command of a name, its arguments and options, and what it does.</summary>
static class Verb
{
    public static Command Of(string name, string description, IEnumerable<Symbol> symbols, Func<Invocation, Task<int>> runAsync)
    {
        var command = new Command(name, description);
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument) command.Add(argument);
            else if (symbol is Option option) command.Add(option);
            else command.Add((Command)symbol);
        }

        command.SetAction((parsed, cancellation) => RunAsync(parsed, runAsync, cancellation));
        return command;
    }

    static async Task<int> RunAsync(ParseResult parsed, Func<Invocation, Task<int>> runAsync, CancellationToken cancellation)
    {
        try
        {
            using var invocation = new Invocation(parsed, cancellation);
            return await runAsync(invocation);
        }
        catch (Exception e) when (Environment.GetEnvironmentVariable("ZFSHA_TRACE") is null or "") // The last resort: users get sentences, also about our own bugs.
        {
            return new FailurePrinter(parsed.GetValue(Options.Json)).Print(e);
        }
    }
}
