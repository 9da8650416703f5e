namespace ZfsHaEvents.Simulator.Applets;

/// <summary>A list of property names as <c>-o</c> and <c>zpool get</c> take it.</summary>
static class PropertyList
{
    /// <exception cref="UsageException">One of them does not exist.</exception>
    public static IReadOnlyList<PoolProperty> Parse(string names) => names == "all"
        ? [.. PoolProperty.All, .. PoolProperty.Features]
        : [.. names.Split(',').Select(Find)];

    static PoolProperty Find(string name) =>
        PoolProperty.Find(name) ?? throw new UsageException($"bad property list: invalid property '{name}'");
}
