using System.Buffers.Binary;
using System.Text;

namespace ZfsHaEvents.Zfs.Posture;

/// <summary>Reads the packed name-value list of <c>/etc/zfs/zpool.cache</c> (module/nvpair/nvpair.c, XDR encoding) as far as its pools' names and GUIDs.</summary>
static class NvPairs
{
    const byte XdrEncoding = 1;
    const int HeaderLength = 4;
    const int ListHeaderLength = 8; // Version and flags.
    const int Alignment = 4;

    // data_type_t of sys/nvpair.h.
    const int NumberType = 8;
    const int ListType = 19;

    readonly ref struct Pair(string name, int type, int elements, ReadOnlySpan<byte> data)
    {
        public string Name { get; } = name;
        public int Type { get; } = type;
        public int Elements { get; } = elements;
        public ReadOnlySpan<byte> Data { get; } = data;
    }

    /// <summary>The pools; null for anything that is not a whole list of pools.</summary>
    public static IReadOnlyList<CachedPool>? Pools(ReadOnlySpan<byte> file)
    {
        if (file.Length < HeaderLength + ListHeaderLength || file[0] != XdrEncoding) return null;

        var pools = new List<CachedPool>();
        var rest = file[(HeaderLength + ListHeaderLength)..];
        while (true)
        {
            if (!Next(ref rest, out var pair, out var ended)) return null;
            if (ended) return pools;
            if (pair.Type != ListType || pair.Elements != 1 || pair.Data.Length < ListHeaderLength) return null;
            if (!Guid(pair.Data[ListHeaderLength..], out var guid)) return null;
            pools.Add(new(pair.Name, guid));
        }
    }

    static bool Guid(ReadOnlySpan<byte> configuration, out Domain.PoolGuid? guid)
    {
        guid = null;
        while (true)
        {
            if (!Next(ref configuration, out var pair, out var ended)) return false;
            if (ended) return true;
            if (pair is { Name: "pool_guid", Type: NumberType, Elements: 1, Data.Length: sizeof(ulong) }) guid = new(BinaryPrimitives.ReadUInt64BigEndian(pair.Data));
        }
    }

    /// <summary>Takes one pair off the front: its size packed and unpacked, its name, type, number of elements and data. A list ends with two zero sizes.</summary>
    static bool Next(ref ReadOnlySpan<byte> rest, out Pair pair, out bool ended)
    {
        pair = default;
        ended = false;
        var at = rest;
        if (!Number(ref at, out var size) || !Number(ref at, out var unpacked)) return false;
        if (size == 0 && unpacked == 0)
        {
            ended = true;
            return true;
        }
        if (size < 2 * sizeof(int) || size > rest.Length) return false;

        var body = rest[..size][(2 * sizeof(int))..];
        if (!Number(ref body, out var length) || length < 0 || length > body.Length) return false;
        var name = Encoding.UTF8.GetString(body[..length]);
        var padded = (length + Alignment - 1) / Alignment * Alignment;
        if (padded > body.Length) return false;

        body = body[padded..];
        if (!Number(ref body, out var type) || !Number(ref body, out var elements)) return false;
        pair = new(name, type, elements, body);
        rest = rest[size..];
        return true;
    }

    static bool Number(ref ReadOnlySpan<byte> rest, out int number)
    {
        if (!BinaryPrimitives.TryReadInt32BigEndian(rest, out number)) return false;
        rest = rest[sizeof(int)..];
        return true;
    }
}
