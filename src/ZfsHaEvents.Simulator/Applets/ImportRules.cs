using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.Protocol;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>Whether zpool(8) goes on with an import after its try.</summary>
enum ImportPermit
{
    /// <summary>It asks the kernel to import.</summary>
    Granted,

    /// <summary>Another host writes to the pool.</summary>
    ActiveElsewhere,

    /// <summary>This host has no hostid and the pool wants one.</summary>
    NoHostId,

    /// <summary>The pool was not exported by its last host; force would import it.</summary>
    ForceNeeded,
}

/// <summary>The decision zpool(8) takes between trying and importing (zfs_force_import_required and do_import). Pure.</summary>
static class ImportRules
{
    /// <param name="state">The pool's state by its labels.</param>
    /// <param name="labelHostId">The host that wrote them.</param>
    /// <param name="mmp">What the try's activity check found; nothing when it made none.</param>
    /// <param name="hostId">This host.</param>
    /// <param name="force">Whether force was asked for: then the kernel decides alone.</param>
    public static ImportPermit Decide(PoolState state, ulong labelHostId, MmpState? mmp, uint hostId, bool force)
    {
        if (force) return ImportPermit.Granted;

        var foreign = state != PoolState.Exported && labelHostId != hostId;
        return mmp switch
        {
            MmpState.Active => ImportPermit.ActiveElsewhere,
            MmpState.NoHostId => ImportPermit.NoHostId,
            MmpState.Inactive or null or _ => foreign ? ImportPermit.ForceNeeded : ImportPermit.Granted,
        };
    }
}
