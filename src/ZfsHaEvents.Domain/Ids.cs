using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;

namespace ZfsHaEvents.Domain;

/// <summary>
/// A pool's identity: the 64-bit GUID that ZFS writes on every label (<c>pool_guid</c>), in decimal.
/// The name is only an attribute; names collide and change (<c>zpool import OLD NEW</c>).
/// </summary>
[JsonConverter(typeof(TextConverter<PoolGuid>))]
public readonly record struct PoolGuid(ulong Value) : IParsable<PoolGuid>, IComparable<PoolGuid>
{
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);

    public int CompareTo(PoolGuid other) => Value.CompareTo(other.Value);

    public static PoolGuid Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var id) ? id : throw new FormatException($"'{s}' is not a pool GUID: expected an unsigned 64-bit decimal number other than 0.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out PoolGuid result)
    {
        var ok = ulong.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value != 0;
        result = new(value);
        return ok;
    }
}

/// <summary>
/// A pool's name. ZFS's own rule (zpoolconcepts(7), <c>zpool create</c>): begins with a letter; letters, digits,
/// <c>_ - : .</c> and space; not one of the reserved vdev words.
/// </summary>
[JsonConverter(typeof(TextConverter<PoolName>))]
public readonly record struct PoolName(string Value) : IParsable<PoolName>
{
    /// <summary>ZFS_MAX_DATASET_NAME_LEN less the terminating zero.</summary>
    public const int LengthMax = 255;

    public override string ToString() => Value;

    public static PoolName Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var name) ? name : throw new FormatException(
            $"'{s}' is not a pool name: it must begin with a letter and hold only letters, digits, '_', '-', ':', '.' and spaces.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out PoolName result)
    {
        result = new(s ?? "");
        return s is { Length: > 0 and <= LengthMax }
            && char.IsAsciiLetter(s[0])
            && s.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or ':' or '.' or ' ')
            && s is not ("mirror" or "raidz" or "draid" or "spare" or "log");
    }
}

/// <summary>What a person or a foreign program calls a pool: its GUID in decimal, or its name.</summary>
[JsonConverter(typeof(TextConverter<PoolReference>))]
public readonly record struct PoolReference(string Text) : IParsable<PoolReference>
{
    /// <summary>The GUID, when the reference is one; a pool's name never begins with a digit.</summary>
    public PoolGuid? AsGuid() => PoolGuid.TryParse(Text, null, out var guid) ? guid : null;

    public override string ToString() => Text;

    public static PoolReference Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var reference) ? reference : throw new FormatException(
            $"'{s}' is neither a pool GUID (a decimal number) nor a pool name (a letter, then letters, digits, '_', '-', ':', '.' and spaces).");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out PoolReference result)
    {
        result = new(s ?? "");
        return PoolGuid.TryParse(s, provider, out _) || PoolName.TryParse(s, provider, out _);
    }
}

/// <summary>A host that can reach shared disks, by the name its agent registers with. Letters, digits, <c>. _ -</c>; 63 at most.</summary>
[JsonConverter(typeof(TextConverter<HostName>))]
public readonly record struct HostName(string Value) : IParsable<HostName>, IComparable<HostName>
{
    public const int LengthMax = 63;

    public override string ToString() => Value;

    public int CompareTo(HostName other) => string.CompareOrdinal(Value, other.Value);

    public static HostName Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var name) ? name : throw new FormatException(
            $"'{s}' is not a host name: letters, digits, '.', '_' and '-' only, beginning with a letter or digit, {LengthMax} characters at most.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out HostName result)
    {
        result = new(s ?? "");
        return s is { Length: > 0 and <= LengthMax }
            && char.IsAsciiLetterOrDigit(s[0])
            && s.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
    }
}

/// <summary>
/// The host id that ZFS writes into labels: SPL's active one (<c>/sys/module/spl/parameters/spl_hostid</c>), 32 bits,
/// eight hexadecimal digits. Zero means "none": multihost pools cannot be imported then.
/// </summary>
[JsonConverter(typeof(TextConverter<ZfsHostId>))]
public readonly record struct ZfsHostId(uint Value) : IParsable<ZfsHostId>
{
    public override string ToString() => Value.ToString("x8", CultureInfo.InvariantCulture);

    public static ZfsHostId Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var id) ? id : throw new FormatException($"'{s}' is not a ZFS host id: expected up to eight hexadecimal digits.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out ZfsHostId result)
    {
        var ok = uint.TryParse(s, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value);
        result = new(value);
        return ok;
    }
}

/// <summary>One boot of a host: the kernel's <c>/proc/sys/kernel/random/boot_id</c>.</summary>
[JsonConverter(typeof(TextConverter<BootId>))]
public readonly record struct BootId(Guid Value) : IParsable<BootId>
{
    public override string ToString() => Value.ToString();

    public static BootId Parse(string s, IFormatProvider? provider = null) => new(Guid.Parse(s));

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out BootId result)
    {
        var ok = Guid.TryParse(s, out var value);
        result = new(value);
        return ok;
    }
}

