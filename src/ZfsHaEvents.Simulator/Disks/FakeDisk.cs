using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace ZfsHaEvents.Simulator.Disks;

/// <summary>
/// A fake shared disk: one sparse file that every host's kernel and every <c>zdb</c> reads and writes in place, with no lock, as
/// a shared disk has none. Every block carries a checksum, so a torn one reads as absent, and every write is one pwrite(2).
/// </summary>
/// <remarks>
/// A real leaf has four labels, each with its own copy of the configuration and of the uberblock ring, all written alike; here one
/// copy stands for the four. Only the multihost slot, the last of each ring, differs between real labels, so there are four of them.
/// </remarks>
sealed class FakeDisk : IDisposable
{
    /// <summary>Labels of a vdev (VDEV_LABELS).</summary>
    public const int Labels = 4;

    /// <summary>Uberblocks of one label with 512-byte sectors; the last of them is the multihost slot.</summary>
    public const int RingSlots = 128;

    /// <summary>Slots that transaction groups rotate through.</summary>
    public const int TxgSlots = RingSlots - 1;

    const int LabelOffset = 0;
    const int LabelSize = 112 * 1024;
    const int RingOffset = 128 * 1024;
    const int MmpOffset = 256 * 1024;
    const int ContentsOffset = 1024 * 1024;
    const int ContentsSize = 1024 * 1024;
    const int ContentsSlots = 2;
    const int HeaderSize = 3 * sizeof(ulong);
    const ulong HeaderMagic = 0x5a46_5348_4153_494d;

    /// <summary>A block that is being written looks torn for microseconds; a few looks tell that from a block that is not there.</summary>
    const int ReadAttempts = 4;

    readonly SafeFileHandle _file;

    FakeDisk(SafeFileHandle file) => _file = file;

    /// <summary>The size every fake disk's file has: long enough for all blocks, sparse.</summary>
    public static long FileSize => ContentsOffset + ContentsSlots * ContentsSize;

    /// <summary>Opens the disk behind a device node, or nothing when there is none.</summary>
    public static FakeDisk? Open(string path, FileAccess access)
    {
        try
        {
            // Sharing everything keeps .NET from taking an advisory lock, which a disk does not have.
            return new(File.OpenHandle(path, FileMode.Open, access, FileShare.ReadWrite | FileShare.Delete));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            // No such node, a hidden disk, or a directory: what the caller names is not a disk on this host.
            return null;
        }
    }

    /// <summary>Forgets everything: a new pool must not find an older one's uberblocks.</summary>
    public void Wipe()
    {
        RandomAccess.Write(_file, new byte[ContentsOffset], 0);
        for (var slot = 0; slot < ContentsSlots; slot++) RandomAccess.Write(_file, new byte[HeaderSize], ContentsOffset + slot * ContentsSize);
    }

    public NvList? ReadLabel() => ReadBlock(LabelOffset, LabelSize)?.List;

    public void WriteLabel(NvList label) => WriteBlock(LabelOffset, LabelSize, 0, label);

    /// <summary>The pool's contents as that transaction group left them, or the newest before it.</summary>
    public NvList? ReadContents(ulong birth)
    {
        (ulong Txg, NvList List)? best = null;
        for (var slot = 0; slot < ContentsSlots; slot++)
        {
            if (ReadBlock(ContentsOffset + slot * ContentsSize, ContentsSize) is not { } found || found.Tag > birth) continue;
            if (best is null || found.Tag > best.Value.Txg) best = (found.Tag, found.List);
        }
        return best?.List;
    }

    /// <summary>Writes contents into the slot that the uberblock on the disk does not refer to: a torn write loses nothing.</summary>
    public void WriteContents(ulong txg, ulong previousBirth, NvList contents)
    {
        var slot = 0;
        if (ReadBlock(ContentsOffset, ContentsSize) is { } first && first.Tag == previousBirth) slot = 1;
        WriteBlock(ContentsOffset + slot * ContentsSize, ContentsSize, txg, contents);
    }

    public void WriteUberblock(Uberblock uberblock) => WriteSlot(RingOffset + SlotOf(uberblock.Txg) * Uberblock.Size, uberblock);

