using Shouldly;
using Xunit;

namespace ZfsHaEvents.Zfs.Tests;

public sealed class HostExceptionTests
{
    [Theory]
    [InlineData(Libc.AccessDenied, "run as root.")]
    [InlineData(Libc.NotPermitted, "run as root.")]
    [InlineData(Libc.NoSpace, "make room on the file system of /var/lib/zfsha.")]
    [InlineData(Libc.ReadOnlyFileSystem, "mount the file system of /var/lib/zfsha read-write.")]
    [InlineData(5, "see what the kernel says of the disk under /var/lib/zfsha (dmesg).")]
    public void What_a_disk_denies_is_told_with_what_to_do(int error, string advice) =>
        HostException.At("/var/lib/zfsha", "It cannot be written", new IOException("why", error)).Message.ShouldBe($"It cannot be written (why): {advice}");

    [Fact]
    public void What_dotnet_calls_unauthorized_wants_root_too() =>
        HostException.At("/var/lib/zfsha", "It cannot be read", new UnauthorizedAccessException("why")).Message.ShouldBe("It cannot be read (why): run as root.");

    [Fact]
    public void The_system_calls_errors_are_known_by_their_numbers()
    {
        Should.Throw<IOException>(() => Libc.MakeDirectory("/proc/zfsha", 0x1c0)).HResult.ShouldBe(2); // ENOENT: nobody makes anything there.
        Should.Throw<IOException>(() => File.WriteAllText("/dev/full", "x")).HResult.ShouldBe(Libc.NoSpace); // .NET's own.
    }
}
