using Xunit;
using Xunit.Sdk;
using Xunit.v3;
using ZfsHaEvents.EndToEnd.Tests;

// A cluster is a dozen processes. Two at once keep two cores busy without starving the fake kernels' heartbeats, which would suspend pools.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
[assembly: TestCollectionOrderer(typeof(LongestFirst))]

namespace ZfsHaEvents.EndToEnd.Tests;

/// <summary>What takes minutes is begun first, so that at the end nobody waits for it alone.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    static readonly string[] Long = [nameof(RandomKillsTests), nameof(KillsAtSeamsOfAFailoverTests), nameof(KillsAtSeamsOfASwitchoverTests), nameof(DatabaseOutageTests), nameof(LostHostTests)];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(c => Array.FindIndex(Long, name => c.TestCollectionDisplayName.Contains(name, StringComparison.Ordinal)) is >= 0 and var place ? place : Long.Length)];
}
