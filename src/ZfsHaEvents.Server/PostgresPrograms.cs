using System.Globalization;

namespace ZfsHaEvents.Server;

/// <summary>Where PostgreSQL's programs are.</summary>
static class PostgresPrograms
{
    const string Installed = "/usr/lib/postgresql";

    /// <summary>Names the directory of the programs to use.</summary>
    public const string Variable = "ZFSHA_POSTGRES_BIN";

    /// <summary>The directory that holds this program, of the newest version that is installed.</summary>
    /// <param name="program">One that must be there: <c>initdb</c>, <c>pg_dump</c>.</param>
    /// <param name="preferred">The major version to take if it is installed: a cluster is served by the version that made it.</param>
    /// <exception cref="PrivateClusterException">It is nowhere; the message says what to install.</exception>
    public static string Find(string program, string? preferred = null)
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given)
        {
            return File.Exists(Path.Combine(given, program))
                ? given
                : throw new PrivateClusterException($"{Variable} is '{given}', and PostgreSQL's program {program} is not there");
        }

        var installed = Directory.Exists(Installed) ? Directory.GetDirectories(Installed) : [];
        return installed.OrderByDescending(d => Path.GetFileName(d) == preferred)
            .ThenByDescending(d => double.TryParse(Path.GetFileName(d), CultureInfo.InvariantCulture, out var v) ? v : 0)
            .Select(d => Path.Combine(d, "bin")).FirstOrDefault(d => File.Exists(Path.Combine(d, program)))
            ?? throw new PrivateClusterException(program == "initdb"
                ? $"no PostgreSQL server is installed under {Installed}: install it (apt-get install postgresql), name its programs' directory in {Variable}, or give a connection string with --connection"
                : $"{program} is not installed under {Installed}: install it (apt-get install postgresql-client), or name its directory in {Variable}");
    }
}
