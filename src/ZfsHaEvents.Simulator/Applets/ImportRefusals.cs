using System.Globalization;
using ZfsHaEvents.Simulator.Protocol;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>Why an import was refused, in the words of 2.3.9. What zpool(8) finds itself and what the kernel finds is worded differently.</summary>
static class ImportRefusals
{
    /// <summary>After the try (do_import).</summary>
    public static string BeforeImport(ImportPermit permit, ImportConfig config) => permit switch
    {
        ImportPermit.ActiveElsewhere =>
            $"cannot import '{config.Name}': pool is imported on {config.HostName} (hostid: 0x{config.HostId:x})\n" +
            "Export the pool on the other system, then run 'zpool import'.",
        ImportPermit.NoHostId =>
            $"Cannot import '{config.Name}': pool has the multihost property on and the\n" +
            "system's hostid is not set. Set a unique hostid with the zgenhostid(8) command.",
        ImportPermit.ForceNeeded =>
            $"cannot import '{config.Name}': pool was previously in use from another system.\n" +
            $"Last accessed by {config.HostName} (hostid={config.HostId:x}) at {Time(config.Timestamp)}\n" +
            "The pool can be imported, use 'zpool import -f' to import the pool.",
        ImportPermit.Granted or _ => throw new System.Diagnostics.UnreachableException($"Not a refusal: {permit}"),
    };

    /// <summary>By the kernel (zpool_import_props): what comes after "cannot import ...: ".</summary>
    public static string ByKernel(KernelReply reply)
    {
        if (reply.Error != Errno.EREMOTEIO) return ZpoolContext.Words(reply.Error);

        if ((MmpResult)reply.Value.Number("mmp_result") == MmpResult.ClaimUnreachable)
        {
            return "the multihost claim could not be written to a device\n" +
                "the pool configuration expects to be present.\n" +
                "If the device is permanently gone, recover with 'zhack mmp reclaim'.";
        }
        return (MmpState)reply.Value.Number("mmp_state") == MmpState.NoHostId
            ? "pool has the multihost property on and the\n" +
              "system's hostid is not set. Set a unique system hostid with the zgenhostid(8) command.\n"
            : $"pool is imported on host '{reply.Value.Text("mmp_hostname")}' (hostid={reply.Value.Number("mmp_hostid"):x}).\n" +
              "Export the pool on the other system, then run 'zpool import'.";
    }

    /// <summary>As ctime(3) writes it.</summary>
    public static string Time(ulong seconds)
    {
        var at = DateTimeOffset.FromUnixTimeSeconds((long)seconds).ToLocalTime();
        var day = at.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2);
        return at.ToString($"ddd MMM '{day}' HH:mm:ss yyyy", CultureInfo.InvariantCulture);
    }
}
