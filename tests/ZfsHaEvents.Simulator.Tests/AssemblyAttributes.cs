using Xunit;

// Tests wait more than they compute; more of them at once would only starve each other's kernels.
[assembly: CollectionBehavior(MaxParallelThreads = 8)]
