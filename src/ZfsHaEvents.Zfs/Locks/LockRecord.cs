using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using ZfsHaEvents.Domain;

namespace ZfsHaEvents.Zfs.Locks;

/// <summary>
/// Who took a host lock, as written into the lock file. It informs people and tells a release from a death; it decides nothing:
/// who has the lock, the kernel knows.
/// </summary>
/// <param name="Correlation">The order or request the work belongs to; null for none.</param>
public sealed record LockRecord(
    HostName Host, BootId Boot, int Pid, ulong StartTicks, string User, string Purpose, string? Correlation, DateTimeOffset Since)
{
    /// <summary>Who it is, without since when.</summary>
    public string Who() => string.Create(CultureInfo.InvariantCulture, $"pid {Pid} (user {User}, {Purpose}{(Correlation is null ? "" : $", {Correlation}")})");

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Who()} since {Since:O}");

    /// <summary>Why the holder in this record cannot be holding the lock, which has just been found free.</summary>
    internal string EvidenceOfDeath(BootId boot)
    {
        if (Boot != boot) return $"the host has booted since: pid {Pid} was of boot {Boot}";
        var started = string.Create(CultureInfo.InvariantCulture, $"started at tick {StartTicks}");
        return ProcessIdentity.Of(Pid) switch
        {
            null => $"pid {Pid} ({started}) is gone",
            { } now when now.StartTicks != StartTicks => string.Create(
                CultureInfo.InvariantCulture, $"pid {Pid} ({started}) is now another process (started at tick {now.StartTicks})"),
            _ => $"pid {Pid} ({started}) lives: it had left the lock to a command, which has ended since",
        };
    }

    internal bool HolderLives(BootId boot) => Boot == boot && new ProcessIdentity(Pid, StartTicks).IsAlive();

    internal string Write() => JsonSerializer.Serialize(this, LockJson.Default.LockRecord) + "\n";

    /// <summary>The record in a lock file; null when it is torn: the writer died, or is at it.</summary>
    public static LockRecord? Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, LockJson.Default.LockRecord);
        }
        catch (JsonException) // Torn.
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(LockRecord))]
sealed partial class LockJson : JsonSerializerContext;
