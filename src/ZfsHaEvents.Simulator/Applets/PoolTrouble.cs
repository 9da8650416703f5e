using ZfsHaEvents.Simulator.Protocol;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>What is wrong with an imported pool, in the words of <c>zpool status</c> (check_status, print_status_reason).</summary>
/// <param name="Status">What is the matter.</param>
/// <param name="Action">What to do.</param>
/// <param name="MessageId">The message's number, if it has one.</param>
sealed record PoolTrouble(string Status, string Action, string? MessageId)
{
    static readonly PoolTrouble MultihostSuspended = new(
        "The pool is suspended because multihost writes failed or were delayed;\n\tanother system could import the pool undetected.",
        "Make sure the pool's devices are connected, then reboot your system and\n\timport the pool or run 'zpool clear' to resume the pool.",
        "ZFS-8000-MM");

    static readonly PoolTrouble IoSuspended = new(
        "One or more devices are faulted in response to IO failures.",
        "Make sure the affected devices are connected, then run 'zpool clear'.",
        "ZFS-8000-HC");

    static readonly PoolTrouble FaultedDevice = new(
        "One or more devices are faulted in response to persistent errors.\n\tSufficient replicas exist for the pool to continue " +
        "functioning in a\n\tdegraded state.",
        "Replace the faulted device, or use 'zpool clear' to mark the device\n\trepaired.",
        MessageId: null);

    static readonly PoolTrouble MissingDevice = new(
        "One or more devices could not be used because the label is missing or\n\tinvalid.  Sufficient replicas exist for the pool to " +
        "continue\n\tfunctioning in a degraded state.",
        "Replace the device using 'zpool replace'.",
        "ZFS-8000-4J");

    static readonly PoolTrouble DeviceErrors = new(
        "One or more devices has experienced an unrecoverable error.  An\n\tattempt was made to correct the error.  Applications are unaffected.",
        "Determine if the device needs to be replaced, and clear the errors\n\tusing 'zpool clear' or replace the device with 'zpool replace'.",
        "ZFS-8000-9P");

    /// <summary>The worst that can be said; nothing of a healthy pool.</summary>
    public static PoolTrouble? Of(PoolStatus pool) => pool switch
    {
        { Suspended: SuspendReason.Multihost } => MultihostSuspended,
        { Suspended: SuspendReason.IoFailure } => IoSuspended,
        _ when pool.Leaves.Any(leaf => leaf.State == VdevStatus.Faulted) => FaultedDevice,
        _ when pool.Leaves.Any(leaf => leaf.State == VdevStatus.Unavailable) => MissingDevice,
        _ when pool.Leaves.Any(leaf => leaf.ReadErrors + leaf.WriteErrors > 0) => DeviceErrors,
        _ => null,
    };
}
