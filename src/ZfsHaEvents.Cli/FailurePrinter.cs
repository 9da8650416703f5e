using System.Text.Json;
using Npgsql;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Text;
using ZfsHaEvents.Zfs;

namespace ZfsHaEvents.Cli;

/// <summary>Says on standard error why a command did not do what it was asked: in a sentence or two, or as JSON; never as a stack trace.</summary>
sealed class FailurePrinter(bool json)
{
    /// <returns>The exit code.</returns>
    public int Print(Exception failure)
    {
        var document = DocumentOf(failure);
        if (json)
        {
            Console.Error.WriteLine(JsonSerializer.Serialize(document, ApiJson.Relaxed.ErrorDocument));
            return document.ExitCode;
        }

        var detail = Printable.Of(document.Detail);
        Console.Error.WriteLine(document.Error == "refused" ? $"refused: {document.Reason}: {detail}" : $"zfsha: {detail}");
        if (document.Advice.Length > 0) Console.Error.WriteLine(document.Advice);
        return document.ExitCode;
    }

    static ErrorDocument DocumentOf(Exception failure) => failure switch
    {
        CommandFailedException e => new(e.Kind, e.Reason, e.Message, e.Advice, e.ExitCode),
        ServerRefusedException e => new(e.ExitCode() == ExitCodes.Usage ? "usage" : "refused", e.Reason, e.Message, "", e.ExitCode()),
        ServerUnreachableException e => new("unreachable", "ServerUnreachable", e.Message, e.Advice, ExitCodes.Unreachable),
        HostException e => new("failed", "Host", e.Message, "", ExitCodes.Failed),
        NpgsqlException or TimeoutException => new(
            "unreachable", "DatabaseUnreachable", $"the database cannot be asked: {failure.Message}", "Is PostgreSQL running? Check --database or ZFSHA_DATABASE.", ExitCodes.Unreachable),
        _ => new("failed", "Bug", $"{failure.GetType().Name}: {failure.Message}", "This is an error in zfsha itself; ZFSHA_TRACE=1 shows where.", ExitCodes.Failed),
    };
}
