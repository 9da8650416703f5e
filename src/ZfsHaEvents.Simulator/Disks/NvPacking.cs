namespace ZfsHaEvents.Simulator.Disks;

/// <summary>The bytes of an <see cref="NvList"/>, the same on a fake disk and on a kernel's socket.</summary>
static class NvPacking
{
    const byte NumberTag = 1;
    const byte TextTag = 2;
    const byte ListTag = 3;
    const byte ListsTag = 4;

    public static byte[] Pack(NvList list)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        Write(writer, list);
        writer.Flush();
        return bytes.ToArray();
    }

    /// <exception cref="InvalidDataException">The bytes are not a packed list.</exception>
    public static NvList Unpack(byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes));
        try
        {
            return Read(reader);
        }
        catch (EndOfStreamException e)
        {
            throw new InvalidDataException("The packed list ends early.", e);
        }
    }

    static void Write(BinaryWriter writer, NvList list)
    {
        writer.Write(list.Count);
        foreach (var (name, value) in list)
        {
            writer.Write(name);
            switch (value)
            {
                case ulong number:
                    writer.Write(NumberTag);
                    writer.Write(number);
                    break;
                case string text:
                    writer.Write(TextTag);
                    writer.Write(text);
                    break;
                case NvList inner:
                    writer.Write(ListTag);
                    Write(writer, inner);
                    break;
                case IReadOnlyList<NvList> lists:
                    writer.Write(ListsTag);
                    writer.Write(lists.Count);
                    foreach (var inner in lists) Write(writer, inner);
                    break;
                default:
                    throw new InvalidOperationException($"A list cannot hold a {value.GetType().Name}.");
            }
        }
    }

    static NvList Read(BinaryReader reader)
    {
        var list = new NvList();
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var name = reader.ReadString();
            object value = reader.ReadByte() switch
            {
                NumberTag => reader.ReadUInt64(),
                TextTag => reader.ReadString(),
                ListTag => Read(reader),
                ListsTag => ReadLists(reader),
                var tag => throw new InvalidDataException($"The packed list has an unknown type {tag}."),
            };
            list.Set(name, value);
        }
        return list;
    }

    static NvList[] ReadLists(BinaryReader reader)
    {
        var lists = new NvList[reader.ReadInt32()];
        for (var i = 0; i < lists.Length; i++) lists[i] = Read(reader);
        return lists;
    }
}
