namespace ZfsHaEvents.Zfs.Posture;

/// <summary>OpenZFS's release, and what is known to be wrong with it.</summary>
static class VersionChecks
{
    const string Check = "zfs-version";

    public static IEnumerable<PostureFinding> Of(Fact<ZfsVersion> version)
    {
        if (!version.IsKnown)
        {
            yield return PostureChecks.Unknown(Check, null, "which release of OpenZFS is loaded", version.Unknown!, "what is known to be wrong with it cannot be told");
            yield break;
        }

        var release = version.Value;
        if (release.IsBefore(0, 7))
        {
            yield return new(
                Check, PostureSeverity.Critical, null, $"OpenZFS {release} has no multihost", "nothing but the hostid keeps a pool from being imported on two hosts, and import -f overrides that", [],
                "Install a later release.");
        }
        else if (release.IsBefore(0, 8))
        {
            yield return new(
                Check, PostureSeverity.Warning, null, $"OpenZFS {release} does not write its multihost parameters into the uberblocks",
                "an importer goes by its own zfs_multihost_interval: on a host where it is shorter, the check may be too short for a slow holder", [], "Set the same parameters on all hosts, or install a later release.");
        }
        else if (TakeoverTime.Claims(release) != true)
        {
            yield return new(
                Check, PostureSeverity.Note, null, $"OpenZFS {release} is {(TakeoverTime.Claims(release) is null ? "not known to make" : "from before")} the multihost claim, which 2.4.1 brought",
                "of two hosts that begin to import a pool at the same moment, only a check that is longer by chance keeps the second out", [],
                "Let nothing import pools but zfsha, which never lets two hosts try at once.");
        }
    }
}
