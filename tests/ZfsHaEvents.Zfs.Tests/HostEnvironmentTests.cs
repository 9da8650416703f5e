using Shouldly;
using Xunit;
using ZfsHaEvents.Domain;

namespace ZfsHaEvents.Zfs.Tests;

[Collection(nameof(HostEnvironmentTests))] // It sets this process's variables, one test at a time.
public sealed class HostEnvironmentTests : IDisposable
{
    static readonly string[] Variables = ["ZFSHA_HOST", "ZFSHA_HOST_ROOT", "ZFSHA_SBIN", "ZFSHA_STATE_DIR", "ZFSHA_RUN_DIR"];

    readonly TestHost _host = new();

    [Fact]
    public void Without_variables_it_is_this_machine()
    {
        var host = HostEnvironment.FromVariables();

        host.Name.Value.ShouldBe(Environment.MachineName.Split('.')[0]);
        (host.Root, host.Sbin, host.StateDirectory, host.RunDirectory).ShouldBe(("/", null, "/var/lib/zfsha", "/run/zfsha"));
        host.PathOf("/proc/stat").ShouldBe("/proc/stat");
        host.ReadBootId().Value.ShouldNotBe(Guid.Empty);
    }

    [Fact]
    public void Variables_say_otherwise()
    {
        foreach (var (name, value) in _host.Variables()) Environment.SetEnvironmentVariable(name, value);
        HostEnvironment.FromVariables().ShouldBe(_host.Environment);
    }

    [Theory]
    [InlineData("ZFSHA_HOST", "-f", "set ZFSHA_HOST")]
    [InlineData("ZFSHA_HOST_ROOT", "/nonexistent", "ZFSHA_HOST_ROOT is '/nonexistent', which is not a directory")]
    [InlineData("ZFSHA_SBIN", "sbin", "ZFSHA_SBIN is 'sbin': expected an absolute path")]
    [InlineData("ZFSHA_RUN_DIR", "run", "expected an absolute path")]
    public void An_unusable_variable_is_named(string variable, string value, string words)
    {
        Environment.SetEnvironmentVariable(variable, value);
        Should.Throw<HostException>(HostEnvironment.FromVariables).Message.ShouldContain(words);
    }

    [Fact]
    public void The_hostid_is_read_as_the_decimal_number_it_is() => _host.Environment.ReadHostId().ShouldBe(new ZfsHostId(0xa001));

    [Fact]
    public void A_module_that_is_not_loaded_is_told_with_what_to_do()
    {
        File.Delete(_host.Environment.PathOf("/sys/module/spl/parameters/spl_hostid"));
        Should.Throw<HostException>(() => _host.Environment.ReadHostId()).Message.ShouldContain("spl_hostid cannot be read (");
        Should.Throw<HostException>(() => _host.Environment.ReadHostId()).Message.ShouldContain("modprobe zfs");
    }

    [Fact]
    public void A_boot_id_that_is_none_is_told()
    {
        _host.Write("/proc/sys/kernel/random/boot_id", "");
        Should.Throw<HostException>(() => _host.Environment.ReadBootId()).Message.ShouldContain("not a boot id");
    }

    [Fact]
    public void Programs_are_found_in_the_folder_given_or_in_the_usual_ones()
    {
        _host.Environment.ProgramFile("zpool").ShouldBe(Path.Join(_host.Folder, "sbin/zpool"));
        (_host.Environment with { Sbin = null }).ProgramFile("sh").ShouldEndWith("/bin/sh");
        (_host.Environment with { Sbin = null }).ProgramFile("no-such-program").ShouldBe("/usr/sbin/no-such-program");
    }

    public void Dispose()
    {
        foreach (var variable in Variables) Environment.SetEnvironmentVariable(variable, null);
        _host.Dispose();
    }
}
