using System.Diagnostics;
using ZfsHaEvents.Simulator.Disks;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>How a claim ended.</summary>
enum MmpClaimOutcome
{
    /// <summary>For ten intervals nobody but this host wrote.</summary>
    Established,

    /// <summary>Somebody else wrote.</summary>
    ActivitySeen,

    /// <summary>A device that should be there did not take the claim.</summary>
    Unreachable,
}

/// <summary>
/// The second part of an import's activity check (spa_activity_check_claim): write a random sequence number to every disk, find
/// it unchanged one interval later, ten times over. Of two hosts that claim at once each sees the other's number, and at most
/// one goes on.
/// </summary>
sealed class MmpClaim(HostKernel kernel, OpenedPool opened, int loadState)
{
    long _writtenAt;

    /// <summary>Claims the pool. Whatever comes of it, the disks say afterwards what they said before.</summary>
    /// <returns>How it ended, and when the last claim was written.</returns>
    /// <exception cref="OperationCanceledException">The caller is gone.</exception>
    public async Task<(MmpClaimOutcome Outcome, long WrittenAt)> EstablishAsync(CancellationToken cancel)
    {
        // Unlike a watcher, a claimer must be sure of its starting point: any difference at all is activity.
        if (opened.Devices.Best() != opened.Best || opened.Best.Mmp is not { } mmp) return (MmpClaimOutcome.ActivitySeen, 0);

        try
        {
            return (await ClaimAsync(mmp, cancel), _writtenAt);
        }
        finally
        {
            Write(opened.Best);
            kernel.Kstats.ClearProgress();
        }
    }

    async Task<MmpClaimOutcome> ClaimAsync(MmpConfig mmp, CancellationToken cancel)
    {
        var interval = TimeSpan.FromMilliseconds(mmp.IntervalMilliseconds);
        var notes = $"Establishing MMP claim, waiting {ActivityCheck.ClaimWrites * mmp.IntervalMilliseconds} ms";
        var used = mmp.Sequence == ushort.MaxValue ? (ushort)0 : mmp.Sequence;
        for (var left = ActivityCheck.ClaimWrites; left > 0; left--)
        {
            kernel.Kstats.ShowProgress(opened.PoolGuid, opened.Contents.Name, loadState, interval * left, notes);
            var token = opened.Best with { Mmp = mmp with { Sequence = (ushort)Random.Shared.Next(used + 1, ushort.MaxValue + 1) } };
            if (!Write(token)) return MmpClaimOutcome.Unreachable;

            _writtenAt = Stopwatch.GetTimestamp();
            await kernel.Time.DelayAsync(interval, cancel);
            if (opened.Devices.Best() is not { } now || now.CompareTo(token) != 0) return MmpClaimOutcome.ActivitySeen;
        }
        return MmpClaimOutcome.Established;
    }

    bool Write(Uberblock uberblock)
    {
        using var passage = kernel.DiskGate.Enter();
        return opened.Devices.Claim(uberblock);
    }
}
