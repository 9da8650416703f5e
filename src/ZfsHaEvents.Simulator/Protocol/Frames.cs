using System.Buffers.Binary;
using System.Net.Sockets;
using ZfsHaEvents.Simulator.Disks;

namespace ZfsHaEvents.Simulator.Protocol;

/// <summary>The bytes on a kernel's socket: a length, then a packed list.</summary>
static class Frames
{
    const int LengthMax = 16 * 1024 * 1024;

    public static byte[] Encode(NvList list)
    {
        var packed = NvPacking.Pack(list);
        var frame = new byte[sizeof(int) + packed.Length];
        BinaryPrimitives.WriteInt32LittleEndian(frame, packed.Length);
        packed.CopyTo(frame, sizeof(int));
        return frame;
    }

    /// <summary>The next list, or nothing when the other end is gone.</summary>
    public static async Task<NvList?> ReadAsync(Socket socket, CancellationToken cancel)
    {
        var length = new byte[sizeof(int)];
        if (!await FillAsync(socket, length, cancel)) return null;

        var packed = new byte[CheckedLength(length)];
        return await FillAsync(socket, packed, cancel) ? NvPacking.Unpack(packed) : null;
    }

    /// <summary>The same, waiting on the thread: a stand-in has nothing else to do and starts faster so.</summary>
    public static NvList? Read(Socket socket)
    {
        var length = new byte[sizeof(int)];
        if (!Fill(socket, length)) return null;

        var packed = new byte[CheckedLength(length)];
        return Fill(socket, packed) ? NvPacking.Unpack(packed) : null;
    }

    static int CheckedLength(byte[] bytes) => BinaryPrimitives.ReadInt32LittleEndian(bytes) is >= 0 and <= LengthMax and var length
        ? length
        : throw new InvalidDataException("The other end does not speak this protocol.");

    static async Task<bool> FillAsync(Socket socket, Memory<byte> bytes, CancellationToken cancel)
    {
        try
        {
            while (bytes.Length > 0)
            {
                var read = await socket.ReceiveAsync(bytes, cancel);
                if (read == 0) return false;
                bytes = bytes[read..];
            }
            return true;
        }
        catch (SocketException)
        {
            // Reset by the other end's death: the same as its end.
            return false;
        }
    }

    static bool Fill(Socket socket, Span<byte> bytes)
    {
        try
        {
            while (bytes.Length > 0)
            {
                var read = socket.Receive(bytes);
                if (read == 0) return false;
                bytes = bytes[read..];
            }
            return true;
        }
        catch (SocketException)
        {
            // Reset by the other end's death: the same as its end.
            return false;
        }
    }
}
