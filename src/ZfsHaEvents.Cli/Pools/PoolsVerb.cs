using System.CommandLine;
using ZfsHaEvents.Cli.Api;

namespace ZfsHaEvents.Cli.Pools;

/// <summary><c>pools</c>: every pool, and who holds it.</summary>
static class PoolsVerb
{
    public static Command Define() => Verb.Of("pools", "Every pool, who holds it, and what is wrong with it", [], async invocation =>
    {
        var pools = await invocation.Server.PoolsAsync(invocation.Cancellation);
        if (invocation.Screen.Json) invocation.Screen.Document(pools, ApiJson.Relaxed.IReadOnlyListPoolOwnership);
        else PoolText.WriteAll(invocation.Screen, pools);
        return ExitCodes.Done;
    });
}

/// <summary><c>pool</c>: one pool, with what each host sees of it.</summary>
static class PoolVerb
{
    public static Command Define()
    {
        var pool = Parsers.Pool();
        return Verb.Of("pool", "One pool: holder, claim, policy, and what each host sees of it", [pool], async invocation =>
        {
            var found = await invocation.Server.PoolAsync(invocation.Get(pool), invocation.Cancellation);
            if (invocation.Screen.Json) invocation.Screen.Document(found, ApiJson.Relaxed.PoolOwnership);
            else PoolText.WriteOne(invocation.Screen, found);
            return ExitCodes.Done;
        });
    }
}
