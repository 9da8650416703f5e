using Xunit;

namespace ZfsHaEvents.Zfs.Tests;

/// <summary>The running test.</summary>
static class Running
{
    /// <summary>Cancelled when the test is, so that nothing waits on.</summary>
    public static CancellationToken Token => TestContext.Current.CancellationToken;
}
