using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Npgsql;
using ZfsHaEvents.Server.Databases;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Server.CommandLine;

/// <summary>How a command ended, for scripts. The numbers are frozen.</summary>
static class ExitCodes
{
    public const int Done = 0;

    /// <summary>It failed, or is not as it should be.</summary>
    public const int Failed = 1;

    /// <summary>The command line cannot be understood; nothing was done.</summary>
    public const int Usage = 2;
}

/// <summary>What every command of <c>zfsha-server</c> shares: which database it is about, and how it says that something is wrong.</summary>
static class Shared
{
    /// <summary>What goes wrong outside of this program, and is told in a sentence. Anything else is an error in it.</summary>
    static bool IsTold(Exception e) => e is PrivateClusterException or DatabaseCommandException or SchemaException or NpgsqlException or IOException or UnauthorizedAccessException or ArgumentException;

    public static Option<string?> Connection { get; } = new("--connection")
    {
        Description = "PostgreSQL connection string (ZFSHA_DATABASE), Npgsql's keywords; without one, a private PostgreSQL is started in --data",
        Recursive = true,
    };

    public static Option<string> Data { get; } = new("--data")
    {
        Description = "Directory of the private PostgreSQL (ZFSHA_DATA)",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("ZFSHA_DATA") ?? "/var/lib/zfsha-server",
        Recursive = true,
    };

    public static Option<bool> Json { get; } = new("--json") { Description = "Print one JSON document, and errors as one on standard error" };

    public static Option<TimeSpan> Timeout { get; } = Seconds("--timeout-seconds", 3600, "How long it may take in all");

    /// <summary>A time in seconds.</summary>
    public static Option<TimeSpan> Seconds(string name, double standard, string description, TimeSpan least = default, string why = "") => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => TimeSpan.FromSeconds(standard),
        CustomParser = result =>
        {
            var given = result.Tokens[0].Value;
            if (!double.TryParse(given, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) || seconds is not (> 0 and < 86_400))
                result.AddError($"{name} takes a number of seconds greater than 0 and less than a day, not '{given}'");
            else if (seconds < least.TotalSeconds)
                result.AddError($"{name} must be {least.TotalSeconds:0} or more, not '{given}': {why}");
            else
                return TimeSpan.FromSeconds(seconds);

            return default;
        },
    };

    /// <summary>The connection string that is meant; null for the private PostgreSQL. What is typed counts for more than what is in the environment.</summary>
    public static string? ConnectionString(ParseResult parsed) => parsed.GetValue(Connection) is { } given ? given : IsTyped(parsed, Data) ? null : Environment.GetEnvironmentVariable("ZFSHA_DATABASE");

    /// <summary>Both would leave it open which of two databases is meant.</summary>
    public static void RefuseBoth(Command root) => root.Validators.Add(result =>
    {
        if (result.GetResult(Connection) is { Implicit: false } && result.GetResult(Data) is { Implicit: false }) result.AddError("--connection and --data name two databases; give one of them");
    });

    /// <summary>Runs a command, and tells what goes wrong in a sentence.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> ToldAsync(ParseResult parsed, Func<Task<int>> command)
    {
        try
        {
            return await command();
        }
        catch (Exception e) when (IsTold(e))
        {
            var said = Words(e);
            await Console.Error.WriteLineAsync(parsed.GetValue(Json) ? JsonSerializer.Serialize(new { error = said }) : $"zfsha-server: {said}");
            return ExitCodes.Failed;
        }
    }

    /// <summary>Where several hosts were tried, what each of them said.</summary>
    static string Words(Exception e) => e.InnerException is AggregateException several ? $"{e.Message} ({string.Join("; ", several.InnerExceptions.Select(i => i.Message).Distinct())})" : e.Message;

    /// <summary>Runs something on the database that is meant, within <see cref="Timeout"/>. A private PostgreSQL is joined, or started for as long as it takes.</summary>
    public static async Task<int> OnDatabaseAsync(ParseResult parsed, PrivateClusterUse use, Func<string, CancellationToken, Task<int>> command, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(parsed.GetValue(Timeout));
        using var logging = LoggerFactory.Create(l => l.AddSimpleConsole(o => o.SingleLine = true).Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace));
        try
        {
            if (ConnectionString(parsed) is { } given) return await command(given, limit.Token);
            await using var cluster = await PrivateCluster.StartAsync(parsed.GetValue(Data)!, use, logging.CreateLogger("zfsha-server"), limit.Token);
            return await command(cluster.ConnectionString, limit.Token);
        }
        catch (Exception e) when (limit.IsCancellationRequested && e is OperationCanceledException or NpgsqlException { InnerException: OperationCanceledException or AggregateException })
        {
            throw new DatabaseCommandException(cancellation.IsCancellationRequested ? "interrupted" : $"not done within {parsed.GetValue(Timeout).TotalSeconds:0.###} s; give it more with {Timeout.Name}", e);
        }
    }

    static bool IsTyped(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };
}
