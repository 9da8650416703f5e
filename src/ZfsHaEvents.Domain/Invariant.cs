using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace ZfsHaEvents.Domain;

/// <summary>The one way to say "this cannot happen". On in production: a wrong decision about a pool is worse than none.</summary>
public static class Invariant
{
    /// <exception cref="UnreachableException">The condition does not hold: a bug of ours.</exception>
    public static void Holds([DoesNotReturnIf(false)] bool condition, string what)
    {
        if (!condition) throw new UnreachableException($"Invariant broken: {what}");
    }
}
