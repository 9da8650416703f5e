using System.Text.Json.Serialization;

namespace ZfsHaEvents.Domain.Pools;

/// <summary>
/// Why a <c>zpool</c> or <c>zdb</c> command did not do what it was asked. <c>zpool</c> exits 1 for nearly everything, so this is read
/// from its stderr (cmd/zpool/zpool_main.c, lib/libzfs/libzfs_pool.c); the text itself is kept beside it.
/// </summary>
[JsonConverter(typeof(NameConverter<ZpoolFailure>))]
public enum ZpoolFailure
{
    /// <summary>No failure.</summary>
    None,

    /// <summary>"pool is imported on HOST": the activity check saw somebody write. Never an occasion for force.</summary>
    ActiveElsewhere,

    /// <summary>"pool was previously in use from another system … use 'zpool import -f'": eligible for force, given evidence.</summary>
    ForceRequired,

    /// <summary>"pool has the multihost property on and the system's hostid is not set".</summary>
    NoHostId,

    /// <summary>"the multihost claim could not be written to a device": a leg is missing under multihost=on.</summary>
    ClaimUnreachable,

    /// <summary>"I/O errors occurred while writing the multihost claim".</summary>
    ClaimFailed,

    /// <summary>"a pool with that name already exists".</summary>
    NameTaken,

    /// <summary>"no such pool available": the disks are not visible from this host, or carry no such pool.</summary>
    NotVisible,

    /// <summary>"cannot open 'X': no such pool": the pool is not imported on this host.</summary>
    NotImported,

    /// <summary>"more than one matching pool".</summary>
    AmbiguousName,

    /// <summary>"pool or dataset is busy", "pool is busy".</summary>
    Busy,

    /// <summary>"pool I/O is currently suspended".</summary>
    Suspended,

    /// <summary>"one or more devices is currently unavailable", "… missing": too few vdevs to open the pool.</summary>
    DevicesMissing,

    /// <summary>No usable label on any of the devices.</summary>
    LabelsUnreadable,

    /// <summary>The forced import rests on MMP, and the newest uberblock does not carry it.</summary>
    MmpNotOnDisk,

    /// <summary>The command did not end within its time limit.</summary>
    TimedOut,

    /// <summary>The command exited 0, and what it was asked for is not so.</summary>
    DidNothing,

    /// <summary>The program could not be started: not installed, not executable, not permitted.</summary>
    NotStarted,

    /// <summary>A signal ended the command.</summary>
    Interrupted,

    /// <summary>The host lock could not be had in time.</summary>
    LockTimedOut,

    /// <summary>Anything else; the text says what.</summary>
    Other,
}

/// <summary>Helpers over <see cref="ZpoolFailure"/>.</summary>
public static class ZpoolFailures
{
    /// <summary>Whether ZFS looked and said no, as against something having gone wrong on the way.</summary>
    public static bool IsRefusal(this ZpoolFailure failure) => failure is
        ZpoolFailure.ActiveElsewhere or ZpoolFailure.ForceRequired or ZpoolFailure.NoHostId or ZpoolFailure.ClaimUnreachable
        or ZpoolFailure.NameTaken or ZpoolFailure.NotVisible or ZpoolFailure.NotImported or ZpoolFailure.AmbiguousName
        or ZpoolFailure.Busy or ZpoolFailure.Suspended or ZpoolFailure.DevicesMissing or ZpoolFailure.MmpNotOnDisk;
}
