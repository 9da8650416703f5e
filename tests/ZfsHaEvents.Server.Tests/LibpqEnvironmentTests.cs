using Shouldly;
using Xunit;
using ZfsHaEvents.Server.Databases;

namespace ZfsHaEvents.Server.Tests;

/// <summary>A connection string of ours, as PostgreSQL's own programs are told it.</summary>
public sealed class LibpqEnvironmentTests
{
    static Dictionary<string, string?> Of(string connectionString)
    {
        var environment = new Dictionary<string, string?> { ["PGSERVICE"] = "elsewhere", ["PGDATABASE"] = "elsewhere", ["HOME"] = "/root" };
        LibpqEnvironment.Apply(connectionString, environment);
        return environment;
    }

    [Theory]
    [InlineData("Host=db1", "db1", "5432")]
    [InlineData("Host=db1;Port=6000", "db1", "6000")]
    [InlineData("Host=db1:5433, db2", "db1,db2", "5433,5432")]
    [InlineData("Host=/run/a,/run/b", "/run/a,/run/b", "5432,5432")]
    [InlineData("Host=[::1]:5433,fe80::1", "::1,fe80::1", "5433,5432")]
    public void Hosts_and_ports(string connectionString, string hosts, string ports)
    {
        var environment = Of(connectionString);

        environment["PGHOST"].ShouldBe(hosts);
        environment["PGPORT"].ShouldBe(ports);
        environment.ContainsKey("PGTARGETSESSIONATTRS").ShouldBe(hosts.Contains(','));
    }

    [Fact]
    public void Credentials_and_TLS_by_libpqs_names()
    {
        var environment = Of("Host=db1;Username=u;Password=p w;Database=d;Passfile=/etc/pgpass;SSL Mode=VerifyFull;Root Certificate=/ca;SSL Certificate=/crt;SSL Key=/key;Timeout=7;Options=-c a=b");

        environment.ShouldBe(new Dictionary<string, string?>
        {
            ["HOME"] = "/root",
            ["LC_ALL"] = "C",
            ["PGAPPNAME"] = "zfsha-server database",
            ["PGHOST"] = "db1",
            ["PGPORT"] = "5432",
            ["PGDATABASE"] = "d",
            ["PGUSER"] = "u",
            ["PGPASSWORD"] = "p w",
            ["PGPASSFILE"] = "/etc/pgpass",
            ["PGOPTIONS"] = "-c a=b",
            ["PGCONNECT_TIMEOUT"] = "7",
            ["PGSSLMODE"] = "verify-full",
            ["PGSSLROOTCERT"] = "/ca",
            ["PGSSLCERT"] = "/crt",
            ["PGSSLKEY"] = "/key",
        }, ignoreOrder: true);
    }

    [Fact]
    public void What_is_not_said_is_left_to_libpq() => Of("Host=db1;Username=u").Keys.ShouldBe(["HOME", "LC_ALL", "PGAPPNAME", "PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGCONNECT_TIMEOUT"], ignoreOrder: true);

    [Fact]
    public void A_password_of_a_client_key_cannot_be_passed_on() => Should.Throw<DatabaseCommandException>(() => Of("Host=db1;SSL Password=x")).Message.ShouldContain("SSL Password");
}