    /// <summary>Writes the multihost slot of one label.</summary>
    public void WriteMmp(int label, Uberblock uberblock) => WriteSlot(MmpOffset + label * Uberblock.Size, uberblock);

    /// <summary>The ring by slot; an empty or torn slot is null.</summary>
    public Uberblock?[] ReadRing() => ReadSlots(RingOffset, TxgSlots);

    /// <summary>The multihost slot of each label.</summary>
    public Uberblock?[] ReadMmp() => ReadSlots(MmpOffset, Labels);

    /// <summary>The ring slot of one transaction group, whatever stands in it.</summary>
    public Uberblock? ReadSlot(ulong txg) => ReadSlots(RingOffset + SlotOf(txg) * Uberblock.Size, 1)[0];

    /// <summary>The newest uberblock on this disk (vdev_uberblock_load).</summary>
    public Uberblock? Best()
    {
        Uberblock? best = null;
        foreach (var found in (ReadOnlySpan<Uberblock?>)[.. ReadRing(), .. ReadMmp()])
        {
            if (found is { } uberblock && (best is null || uberblock > best)) best = uberblock;
        }
        return best;
    }

    public void Dispose() => _file.Dispose();

    static int SlotOf(ulong txg) => (int)(txg % TxgSlots);

    Uberblock?[] ReadSlots(long offset, int count)
    {
        var bytes = new byte[count * Uberblock.Size];
        RandomAccess.Read(_file, bytes, offset);
        var slots = new Uberblock?[count];
        for (var i = 0; i < count; i++) slots[i] = Uberblock.Decode(bytes.AsSpan(i * Uberblock.Size, Uberblock.Size));
        return slots;
    }

    void WriteSlot(long offset, Uberblock uberblock)
    {
        Span<byte> block = stackalloc byte[Uberblock.Size];
        uberblock.Encode(block);
        RandomAccess.Write(_file, block, offset);
    }

    (ulong Tag, NvList List)? ReadBlock(long offset, int size)
    {
        var header = new byte[HeaderSize];
        for (var attempt = 0; attempt < ReadAttempts; attempt++)
        {
            if (RandomAccess.Read(_file, header, offset) < HeaderSize) return null;
            if (Word(header, 0) != HeaderMagic) return null;

            var length = (int)Math.Min(Word(header, 2) & uint.MaxValue, (ulong)(size - HeaderSize - sizeof(ulong)));
            var body = new byte[length + sizeof(ulong)];
            if (RandomAccess.Read(_file, body, offset + HeaderSize) < body.Length) continue;
            var sum = BinaryPrimitives.ReadUInt64LittleEndian(body.AsSpan(length));
            if (sum != (Fletcher4.Sum(header) ^ Fletcher4.Sum(body.AsSpan(0, length)))) continue;

            return (Word(header, 1), NvPacking.Unpack(body[..length]));
        }
        return null;
    }

    void WriteBlock(long offset, int size, ulong tag, NvList list)
    {
        var packed = NvPacking.Pack(list);
        var block = new byte[HeaderSize + packed.Length + sizeof(ulong)];
        if (block.Length > size) throw new InvalidOperationException($"A block of {block.Length} bytes does not fit into {size}.");

        BinaryPrimitives.WriteUInt64LittleEndian(block, HeaderMagic);
        BinaryPrimitives.WriteUInt64LittleEndian(block.AsSpan(sizeof(ulong)), tag);
        BinaryPrimitives.WriteUInt64LittleEndian(block.AsSpan(2 * sizeof(ulong)), (ulong)packed.Length);
        packed.CopyTo(block, HeaderSize);
        var sum = Fletcher4.Sum(block.AsSpan(0, HeaderSize)) ^ Fletcher4.Sum(packed);
        BinaryPrimitives.WriteUInt64LittleEndian(block.AsSpan(HeaderSize + packed.Length), sum);
        RandomAccess.Write(_file, block, offset);
    }

    static ulong Word(ReadOnlySpan<byte> block, int at) => BinaryPrimitives.ReadUInt64LittleEndian(block[(at * sizeof(ulong))..]);
}
