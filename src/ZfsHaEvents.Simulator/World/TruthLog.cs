using System.Text.Json;
using System.Text.Json.Serialization;

namespace ZfsHaEvents.Simulator.World;

/// <summary>What happened, as a kernel or whoever has power over it says so. In the file in lower case: <c>import-refused</c>.</summary>
[JsonConverter(typeof(TruthOperationNames))]
enum TruthOperation
{
    /// <summary>A kernel started; whatever the host's earlier kernels held, they hold no more.</summary>
    Boot,

    /// <summary>The host was powered off in order, without exporting anything.</summary>
    PowerOff,

    /// <summary>The host's kernel was killed and is gone.</summary>
    Crash,

    /// <summary>The host was stopped as a whole; it writes nothing until it thaws.</summary>
    Freeze,

    Thaw,

    Create,

    Import,

    ImportRefused,

    Export,

    /// <summary>The pool's I/O is suspended: this host writes nothing more to it.</summary>
    Suspend,

    Resume,

    /// <summary>A data write, committed with its transaction group.</summary>
    Write,

    /// <summary>A transaction group with other changes.</summary>
    Txg,
}

/// <summary>One line of the truth log.</summary>
sealed record TruthEntry(DateTimeOffset At, string Host, string BootId, int Pid, TruthOperation Op)
{
    /// <summary>Ticks after the machine's boot at which the process started: with <see cref="Pid"/> it names one process for ever. On boot lines.</summary>
    public long? StartTime { get; init; }

    /// <summary>The pool's GUID, decimal.</summary>
    public string? Pool { get; init; }

    public string? Name { get; init; }

    /// <summary>rw or ro.</summary>
    public string? Mode { get; init; }

    public bool? Forced { get; init; }

    public ulong? Txg { get; init; }

    /// <summary>Why an import was refused or a pool suspended.</summary>
    public string? Reason { get; init; }
}

/// <summary>
/// Appends to the world's log of what its kernels really did, which no product sees. Each line is one write to a descriptor in
/// append mode, so lines of several kernels never mix and their order in the file is the order of the facts.
/// </summary>
/// <remarks>
/// An import is logged before its first write as a holder, an export after its last, a data write before it: every interval the
/// log shows is at least as long as the real one, so an overlap cannot hide.
/// </remarks>
static class TruthLog
{
    public static void Append(WorldDirectory world, TruthEntry entry)
    {
        // FileMode.Append would seek to the end and write there, which two kernels may do at once; O_APPEND is one step.
        using var file = Posix.OpenForAppend(world.TruthLog);
        Posix.Write(file, [.. JsonSerializer.SerializeToUtf8Bytes(entry, TruthJson.Default.TruthEntry), (byte)'\n']);
    }

    public static IReadOnlyList<TruthEntry> Read(WorldDirectory world)
    {
        // What follows the last line's end is a line that somebody is writing at this moment.
        var lines = File.ReadAllText(world.TruthLog).Split('\n')[..^1];
        return [.. lines.Select(line => JsonSerializer.Deserialize(line, TruthJson.Default.TruthEntry)
            ?? throw new InvalidDataException($"{world.TruthLog} has an empty line."))];
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TruthEntry))]
[JsonSerializable(typeof(TruthVerdict))]
sealed partial class TruthJson : JsonSerializerContext;

sealed class TruthOperationNames() : JsonStringEnumConverter<TruthOperation>(JsonNamingPolicy.KebabCaseLower);
