using System.Text.RegularExpressions;
using Shouldly;
using Xunit;
using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Commands;

namespace ZfsHaEvents.Zfs.Tests.Commands;

public partial class ZpoolErrorsTests
{
    /// <summary>Every error that zpool was recorded to print, names replaced by X, and what it means.</summary>
    static readonly Dictionary<string, ZpoolFailure> Expected = new()
    {
        ["cannot import 'X': pool is imported on hosta (hostid: 0xa001)"] = ZpoolFailure.ActiveElsewhere,
        ["cannot import 'X': pool is imported on hostb (hostid: 0xa002)"] = ZpoolFailure.ActiveElsewhere,
        ["cannot import 'X': pool is imported on host 'X' (hostid=a001)."] = ZpoolFailure.ActiveElsewhere,
        ["cannot import 'X': pool is imported on host 'X' (hostid=a002)."] = ZpoolFailure.ActiveElsewhere,
        ["cannot clear errors for X: pool is imported on a different host"] = ZpoolFailure.ActiveElsewhere,
        ["cannot import 'X': pool was previously in use from another system."] = ZpoolFailure.ForceRequired,
        ["Cannot import 'X': pool has the multihost property on and the"] = ZpoolFailure.NoHostId,
        ["cannot import 'X': pool has the multihost property on and the"] = ZpoolFailure.NoHostId,
        ["cannot create 'X': requires a non-zero system hostid"] = ZpoolFailure.NoHostId,
        ["cannot set property for 'X': requires a non-zero system hostid"] = ZpoolFailure.NoHostId,
        ["cannot import 'X': the multihost claim could not be written to a device"] = ZpoolFailure.ClaimUnreachable,
        ["cannot import 'X': a pool with that name already exists"] = ZpoolFailure.NameTaken,
        ["cannot import 'X': pool already exists"] = ZpoolFailure.NameTaken,
        ["cannot import 'X' as 'X': pool already exists"] = ZpoolFailure.NameTaken,
        ["cannot import 'X': more than one matching pool"] = ZpoolFailure.AmbiguousName,
        ["cannot import 'X': no such pool available"] = ZpoolFailure.NotVisible,
        ["no pools available to import"] = ZpoolFailure.NotVisible,
        ["cannot import 'X': one or more devices is currently unavailable"] = ZpoolFailure.DevicesMissing,
        ["cannot open 'X': no such pool"] = ZpoolFailure.NotImported,
        ["failed to open pool \"tank2\"cannot open 'X': no such pool"] = ZpoolFailure.NotImported,
        ["Cannot get properties of X: no such pool available."] = ZpoolFailure.NotImported,
        ["cannot unmount 'X': pool or dataset is busy"] = ZpoolFailure.Busy,
        ["cannot export 'X': pool I/O is currently suspended"] = ZpoolFailure.Suspended,
        ["cannot set property for 'X': pool I/O is currently suspended"] = ZpoolFailure.Suspended,
        ["sync 'X' failed: pool I/O is currently suspended"] = ZpoolFailure.Suspended,
        ["cannot set property for 'X': pool is read-only"] = ZpoolFailure.Other,
        ["cannot create 'X': pool is read-only"] = ZpoolFailure.Other,
        ["cannot open 'X': dataset does not exist"] = ZpoolFailure.Other,
        ["cannot mount 'X': filesystem already mounted"] = ZpoolFailure.Other,
        ["cannot clear errors for X: I/O error"] = ZpoolFailure.Other,
        ["cannot label 'X': failed to detect device partitions on 'X': 19"] = ZpoolFailure.Other,
        ["property 'X' is not a valid pool or vdev property"] = ZpoolFailure.Other,
        ["bad property list: invalid property 'X'"] = ZpoolFailure.Other,
        ["missing pool argument"] = ZpoolFailure.Other,
    };

