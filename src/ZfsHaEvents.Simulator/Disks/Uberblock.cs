using System.Buffers.Binary;

namespace ZfsHaEvents.Simulator.Disks;

/// <summary>
/// The root of one transaction group as it stands in a label's uberblock ring, with the fields multihost protection needs
/// (OpenZFS, uberblock_impl.h). The newest is the one with the highest <see cref="Txg"/>, then timestamp, then sequence.
/// </summary>
/// <param name="Txg">The transaction group.</param>
/// <param name="GuidSum">The sum of the GUIDs of the pool and of all its vdevs.</param>
/// <param name="Timestamp">When it was written, in seconds since 1970.</param>
/// <param name="Birth">The transaction group that last changed the pool's contents: an idle pool's uberblocks move on, its contents do not.</param>
/// <param name="MmpDelay">Nanoseconds between multihost writes as their writer measured them; 0 while multihost is off.</param>
/// <param name="Mmp">What the writer promises its importers; nothing while multihost is off.</param>
readonly record struct Uberblock(ulong Txg, ulong GuidSum, ulong Timestamp, ulong Birth, ulong MmpDelay, MmpConfig? Mmp)
    : IComparable<Uberblock>
{
    public const ulong Magic = 0x00bab10c;
    public const ulong MmpMagic = 0xa11cea11;
    public const int Size = 1024;

    const int ChecksumOffset = Size - sizeof(ulong);

    /// <summary>Whether its writer had multihost on: only then does an activity check find anything (spa_activity_check_required).</summary>
    public bool MmpActive => MmpDelay != 0;

    /// <summary>The order of vdev_uberblock_compare: a host without multihost counts as sequence 0.</summary>
    public int CompareTo(Uberblock other)
    {
        var order = Txg.CompareTo(other.Txg);
        if (order == 0) order = Timestamp.CompareTo(other.Timestamp);
        return order != 0 ? order : (Mmp?.Sequence ?? 0).CompareTo(other.Mmp?.Sequence ?? 0);
    }

    public static bool operator <(Uberblock left, Uberblock right) => left.CompareTo(right) < 0;

    public static bool operator >(Uberblock left, Uberblock right) => left.CompareTo(right) > 0;

    public static bool operator <=(Uberblock left, Uberblock right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Uberblock left, Uberblock right) => left.CompareTo(right) >= 0;

    public void Encode(Span<byte> block)
    {
        block.Clear();
        var config = Mmp is { } mmp ? mmp.Encode() : 0;
        ReadOnlySpan<ulong> words = [Magic, Txg, GuidSum, Timestamp, Birth, MmpMagic, MmpDelay, config];
        for (var i = 0; i < words.Length; i++) BinaryPrimitives.WriteUInt64LittleEndian(block[(i * sizeof(ulong))..], words[i]);
        BinaryPrimitives.WriteUInt64LittleEndian(block[ChecksumOffset..], Fletcher4.Sum(block[..ChecksumOffset]));
    }

    /// <summary>The uberblock in the block, or nothing when the block is empty or torn.</summary>
    public static Uberblock? Decode(ReadOnlySpan<byte> block)
    {
        if (Word(block, 0) != Magic) return null;
        if (BinaryPrimitives.ReadUInt64LittleEndian(block[ChecksumOffset..]) != Fletcher4.Sum(block[..ChecksumOffset])) return null;

        return new(Word(block, 1), Word(block, 2), Word(block, 3), Word(block, 4), Word(block, 6), MmpConfig.Decode(Word(block, 7)));
    }

    static ulong Word(ReadOnlySpan<byte> block, int at) => BinaryPrimitives.ReadUInt64LittleEndian(block[(at * sizeof(ulong))..]);
}

/// <summary>
/// The packed multihost settings of an uberblock. They are what the last writer used: an importer waits by these, not by its own.
/// </summary>
/// <param name="IntervalMilliseconds">zfs_multihost_interval of the writer.</param>
/// <param name="FailIntervals">zfs_multihost_fail_intervals of the writer; 0 means that it never suspends.</param>
/// <param name="Sequence">Orders writes within one second, and is the random token of a claim.</param>
readonly record struct MmpConfig(uint IntervalMilliseconds, ushort FailIntervals, ushort Sequence)
{
    /// <summary>The three valid bits of ub_mmp_config: interval, sequence and fail intervals are all present.</summary>
    public const ulong AllValid = 0x07;

    public ulong Encode() => AllValid | (ulong)(IntervalMilliseconds & 0xFFFFFF) << 8 | (ulong)Sequence << 32 | (ulong)FailIntervals << 48;

    public static MmpConfig? Decode(ulong word) => (word & AllValid) == AllValid
        ? new((uint)(word >> 8 & 0xFFFFFF), (ushort)(word >> 48), (ushort)(word >> 32))
        : null;
}
