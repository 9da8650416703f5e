using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using ZfsHaEvents.Domain;

namespace ZfsHaEvents.Cli;

/// <summary>Arguments and options of the kinds that many verbs have. What cannot be right is refused before anything is done.</summary>
static class Parsers
{
    /// <summary>What <c>--pool</c> is for beside a move's id.</summary>
    public const string WhosePool = "The pool whose move it is, where several have one of that id";

    public static Argument<PoolReference> Pool() => new("POOL") { Description = "The pool's name or GUID", CustomParser = r => Parse<PoolReference>(r) };

    public static PoolReference? OptionalPool(ArgumentResult result) => result.Tokens.Count == 0 ? null : Parse<PoolReference>(result);

    public static Argument<HostName> HostArgument(string description) => new("HOST") { Description = description, CustomParser = r => Parse<HostName>(r) };

    public static Option<HostName?> Host(string name, string description) =>
        new(name) { Description = description, HelpName = "HOST", CustomParser = r => Parse<HostName>(r) };

    public static Option<PoolReference?> PoolOption(string description) => new("--pool") { Description = description, HelpName = "POOL", CustomParser = r => Parse<PoolReference>(r) };

    public static Option<RequestId?> Id() => new("--id")
    {
        Description = "The request's identity; asking twice with one id is asking once. Without it one is made",
        HelpName = "ID",
        CustomParser = r => ParseId(r),
    };

    public static Argument<RequestId> MoveId() => new("ID") { Description = "The switchover's or failover's id, as zfsha moves lists it", CustomParser = r => ParseId(r) };

    public static Argument<RequestId?> MoveIdOptional() => new("ID")
    {
        Description = "The switchover's or failover's id; without it, the latest",
        Arity = ArgumentArity.ZeroOrOne,
        CustomParser = r => r.Tokens.Count == 0 ? null : ParseId(r),
    };

    public static Option<RequestId?> RequestOption(string description) => new("--request") { Description = description, HelpName = "ID", CustomParser = r => ParseId(r) };

    /// <summary>A text for the audit, which must say something.</summary>
    public static Option<string> RequiredText(string name, string helpName, string description) =>
        new(name) { Description = description, HelpName = helpName, Required = true, CustomParser = r => ParseText(r) };

    public static Option<string?> Text(string name, string helpName, string description) => new(name) { Description = description, HelpName = helpName, CustomParser = r => ParseText(r) };

    public static Option<string> By() => new("--by")
    {
        Description = "Who asks, for the audit (default: you, through sudo too)",
        HelpName = "NAME",
        DefaultValueFactory = _ => User.NameAtThisMachine(),
        CustomParser = r => ParseText(r),
    };

    public static Option<TimeSpan?> Seconds(string name, string description) => new(name) { Description = description, HelpName = "S", CustomParser = ParseSeconds };

    public static Option<DateTimeOffset?> Time(string name, string description) =>
        new(name) { Description = description, HelpName = "TIME", CustomParser = r => ParseTime(r) };

    /// <summary>A reader's name, of which the part before the colon is enough.</summary>
    public static Argument<string> Reader() => new("NAME")
    {
        Description = "The reader's name, as zfsha projections lists it; the part before the colon is enough",
        CustomParser = r =>
        {
            var name = r.Tokens[0].Value;
            if (name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is ':' or '_' or '-')) r.AddError($"'{name}' is not a reader's name: expected one that zfsha projections lists");
            return name;
        },
    };

    /// <summary>A dead letter's id.</summary>
    public static Guid Uuid(ArgumentResult result, string text)
    {
        if (!Guid.TryParse(text, out var uuid)) result.AddError($"'{text}' is not a dead letter's id: expected a UUID, as zfsha dead-letters lists it");
        return uuid;
    }

    static T Parse<T>(ArgumentResult result) where T : struct, IParsable<T>
    {
        try
        {
            return T.Parse(result.Tokens[0].Value, CultureInfo.InvariantCulture);
        }
        catch (FormatException e) // Its message says what is expected.
        {
            result.AddError(e.Message);
            return default;
        }
    }

    static RequestId ParseId(ArgumentResult result)
    {
        var id = Parse<RequestId>(result);
        // In an address these two mean something else.
        if (id.Value is "." or "..") result.AddError($"'{id}' is not a request id");
        return id;
    }

    static string ParseText(ArgumentResult result)
    {
        if (string.IsNullOrWhiteSpace(result.Tokens[0].Value)) result.AddError($"{Name(result)} is empty: it must say something, for the audit");
        return result.Tokens[0].Value;
    }

    static TimeSpan? ParseSeconds(ArgumentResult result)
    {
        if (double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0 and < 86_400)
            return TimeSpan.FromSeconds(seconds);
        result.AddError($"{Name(result)} takes a number of seconds from 0 to less than a day, not '{result.Tokens[0].Value}'");
        return null;
    }

    static DateTimeOffset? ParseTime(ArgumentResult result)
    {
        if (TypedTime.Parse(result.Tokens[0].Value, DateTimeOffset.UtcNow, result.GetValue(Options.Utc) ? TimeZoneInfo.Utc : TimeZoneInfo.Local) is { } time) return time;
        result.AddError($"'{result.Tokens[0].Value}' is not a time: {TypedTime.Forms}");
        return null;
    }

    static string Name(ArgumentResult result) => (result.Parent as OptionResult)?.Option.Name ?? result.Argument.Name;
}
