using Xunit;

// A cluster is a dozen processes. Two at once keep two cores busy without starving the fake kernels' heartbeats, which would suspend pools.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
