using ZfsHaEvents.Domain.Pools;

namespace ZfsHaEvents.Domain.Tests;

/// <summary>Writing, silent or unknown: what two readings of every leaf permit to say.</summary>
public sealed class DiskWitnessTests
{
    static readonly UberblockMark Before = new(100, 1000, 1, MmpMilliseconds: 1000), WithoutMmp = Before with { MmpMilliseconds = null };

    [Fact]
    public void A_newer_uberblock_on_any_leaf_is_a_writer_whatever_else_is_not_known()
    {
        foreach (var after in (UberblockMark[])[Before with { Txg = 101 }, Before with { Timestamp = 1001, MmpSequence = 0 }, Before with { MmpSequence = 2 }])
            Of(0.5, missing: "half of it", new("d0", Before, Before, null), new("d1", Before, after, null), new("d2", null, null, "gone")).Activity.ShouldBe(DiskActivity.Writing, $"{after}");
        Of(0.5, null, new WatchedLeaf("d0", WithoutMmp, WithoutMmp with { Txg = 101 }, null)).ShouldBe(new(DiskActivity.Writing, "d0: uberblock of txg 100, then of txg 101"));
    }

    [Fact]
    public void Silent_is_a_pool_with_multihost_on_whose_leaves_were_all_watched_for_two_intervals() =>
        Of(2, null, new("d0", Before, Before, null), new WatchedLeaf("d1", Before with { Txg = 90 }, Before with { Txg = 90 }, null))
            .ShouldBe(new(DiskActivity.Silent, "no write to any of 2 leaves in 2 s, where multihost writes to each every 1 s"));

    [Fact]
    public void Less_than_two_intervals_prove_nothing() =>
        Of(1.99, null, new WatchedLeaf("d0", Before, Before, null)).ShouldBe(new(DiskActivity.Unknown, "watched for 1.99 s: 2 multihost intervals are 2 s"));

    [Fact]
    public void The_silence_of_a_pool_without_multihost_proves_nothing()
    {
        Of(3600, null, new WatchedLeaf("d0", WithoutMmp, WithoutMmp, null)).Activity.ShouldBe(DiskActivity.Unknown);
        // What an older uberblock on another leaf says does not count.
        Of(3600, null, new("d0", Before, Before, null), new WatchedLeaf("d1", WithoutMmp with { Txg = 101 }, WithoutMmp with { Txg = 101 }, null)).Activity.ShouldBe(DiskActivity.Unknown);
    }

    [Fact]
    public void A_leaf_that_was_not_seen_may_be_the_one_that_is_written_to()
    {
        Of(60, null, new("d0", Before, Before, null), new WatchedLeaf("d1", null, null, "d1: no such device")).ShouldBe(new(DiskActivity.Unknown, "d1: no such device"));
        Of(60, null, new("d0", Before, Before, null), new WatchedLeaf("d1", Before, null, "d1: zdb did not end within 10 s")).Activity.ShouldBe(DiskActivity.Unknown);
        Of(60, "the labels tell of 2 leaves", new WatchedLeaf("d0", Before, Before, null)).ShouldBe(new(DiskActivity.Unknown, "the labels tell of 2 leaves"));
        Of(60, null).Activity.ShouldBe(DiskActivity.Unknown);
    }

    [Fact]
    public void An_older_uberblock_than_before_is_no_write() =>
        Of(1, null, new WatchedLeaf("d0", Before, Before with { Txg = 99 }, null)).Activity.ShouldBe(DiskActivity.Unknown);

    static DiskWitness Of(double seconds, string? missing, params IReadOnlyList<WatchedLeaf> leaves) => DiskWitness.Of(leaves, seconds, missing);
}
