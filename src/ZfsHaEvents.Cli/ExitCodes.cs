namespace ZfsHaEvents.Cli;

/// <summary>How a command ended, for scripts. The numbers are frozen.</summary>
static class ExitCodes
{
    public const int Done = 0;

    public const int Failed = 1;

    public const int Usage = 2;

    public const int NoHolder = 3;

    public const int Doubt = 4;

    public const int Pending = 5;

    public const int Trouble = 6;

    public const int Writing = 7;

    public const int Refused = 10;

    public const int Aborted = 11;

    public const int Halted = 12;

    public const int StillRunning = 13;

    public const int Unsafe = 14;

    public const int Undetermined = 15;

    /// <summary>EX_UNAVAILABLE of sysexits.h.</summary>
    public const int Unreachable = 69;

    /// <summary>EX_TEMPFAIL of sysexits.h.</summary>
    public const int LockTimedOut = 75;

    /// <summary>What each means, for <c>zfsha --help</c>.</summary>
    public static readonly (string Code, string Meaning)[] Table =
    [
        ("0", "done; for owner: exactly one host holds the pool, beyond doubt; for witness: its disks are silent"),
        ("1", "anything that has no number of its own"),
        ("2", "bad usage, or a message that is none; nothing was done"),
        ("3", "owner: no host holds the pool"),
        ("4", "owner: several hosts hold the pool, or it is in doubt who does; witness: it cannot be told"),
        ("5", "locks: a lock is held; spool: something waits to be told"),
        ("6", "locks: a stale record, or a file that is no lock; spool: full, unreadable, or entries were refused"),
        ("7", "witness: somebody writes to the pool's disks"),
        ("10", "refused, with the rule that said so; nothing was done"),
        ("11", "the switchover or failover was aborted: the pool did not move"),
        ("12", "the switchover or failover halted and needs a person"),
        ("13", "it was still running when this command stopped waiting"),
        ("14", "posture: something is not set up safely"),
        ("15", "posture: nothing is known to be wrong, but something could not be determined"),
        ("69", "the server or its database cannot be reached"),
        ("75", "the pool's host lock was not to be had in time"),
        ("*", "lock: the exit code of COMMAND; 127 and 126 if it could not be started"),
    ];
}
