using System.CommandLine;
using System.Text.Json;
using ZfsHaEvents.Server.Databases;
using ZfsHaEvents.Store;

namespace ZfsHaEvents.Server.CommandLine;

/// <summary><c>zfsha-server schema check|apply|script</c>.</summary>
static class SchemaCommands
{
    public static Command All() => new("schema", "The database's tables, functions, views and roles") { Check(), Apply(), Script() };

    static Command Check()
    {
        var command = new Command("check", "Say whether the database has this program's schema, and what is missing or otherwise. Changes nothing; exit code 1 unless all is as it should be") { Shared.Timeout, Shared.Json };
        command.SetAction((parsed, cancellation) => Shared.ToldAsync(parsed, () => Shared.OnDatabaseAsync(parsed, new() { Create = false }, async (database, limited) =>
        {
            var state = await SchemaAtStart.CheckAsync(database, limited);
            if (parsed.GetValue(Shared.Json))
            {
                Console.WriteLine(JsonSerializer.Serialize(new { current = state.IsCurrent, pending = state.Pending, problems = state.Problems }));
            }
            else
            {
                foreach (var pending in state.Pending) Console.WriteLine($"not applied: {pending}");
                foreach (var problem in state.Problems) Console.WriteLine(problem);
                Console.WriteLine(state.IsCurrent ? "the schema is this program's" : state.Problems.Count == 0 ? "the schema is behind: zfsha-server schema apply" : "the schema is not this program's");
            }

            return state.IsCurrent ? ExitCodes.Done : ExitCodes.Failed;
        }, cancellation)));
        return command;
    }

    static Command Apply()
    {
        var command = new Command("apply", "Apply what is missing, as the owner of the schema; a server does the same when it starts, if its database user may. Doing it twice changes nothing") { Shared.Timeout, Shared.Json };
        command.SetAction((parsed, cancellation) => Shared.ToldAsync(parsed, () => Shared.OnDatabaseAsync(parsed, new(), async (database, limited) =>
        {
            var applied = await SchemaAtStart.ApplyAsync(database, limited);
            if (parsed.GetValue(Shared.Json))
            {
                Console.WriteLine(JsonSerializer.Serialize(new { applied }));
            }
            else
            {
                foreach (var script in applied) Console.WriteLine($"applied: {script}");
                if (applied.Count == 0) Console.WriteLine("nothing to apply");
            }

            return ExitCodes.Done;
        }, cancellation)));
        return command;
    }

    static Command Script()
    {
        var command = new Command("script", "Print all of it as one text for psql; it asks no database, and running it twice changes nothing") { Shared.Json };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(Shared.Json))
                Console.WriteLine(JsonSerializer.Serialize(PostgresSchema.Scripts().Select(s => new { name = s.Name, sha256 = s.Digest, repeatable = s.Repeatable, sql = s.Sql })));
            else
                Console.Write(PostgresSchema.WholeScript());
            return ExitCodes.Done;
        });
        return command;
    }
}
