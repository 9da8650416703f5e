using ZfsHaEvents.Domain.Pools;
using ZfsHaEvents.Zfs.Commands;

namespace ZfsHaEvents.Zfs.Operations;

/// <summary>
/// Whether an import that was ordered with proof may, and need, use <c>-f</c>, given the label as the importing host has just
/// read it itself. The proof was made elsewhere and earlier; the disks have the last word.
/// </summary>
/// <param name="Force">Import with <c>-f</c>.</param>
/// <param name="Failure">Anything but <see cref="ZpoolFailure.None"/>: do not import at all.</param>
/// <param name="Detail">Why, for people.</param>
public sealed record ForceCheck(bool Force, ZpoolFailure Failure, string Detail)
{
    public static ForceCheck Of(ForceProof proof, LabelReading reading) => reading.Label switch
    {
        null => Forbid(ZpoolFailure.LabelsUnreadable, "no leaf carried a readable label of the pool"),
        { State: LabelState.Exported } => new(Force: false, ZpoolFailure.None, "the label is EXPORTED: no force is needed"),
        { State: LabelState.Other } => Forbid(ZpoolFailure.LabelsUnreadable, "the label is neither ACTIVE nor EXPORTED"),
        { } label when label.HostId != proof.LastHolder => Forbid(
            ZpoolFailure.ActiveElsewhere, $"the label is ACTIVE under hostid {label.HostId} ({label.HostName}), the proof is for {proof.LastHolder}"),
        { } label when proof.RestsOnMmp() && !label.MmpActive => Forbid(
            ZpoolFailure.MmpNotOnDisk, $"the proof rests on MMP, and the newest uberblock (txg {label.Txg}) does not carry it"),
        // The newest uberblock of all may be on the leaf that was not read, written after multihost was turned off.
        { } label when proof.RestsOnMmp() && label.LeavesRead < label.LeavesAsked => Forbid(
            ZpoolFailure.MmpNotOnDisk, $"the proof rests on MMP, and only {label.LeavesRead} of {label.LeavesAsked} leaves could be read:\n{reading.Detail}"),
        { } label => new(Force: true, ZpoolFailure.None, $"the label is ACTIVE under hostid {label.HostId}, as the proof says"),
    };

    static ForceCheck Forbid(ZpoolFailure failure, string detail) => new(Force: false, failure, detail);
}
