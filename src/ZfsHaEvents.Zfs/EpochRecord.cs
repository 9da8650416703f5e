using System.Text.Json;
using System.Text.Json.Serialization;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Domain.Hosts;
using ZfsHaEvents.Zfs.Locks;

namespace ZfsHaEvents.Zfs;

/// <summary>The highest epoch that this host has obeyed for a pool, and in which history.</summary>
public sealed record ObeyedEpoch(PoolGuid Pool, Incarnation Incarnation, Epoch Epoch);

/// <summary>Why an order, or what a person typed, is not carried out; decided on the host.</summary>
public sealed record Refusal(OrderRefusal Reason, string Detail);

/// <summary>
/// The epochs this host has obeyed, on disk before each effect. They outlive reboots: an order of an older claim that arrives late
/// is refused for ever.
/// </summary>
public sealed class EpochRecord(HostEnvironment host)
{
    const uint OwnerOnly = 0x1c0; // 0700

    readonly string _directory = Path.Join(host.StateDirectory, "epochs");

    /// <summary>What was obeyed for the pool; null when nothing was.</summary>
    /// <exception cref="HostException">The record is there and cannot be read.</exception>
    public ObeyedEpoch? Obeyed(PoolGuid pool)
    {
        var path = PathOf(pool);
        try
        {
            return Parsed(File.ReadAllText(path), path, pool);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException) // Nothing was obeyed yet.
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // A failing disk, or not root.
        {
            throw HostException.At(path, $"{path} cannot be read", e);
        }
    }

    /// <summary>Everything that was obeyed, in the order of the pools, and a sentence for each record that cannot be read.</summary>
    public (IReadOnlyList<ObeyedEpoch> Obeyed, IReadOnlyList<string> Unreadable) All()
    {
        var obeyed = new List<ObeyedEpoch>();
        var unreadable = new List<string>();
        if (!Directory.Exists(_directory)) return (obeyed, unreadable);

        foreach (var file in Directory.EnumerateFiles(_directory, "*.json"))
        {
            try
            {
                if (!PoolGuid.TryParse(Path.GetFileNameWithoutExtension(file), null, out var pool)) unreadable.Add($"{file} is not named after a pool's GUID.");
                else if (Obeyed(pool) is { } epoch) obeyed.Add(epoch);
            }
            catch (HostException e) // Told, and the others are read.
            {
                unreadable.Add(e.Message);
            }
        }
        return (obeyed.OrderBy(epoch => epoch.Pool).ToList(), unreadable);
    }

    /// <summary>
    /// Records that an order of this epoch is about to be obeyed; on disk, with fsync, when it returns true. Refuses an epoch lower
    /// than one obeyed in the same history, and everything when the record cannot be read or written: a damaged record is
    /// never taken for an empty one.
    /// </summary>
    public bool TryObey(PoolGuid pool, Incarnation incarnation, Epoch epoch, out Refusal? refusal)
    {
        refusal = null;
        try
        {
            using var file = LockFile.Open(_directory, ".lock", OwnerOnly);
            file.LockBriefly(_directory);

            var recorded = Obeyed(pool);
            if (recorded is not null && recorded.Incarnation == incarnation && recorded.Epoch > epoch)
            {
                refusal = new(OrderRefusal.StaleEpoch, $"epoch {epoch} was ordered, epoch {recorded.Epoch} of the same history has been obeyed");
                return false;
            }

            ObeyedEpoch obeyed = new(pool, incarnation, epoch);
            if (recorded != obeyed) DurableFile.Write(PathOf(pool), JsonSerializer.Serialize(obeyed, EpochJson.Default.ObeyedEpoch) + "\n");
            return true;
        }
        catch (Exception e) when (e is HostException or IOException or UnauthorizedAccessException) // No record, no effect: whatever the disk's reason.
        {
            refusal = new(OrderRefusal.EpochNotRecorded, $"epoch {epoch} could not be recorded as obeyed: {e.Message}");
            return false;
        }
    }

    string PathOf(PoolGuid pool) => Path.Join(_directory, $"{pool}.json");

    static ObeyedEpoch Parsed(string text, string path, PoolGuid pool)
    {
        string problem;
        try
        {
            if (JsonSerializer.Deserialize(text, EpochJson.Default.ObeyedEpoch) is { } obeyed && obeyed.Pool == pool) return obeyed;
            problem = $"it is not pool {pool}'s";
        }
        catch (JsonException e) // Damaged.
        {
            problem = e.Message;
        }
        throw new HostException(
            $"{path} is damaged ({problem}). Write the pool's highest epoch into it as {{\"Pool\":\"{pool}\",\"Incarnation\":\"…\",\"Epoch\":N}}; the server knows both.");
    }
}

[JsonSourceGenerationOptions(RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ObeyedEpoch))]
sealed partial class EpochJson : JsonSerializerContext;
