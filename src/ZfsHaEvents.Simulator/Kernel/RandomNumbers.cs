namespace ZfsHaEvents.Simulator.Kernel;

static class RandomNumbers
{
    /// <summary>A GUID as ZFS draws them: any number of 64 bits but 0.</summary>
    public static ulong NewGuid() => (ulong)Random.Shared.NextInt64() << 1 | 1;
}
