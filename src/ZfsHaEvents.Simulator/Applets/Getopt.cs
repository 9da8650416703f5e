namespace ZfsHaEvents.Simulator.Applets;

/// <summary>An option that was given.</summary>
/// <param name="Name">Its letter, or the name of a long one.</param>
/// <param name="Value">Its argument; empty for one without.</param>
sealed record Option(string Name, string Value);

/// <summary>A command line taken apart as getopt_long(3) does it: options may stand behind operands, and <c>--</c> ends them.</summary>
sealed record CommandLine(IReadOnlyList<Option> Options, IReadOnlyList<string> Operands)
{
    public bool Has(string name) => Options.Any(option => option.Name == name);

    public IEnumerable<string> Values(string name) => Options.Where(option => option.Name == name).Select(option => option.Value);

    public string? Last(string name) => Values(name).LastOrDefault();

    /// <param name="args">The command line behind the command's name.</param>
    /// <param name="letters">As for getopt(3): a letter with an argument is followed by a colon.</param>
    /// <param name="longNames">Long options, all without argument.</param>
    /// <exception cref="UsageException">An option that does not exist, or lacks its argument.</exception>
    public static CommandLine Parse(IReadOnlyList<string> args, string letters, params ReadOnlySpan<string> longNames)
    {
        var options = new List<Option>();
        var operands = new List<string>();
        for (var at = 0; at < args.Count; at++)
        {
            var arg = args[at];
            if (arg == "--")
            {
                operands.AddRange(args.Skip(at + 1));
                break;
            }
            if (arg.StartsWith("--", StringComparison.Ordinal))
            {
                if (!longNames.Contains(arg[2..])) throw new UsageException("invalid option '\0'");
                options.Add(new(arg[2..], ""));
            }
            else if (arg.Length > 1 && arg[0] == '-')
            {
                at += ParseLetters(arg, at + 1 < args.Count ? args[at + 1] : null, letters, options);
            }
            else
            {
                operands.Add(arg);
            }
        }
        return new(options, operands);
    }

    /// <summary>Takes a cluster of letters; returns how many further arguments it used.</summary>
    static int ParseLetters(string cluster, string? following, string letters, List<Option> options)
    {
        for (var at = 1; at < cluster.Length; at++)
        {
            var letter = cluster[at];
            var known = letter == ':' ? -1 : letters.IndexOf(letter, StringComparison.Ordinal);
            if (known < 0) throw new UsageException($"invalid option '{letter}'");

            var takesArgument = known + 1 < letters.Length && letters[known + 1] == ':';
            if (!takesArgument)
            {
                options.Add(new(letter.ToString(), ""));
                continue;
            }
            if (at + 1 < cluster.Length)
            {
                options.Add(new(letter.ToString(), cluster[(at + 1)..]));
                return 0;
            }
            options.Add(new(letter.ToString(), following ?? throw new UsageException($"missing argument for '{letter}' option")));
            return 1;
        }
        return 0;
    }
}

/// <summary>What was typed is not a command: its text goes out, then the usage, and the exit code is 2. Thrown to leave any depth of parsing.</summary>
sealed class UsageException(string message) : Exception(message);
