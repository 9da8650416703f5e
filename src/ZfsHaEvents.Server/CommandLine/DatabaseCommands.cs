using System.CommandLine;
using System.Text.Json;
using ZfsHaEvents.Server.Databases;

namespace ZfsHaEvents.Server.CommandLine;

/// <summary><c>zfsha-server database backup|restore FILE</c>.</summary>
static class DatabaseCommands
{
    public static Command All() => new("database", "Back up the database, or restore it from a backup") { Backup(), Restore() };

    static Command Backup()
    {
        var file = new Argument<string>("FILE") { Description = "Where to: pg_dump's custom format, mode 0600; there whole, or not at all" };
        var overwrite = new Option<bool>("--overwrite") { Description = "Replace the file if there is one" };
        var command = new Command("backup", "Write everything of ours in the database to a file. Servers and agents may go on meanwhile") { file, overwrite, Shared.Timeout, Shared.Json };
        command.SetAction((parsed, cancellation) => Shared.ToldAsync(parsed, () => Shared.OnDatabaseAsync(parsed, new() { Create = false }, async (database, limited) =>
        {
            var path = parsed.GetValue(file)!;
            var bytes = await DatabaseBackup.WriteAsync(database, path, parsed.GetValue(overwrite), limited);
            Console.WriteLine(parsed.GetValue(Shared.Json)
                ? JsonSerializer.Serialize(new { file = Path.GetFullPath(path), bytes })
                : $"{path}: {Progress.Size(bytes)}, written and read again");
            return ExitCodes.Done;
        }, cancellation)));
        return command;
    }

    static Command Restore()
    {
        var file = new Argument<string>("FILE") { Description = "What 'database backup' wrote" };
        var replace = new Option<bool>("--replace") { Description = "Replace the database that is there; it is kept under another name, and untouched if the restore fails" };
        var command = new Command("restore", """
            Bring a backup back, into a new --data directory or an empty database, while no server runs on it.
            It starts a new incarnation of the history and ends all leases: agents open new sessions, and orders of before are refused.
            """) { file, replace, Shared.Timeout, Shared.Json };
        command.SetAction((parsed, cancellation) => Shared.ToldAsync(parsed, () => Shared.OnDatabaseAsync(parsed, new() { Alone = true }, async (database, limited) =>
        {
            var path = parsed.GetValue(file)!;
            var restored = await DatabaseRestore.ReadAsync(database, path, parsed.GetValue(replace), limited);
            if (parsed.GetValue(Shared.Json))
            {
                Console.WriteLine(JsonSerializer.Serialize(new { file = Path.GetFullPath(path), takenAt = restored.TakenAt, incarnation = restored.Incarnation, keptAs = restored.KeptAs }));
                return ExitCodes.Done;
            }

            Console.WriteLine($"restored {path} of {restored.TakenAt}: incarnation {restored.Incarnation} begins; every agent opens a new session");
            if (restored.KeptAs is { } kept) Console.WriteLine($"what was there before is kept as the database {kept}; drop it when nobody needs it");
            return ExitCodes.Done;
        }, cancellation)));
        return command;
    }
}
