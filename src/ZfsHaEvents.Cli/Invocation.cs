using System.CommandLine;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Text;

namespace ZfsHaEvents.Cli;

/// <summary>One verb being carried out: what was typed, and what it works with.</summary>
sealed class Invocation(ParseResult parsed, CancellationToken cancellation) : IDisposable
{
    /// <summary>A person waits at the other end, and PostgreSQL may be at a failover of its own.</summary>
    static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(10);

    ServerClient? _server;

    public Screen Screen { get; } = Screen.OfProcess(parsed.GetValue(Options.Json), parsed.GetValue(Options.Utc));

    public CancellationToken Cancellation { get; } = cancellation;

    /// <exception cref="CommandFailedException">The address is none.</exception>
    public ServerClient Server => _server ??= ConnectTo(AnswerLimit);

    /// <summary><c>--server …</c> as it was typed, for commands that the user is told to type next; empty when it was not.</summary>
    public string ServerOption => parsed.GetResult(Options.Server) is { Implicit: false } ? $" --server {Human.Shell(parsed.GetValue(Options.Server)!)}" : "";

    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    public T? Get<T>(Argument<T> argument) => parsed.GetValue(argument);

    public bool Has(Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>The server, when it matters how soon it is known not to answer.</summary>
    /// <exception cref="CommandFailedException">The address is none.</exception>
    public ServerClient ConnectTo(TimeSpan limit)
    {
        var text = parsed.GetValue(Options.Server)!;
        return Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
            ? new ServerClient(address, limit)
            : throw CommandFailedException.BadUsage($"'{text}' is not a server's address: expected something like {Options.ServerDefault}", "Give --server, or set ZFSHA_SERVER.");
    }

    public void Dispose() => _server?.Dispose();
}

/// <summary>Options that every verb has.</summary>
static class Options
{
    public const string ServerDefault = "http://127.0.0.1:7450";

    public static readonly Option<string> Server = new("--server")
    {
        Description = "Address of the server (ZFSHA_SERVER)",
        HelpName = "URL",
        Recursive = true,
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("ZFSHA_SERVER") is { Length: > 0 } address ? address : ServerDefault,
    };

    public static readonly Option<bool> Json = new("--json") { Description = "Print JSON, for programs; errors too", Recursive = true };

    public static readonly Option<bool> Utc = new("--utc") { Description = "Times in UTC, shown and typed, instead of this machine's time zone", Recursive = true };
}
