using System.Globalization;
using System.Text.RegularExpressions;

namespace ZfsHaEvents.Zfs.Posture;

/// <summary>A release of OpenZFS, as <c>/sys/module/zfs/version</c> tells it.</summary>
/// <param name="Text">All of it, with what a distribution added.</param>
public sealed partial record ZfsVersion(int Major, int Minor, int Patch, string Text)
{
    /// <summary>Null for what is no version, such as that of a build from a bare checkout.</summary>
    public static ZfsVersion? Parse(string text) =>
        Form().Match(text) is { Success: true } match
            ? new(Number(match, "major"), Number(match, "minor"), Number(match, "patch"), text)
            : null;

    public bool IsBefore(int major, int minor, int patch = 0) => (Major, Minor, Patch).CompareTo((major, minor, patch)) < 0;

    public override string ToString() => Text;

    static int Number(Match match, string group) => int.Parse(match.Groups[group].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);

    // "2.3.9-0+deb13u1", "2.2.2-0ubuntu9.1", "0.7.13-1". More digits than a number has are no version.
    [GeneratedRegex("^(?<major>[0-9]{1,4})\\.(?<minor>[0-9]{1,4})\\.(?<patch>[0-9]{1,4})([-.+_~ ][ -~]*)?$")]
    private static partial Regex Form();
}
