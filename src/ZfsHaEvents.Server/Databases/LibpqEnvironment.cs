using System.Globalization;
using Npgsql;

namespace ZfsHaEvents.Server.Databases;

/// <summary>A connection string as the environment of PostgreSQL's own programs: a password on a command line could be read by everybody on the machine.</summary>
public static class LibpqEnvironment
{
    /// <summary>Set for somebody's shell, these would lead elsewhere.</summary>
    static readonly string[] Removed = ["PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE", "PGDATABASE"];

    /// <param name="environment">What the program is going to be started with.</param>
    /// <exception cref="DatabaseCommandException">The connection string holds what PostgreSQL's programs do not know.</exception>
    public static void Apply(string connectionString, IDictionary<string, string?> environment)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        foreach (var name in Removed) environment.Remove(name);
        foreach (var (name, value) in Variables(settings))
            if (value is { Length: > 0 }) environment[name] = value;
        environment["PGAPPNAME"] = "zfsha-server database";
        environment["LC_ALL"] = "C";
    }

    static IEnumerable<(string Name, string? Value)> Variables(NpgsqlConnectionStringBuilder settings)
    {
        if (settings.SslPassword is not null)
            throw new DatabaseCommandException("PostgreSQL's programs take no password for a client key from us (SSL Password); give a key without one, readable by its owner alone");
        var hosts = (settings.Host ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(h => Split(h, settings.Port)).ToArray();
        yield return ("PGHOST", string.Join(',', hosts.Select(h => h.Host)));
        yield return ("PGPORT", string.Join(',', hosts.Select(h => h.Port.ToString(CultureInfo.InvariantCulture))));
        if (hosts.Length > 1) yield return ("PGTARGETSESSIONATTRS", "read-write");
        yield return ("PGDATABASE", settings.Database ?? settings.Username);
        yield return ("PGUSER", settings.Username);
        yield return ("PGPASSWORD", settings.Password);
        yield return ("PGPASSFILE", settings.Passfile);
        yield return ("PGOPTIONS", settings.Options);
        yield return ("PGCONNECT_TIMEOUT", (settings.ShouldSerialize("Timeout") ? settings.Timeout : 5).ToString(CultureInfo.InvariantCulture));
        if (settings.ShouldSerialize("SSL Mode")) yield return ("PGSSLMODE", Name(settings.SslMode));
        yield return ("PGSSLROOTCERT", settings.RootCertificate);
        yield return ("PGSSLCERT", settings.SslCertificate);
        yield return ("PGSSLKEY", settings.SslKey);
    }

    static string Name(SslMode mode) => mode switch
    {
        SslMode.Disable => "disable",
        SslMode.Allow => "allow",
        SslMode.Prefer => "prefer",
        SslMode.Require => "require",
        SslMode.VerifyCA => "verify-ca",
        SslMode.VerifyFull => "verify-full",
        _ => throw new DatabaseCommandException($"PostgreSQL's programs do not know SSL Mode={mode}"),
    };

    /// <summary><c>db1</c>, <c>db1:5433</c>, <c>[::1]:5433</c>, <c>/run/postgresql</c>.</summary>
    static (string Host, int Port) Split(string host, int port)
    {
        var colon = host.LastIndexOf(':');
        var separates = !host.StartsWith('/') && colon > 0 && (host.IndexOf(':', StringComparison.Ordinal) == colon || host[colon - 1] == ']');
        return separates && int.TryParse(host[(colon + 1)..], CultureInfo.InvariantCulture, out var own) ? (host[..colon].Trim('[', ']'), own) : (host.Trim('[', ']'), port);
    }
}