    public static TheoryData<string> Messages() =>
        [.. Transcript.All.SelectMany(recorded => Split(recorded.Stderr + ErrorsAmong(recorded.Stdout))).Distinct().Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Messages))]
    public void Every_recorded_error_has_the_expected_class(string message)
    {
        Expected.ShouldContainKey(Masked(message));
        ZpoolErrors.Classify(message).ShouldBe(Expected[Masked(message)]);
    }

    [Fact]
    public void Every_expected_error_is_in_the_recordings() =>
        Expected.Keys.Except(Messages().Select(row => Masked(row.Data))).ShouldBeEmpty();

    [Theory]
    [InlineData("cannot import 'tank1': pool is imported on host '<unknown>' (hostid=0).\nExport the pool on the other system, then run 'zpool import'.")]
    [InlineData("cannot import 'tank1': pool is imported on <unknown> (hostid: 0x0)\nExport the pool on the other system, then run 'zpool import'.")]
    [InlineData("cannot import 'tank1': pool is imported on host 'hosta' (hostid=00000000).")]
    public void Activity_of_hostid_0_is_an_unreachable_claim_device(string stderr) =>
        ZpoolErrors.Classify(stderr).ShouldBe(ZpoolFailure.ClaimUnreachable);

    [Theory]
    [InlineData("cannot import 'tank1': I/O errors occurred while writing the multihost claim.", ZpoolFailure.ClaimFailed)]
    [InlineData("cannot export 'tank1': pool is busy", ZpoolFailure.Busy)]
    [InlineData("CANNOT IMPORT 'TANK1': POOL WAS PREVIOUSLY IN USE FROM ANOTHER SYSTEM.", ZpoolFailure.ForceRequired)]
    [InlineData("cannot import tank1: the multihost claim could not\nbe written to a device", ZpoolFailure.ClaimUnreachable)]
    [InlineData("cannot import 'tank1': pool may be in use from other system", ZpoolFailure.ForceRequired)]
    [InlineData("The devices below are missing or corrupted, use '-m' to import the pool anyway:\n", ZpoolFailure.DevicesMissing)]
    [InlineData("The ZFS modules cannot be auto-loaded.\nTry running 'modprobe zfs' as root to manually load them.", ZpoolFailure.Other)]
    [InlineData("", ZpoolFailure.Other)]
    public void Wordings_of_other_releases_are_known(string stderr, ZpoolFailure expected) => ZpoolErrors.Classify(stderr).ShouldBe(expected);

    [Fact]
    public void Activity_elsewhere_beats_the_hint_to_use_force() => ZpoolErrors.Classify(
        "cannot import 'a': pool was previously in use from another system.\ncannot import 'a': pool is imported on hosta (hostid: 0xa001)\n")
        .ShouldBe(ZpoolFailure.ActiveElsewhere);

    /// <summary>Where a recording mixed stderr into stdout, its errors are recognised by how they begin.</summary>
    static string ErrorsAmong(string stdout) => string.Concat(stdout.Split('\n').Where(line => ZpoolError().IsMatch(line)).Select(line => line + "\n"));

    static IEnumerable<string> Split(string stderr)
    {
        var message = "";
        foreach (var line in stderr.Split('\n').Append("cannot "))
        {
            if (!MessageStart().IsMatch(line) || Foreign().IsMatch(line))
            {
                if (message.Length > 0) message += "\n" + line;
                continue;
            }
            if (message.Length > 0) yield return message.TrimEnd();
            message = line;
        }
    }

    static string Masked(string message) => Unquoted().Replace(Quoted().Replace(message.Split('\n')[0], "'X'"), "$1 X:");

    [GeneratedRegex("^(cannot |no pools available to import|property '|bad property list|missing pool argument|failed to open pool|sync ')", RegexOptions.IgnoreCase)]
    private static partial Regex MessageStart();

    [GeneratedRegex("^cannot (import|export|clear errors for) ", RegexOptions.IgnoreCase)]
    private static partial Regex ZpoolError();

    // zdb's and the shell's own.
    [GeneratedRegex("^cannot open '/|^cannot access")]
    private static partial Regex Foreign();

    [GeneratedRegex("'[^' ]+'")]
    private static partial Regex Quoted();

    [GeneratedRegex("(errors for|properties of) [a-z0-9]+:")]
    private static partial Regex Unquoted();
}
