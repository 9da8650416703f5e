using System.CommandLine;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Cli.Text;
using ZfsHaEvents.Domain.Bus;

namespace ZfsHaEvents.Cli.Bus;

/// <summary><c>bus send</c> and <c>bus types</c>: the message bus, as a foreign program sees it.</summary>
static class BusVerb
{
    public static Command Define() => new("bus", "Put messages on the bus, and see which there are (docs/bus.md)") { Send(), Types() };

    static Command Send()
    {
        var file = new Argument<string>("FILE") { Description = "A CloudEvents 1.0 message in JSON; - for standard input" };
        var database = new Option<string?>("--database")
        {
            Description = "PostgreSQL connection string (ZFSHA_DATABASE); without one, the server is asked for its private PostgreSQL",
            HelpName = "CONNECTION",
        };
        return Verb.Of("send", "Put a message on the bus, as any program would; it is handled by whichever server takes it", [file, database], async invocation =>
        {
            var json = await ReadAsync(invocation.Get(file)!, invocation.Cancellation);
            var message = Checked(json);
            var connection = invocation.Get(database) ?? (Environment.GetEnvironmentVariable("ZFSHA_DATABASE") is { Length: > 0 } given ? given : null)
                ?? await PrivateDatabaseAsync(invocation);
            var row = await BusInsert.RunAsync(connection, json, invocation.Cancellation);

            var sent = new SentDocument(message.Id, MessageTypes.NameOf(message.Message.GetType()), row, FollowUp(message) + invocation.ServerOption);
            if (invocation.Screen.Json)
            {
                invocation.Screen.Document(sent, ApiJson.Relaxed.SentDocument);
                return ExitCodes.Done;
            }

            invocation.Screen.Line(sent.Id);
            if (invocation.Screen.IsTerminal) invocation.Screen.Notice($"{sent.Type} is on the bus; see what becomes of it: {sent.Follow}");
            return ExitCodes.Done;
        });
    }

    static Command Types()
    {
        var type = new Argument<string?>("TYPE") { Description = "Print an example of this type, to be changed and sent", Arity = ArgumentArity.ZeroOrOne };
        return Verb.Of("types", "The types of messages, or an example of one", [type], invocation =>
        {
            var all = MessageExamples.All();
            if (invocation.Get(type) is { } wanted)
            {
                var found = all.FirstOrDefault(t => t.Type == wanted) ?? throw CommandFailedException.BadUsage($"'{wanted}' is not a message type", "zfsha bus types lists them.");
                if (found.Example is not { } example) throw CommandFailedException.BadUsage($"{wanted} is not for people to send: it is one of the {found.Group}s that the product tells itself");
                if (invocation.Screen.Json) invocation.Screen.Document(found, ApiJson.Relaxed.MessageTypeDocument);
                else Console.Out.WriteLine(MessageExamples.Indented(example));
                return Task.FromResult(ExitCodes.Done);
            }

            if (invocation.Screen.Json) invocation.Screen.Document(all, ApiJson.Relaxed.IReadOnlyListMessageTypeDocument);
            else WriteTypes(invocation.Screen, all);
            return Task.FromResult(ExitCodes.Done);
        });
    }

    public static void WriteTypes(Screen screen, IReadOnlyList<MessageTypeDocument> types)
    {
        var table = new Table("TYPE", "GROUP", "DATA");
        foreach (var type in types) table.Add(Piece.Strong(type.Type), type.Group, type.Example is { } example ? MessageExamples.DataOf(example) : Piece.Dim("the product's own"));
        table.WriteTo(screen);
    }

    /// <exception cref="CommandFailedException">It is no message; says where.</exception>
    public static BusMessage Checked(string json)
    {
        try
        {
            return BusMessage.Read(json);
        }
        catch (MalformedMessageException e) // Its message says what is wrong; the reader's, in JSON, also where.
        {
            throw CommandFailedException.BadUsage($"not sent: {MalformedText.Of(e)}", "zfsha bus types TYPE prints a message to begin with.");
        }
    }

    static async Task<string> ReadAsync(string file, CancellationToken cancellation)
    {
        try
        {
            return file == "-" ? await Console.In.ReadToEndAsync(cancellation) : await File.ReadAllTextAsync(file, cancellation);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // Not there, a directory, not for us: the system's own words.
        {
            throw CommandFailedException.BadUsage($"'{file}' cannot be read: {e.Message}");
        }
    }

    static async Task<string> PrivateDatabaseAsync(Invocation invocation) =>
        (await invocation.Server.HealthAsync(invocation.Cancellation)).PrivateDatabase
        ?? throw CommandFailedException.BadUsage("the server works with a database that it was given, and does not hand out its connection string", "Give --database, or set ZFSHA_DATABASE.");

    /// <summary>The command that shows what becomes of the message. What refuses it stands in the pool's history.</summary>
    static string FollowUp(BusMessage message) =>
        message.Message is Domain.Pools.IRequest request ? $"zfsha history {Human.Shell(request.Pool.Text)} --request {request.Id}" : "zfsha dead-letters";
}