/// <summary>A host's registration since its boot or its last reconnect. A host obeys only orders of its current session.</summary>
[JsonConverter(typeof(TextConverter<SessionId>))]
public readonly record struct SessionId(Guid Value) : IParsable<SessionId>
{
    public override string ToString() => Value.ToString();

    public static SessionId Parse(string s, IFormatProvider? provider = null) => new(Guid.Parse(s));

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out SessionId result)
    {
        var ok = Guid.TryParse(s, out var value);
        result = new(value);
        return ok;
    }
}

/// <summary>The identity of this history. Restoring the database from a backup starts a new one.</summary>
[JsonConverter(typeof(TextConverter<Incarnation>))]
public readonly record struct Incarnation(Guid Value) : IParsable<Incarnation>
{
    public override string ToString() => Value.ToString();

    public static Incarnation Parse(string s, IFormatProvider? provider = null) => new(Guid.Parse(s));

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Incarnation result)
    {
        var ok = Guid.TryParse(s, out var value);
        result = new(value);
        return ok;
    }
}

/// <summary>
/// Per pool, one higher at every change of claim; 0 before the first. It orders <em>our orders</em>. The disks are
/// protected by multihost and fencing, which know nothing of it.
/// </summary>
[JsonConverter(typeof(EpochConverter))]
public readonly record struct Epoch(long Value) : IComparable<Epoch>
{
    public static readonly Epoch None = new(0);

    public Epoch Next() => new(checked(Value + 1));

    public int CompareTo(Epoch other) => Value.CompareTo(other.Value);

    public static bool operator <(Epoch left, Epoch right) => left.Value < right.Value;

    public static bool operator >(Epoch left, Epoch right) => left.Value > right.Value;

    public static bool operator <=(Epoch left, Epoch right) => left.Value <= right.Value;

    public static bool operator >=(Epoch left, Epoch right) => left.Value >= right.Value;

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>
/// A request's identity, chosen by whoever asks, which makes asking twice harmless. A switchover or failover keeps it
/// as its own. Letters, digits, <c>. _ : -</c>; 100 characters at most.
/// </summary>
[JsonConverter(typeof(TextConverter<RequestId>))]
public readonly record struct RequestId(string Value) : IParsable<RequestId>
{
    public const int LengthMax = 100;

    public override string ToString() => Value;

    public static RequestId Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var id) ? id : throw new FormatException(
            $"'{s}' is not a request id: letters, digits, '.', '_', ':' and '-' only, {LengthMax} characters at most.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out RequestId result)
    {
        result = new(s ?? "");
        return s is { Length: > 0 and <= LengthMax }
            && s.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or ':' or '-');
    }
}

/// <summary>
/// An order's identity: <c>{request}/{pool}/{step}/{attempt}</c>, so that a person reading a log knows what it belongs to. The
/// pool's GUID is in it because two pools may have a request of one id.
/// </summary>
[JsonConverter(typeof(TextConverter<OrderId>))]
public readonly record struct OrderId(string Value) : IParsable<OrderId>
{
    /// <summary>The switchover or failover that the order is part of.</summary>
    public RequestId Request() => new(Value.IndexOf('/', StringComparison.Ordinal) is > 0 and var end ? Value[..end] : Value);

    public override string ToString() => Value;

    public static OrderId Parse(string s, IFormatProvider? provider = null) => new(s);

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out OrderId result)
    {
        result = new(s ?? "");
        return s is { Length: > 0 };
    }
}

/// <summary>The identity of one stored event.</summary>
[JsonConverter(typeof(TextConverter<EventId>))]
public readonly record struct EventId(Guid Value) : IParsable<EventId>
{
    /// <summary>
    /// The id of the event that a decision on this message emits at this place. Derived, so that deciding the same
    /// message again names the same events.
    /// </summary>
    /// <param name="subject">The pool or host decided on, as messages name it: one message id may reach several.</param>
    public static EventId Of(string subject, string messageId, int index) =>
        new(Derived.Uuid($"event\n{subject}\n{messageId}\n{index.ToString(CultureInfo.InvariantCulture)}"));

    public override string ToString() => Value.ToString();

    public static EventId Parse(string s, IFormatProvider? provider = null) => new(Guid.Parse(s));

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out EventId result)
    {
        var ok = Guid.TryParse(s, out var value);
        result = new(value);
        return ok;
    }
}

/// <summary>Identifiers that follow from others instead of being drawn at random, so that a repeat makes the same ones.</summary>
public static class Derived
{
    /// <summary>A version 8 UUID (RFC 9562, 5.8) from the SHA-256 of the text.</summary>
    public static Guid Uuid(string text)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        var bytes = hash[..16];
        bytes[6] = (byte)((bytes[6] & 0x0f) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3f) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }
}
