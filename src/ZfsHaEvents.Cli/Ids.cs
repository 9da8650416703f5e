using System.Globalization;
using System.Security.Cryptography;
using ZfsHaEvents.Domain;

namespace ZfsHaEvents.Cli;

/// <summary>Makes ids of requests: short enough to read over a phone, and telling when.</summary>
static class Ids
{
    /// <summary>Without those that are taken for one another: 0 o, 1 l i.</summary>
    const string Letters = "23456789abcdefghjkmnpqrstuvwxyz";

    const int RandomLength = 8;

    /// <summary><c>so-1120-2017-k7f2q9ab</c>: what, month and day, hour and minute in UTC, and 39 bits of chance.</summary>
    public static RequestId New(string prefix) =>
        new($"{prefix}-{DateTimeOffset.UtcNow.ToString("MMdd-HHmm", CultureInfo.InvariantCulture)}-{RandomNumberGenerator.GetString(Letters, RandomLength)}");
}
