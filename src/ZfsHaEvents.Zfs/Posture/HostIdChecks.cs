using ZfsHaEvents.Domain;

namespace ZfsHaEvents.Zfs.Posture;

/// <summary>SPL's hostid: there is one, it stays the same over a boot, and what is written down is what is in use.</summary>
static class HostIdChecks
{
    const string WhyActive =
        "ZFS tells hosts apart by it: with hostid 0 a pool cannot have multihost on, and without multihost any host of hostid 0 imports a pool that another has";

    const string WhyPersistent = "after the next boot ZFS takes this host's own pools for another host's, and waits or refuses; with hostid 0 it cannot import a multihost pool at all";

    /// <summary>As zone_get_hostid has it (module/os/linux/spl/spl-generic.c): the parameter, or else the file.</summary>
    public static Fact<uint> Active(PostureFacts facts) => facts switch
    {
        { HostIdParameter: { IsKnown: false } } => facts.HostIdParameter,
        { HostIdParameter: { Value: not 0 } } => facts.HostIdParameter,
        { HostIdFile: { IsKnown: false } } => Fact.Unknown<uint>(facts.HostIdFile.Unknown!),
        _ => Fact.Known(facts.HostIdFile.Value.HostId),
    };

    /// <summary>What it will be after the next boot.</summary>
    static Fact<uint> Persistent(PostureFacts facts) => facts switch
    {
        { HostIdOnCommandLine: { IsKnown: false } } => Fact.Unknown<uint>(facts.HostIdOnCommandLine.Unknown!),
        { HostIdOnCommandLine: { Value: not (null or 0) and { } given } } => Fact.Known(given),
        { HostIdFile: { IsKnown: false } } => Fact.Unknown<uint>(facts.HostIdFile.Unknown!),
        _ => Fact.Known(facts.HostIdFile.Value.HostId),
    };

    public static IEnumerable<PostureFinding> Of(PostureFacts facts)
    {
        var (active, persistent) = (Active(facts), Persistent(facts));
        if (!active.IsKnown)
        {
            yield return PostureChecks.Unknown("hostid-active", null, "SPL's active hostid", active.Unknown!, WhyActive);
        }
        else if (active.Value == 0)
        {
            yield return new(
                "hostid-active", PostureSeverity.Critical, null, $"SPL's active hostid is 0, and {FileSays(facts.HostIdFile)}", WhyActive, ["zgenhostid", .. Overwrite(facts)],
                "Then export its pools and import them again, so that their labels carry it. What hostid(1) prints does not count.");
        }

        if (!persistent.IsKnown)
        {
            yield return PostureChecks.Unknown("hostid-persistent", null, "SPL's hostid after the next boot", persistent.Unknown!, WhyPersistent);
        }
        else if (persistent.Value == 0 && active is { IsKnown: true, Value: not 0 })
        {
            yield return new(
                "hostid-persistent", PostureSeverity.Warning, null,
                $"SPL's active hostid {new ZfsHostId(active.Value)} is not on the kernel's command line (spl.spl_hostid=), and {FileSays(facts.HostIdFile)}",
                WhyPersistent, ["zgenhostid", .. Overwrite(facts), $"0x{new ZfsHostId(active.Value)}"]);
        }

        if (!active.IsKnown || !persistent.IsKnown || active.Value == 0 || persistent.Value == 0 || active.Value == persistent.Value) yield break;

        var byCommandLine = facts.HostIdOnCommandLine.Value is not (null or 0);
        yield return new(
            "hostid-agrees", PostureSeverity.Warning, null,
            $"SPL's active hostid is {new ZfsHostId(active.Value)}, and after the next boot it will be {new ZfsHostId(persistent.Value)} ({(byCommandLine ? "spl.spl_hostid= on the kernel's command line" : "/etc/hostid")})",
            WhyPersistent, byCommandLine ? [] : ["zgenhostid", "-f", $"0x{new ZfsHostId(active.Value)}"],
            byCommandLine ? $"Give spl.spl_hostid=0x{new ZfsHostId(active.Value)} in the boot loader's configuration." : "");
    }

    static string FileSays(Fact<HostIdFile> file) => file switch
    {
        { IsKnown: false } => "what /etc/hostid says is not known",
        { Value.Bytes: null } => "there is no /etc/hostid",
        { Value: { Bytes: < sizeof(uint) and { } few } } => $"/etc/hostid holds {few} bytes where 4 are needed",
        _ => $"/etc/hostid says {new ZfsHostId(file.Value.HostId)}",
    };

    /// <summary>zgenhostid(8) leaves a file that is there alone without it.</summary>
    static string[] Overwrite(PostureFacts facts) => facts.HostIdFile is { IsKnown: true, Value.Bytes: null } ? [] : ["-f"];
}
