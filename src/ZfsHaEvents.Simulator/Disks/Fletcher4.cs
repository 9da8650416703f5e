using System.Buffers.Binary;

namespace ZfsHaEvents.Simulator.Disks;

/// <summary>ZFS's default checksum (four running sums over 32-bit words), here folded to one number: it tells a torn block from a whole one.</summary>
static class Fletcher4
{
    public static ulong Sum(ReadOnlySpan<byte> bytes)
    {
        ulong a = 0, b = 0, c = 0, d = 0;
        for (; bytes.Length >= sizeof(uint); bytes = bytes[sizeof(uint)..])
        {
            a += BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            b += a;
            c += b;
            d += c;
        }
        foreach (var rest in bytes)
        {
            a += rest;
            b += a;
            c += b;
            d += c;
        }
        return a ^ ulong.RotateLeft(b, 16) ^ ulong.RotateLeft(c, 32) ^ ulong.RotateLeft(d, 48);
    }
}
