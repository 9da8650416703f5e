namespace ZfsHaEvents.Clusters;

/// <summary>Where the build put the programs that these tests run.</summary>
static class Built
{
    public static string Server => Program("src/ZfsHaEvents.Server", "zfsha-server");

    public static string Agent => Program("src/ZfsHaEvents.Agent", "zfsha-agent");

    public static string Zfsha => Program("src/ZfsHaEvents.Cli", "zfsha");

    public static string Simulator => Program("src/ZfsHaEvents.Simulator", "zfs-simulator");

    public static string StopAt => Program("tests/ZfsHaEvents.StopAt", "ZfsHaEvents.StopAt.dll");

    /// <summary>A document that <c>Cli.Tests</c> keeps as a server once sent it.</summary>
    public static string Recorded(string document) => Path.Combine(Root.FullName, "tests/ZfsHaEvents.Cli.Tests/Server", document + ".json");

    /// <summary>…/tests/ZfsHaEvents.EndToEnd.Tests/bin/Debug/net10.0/</summary>
    static DirectoryInfo Output => new(AppContext.BaseDirectory.TrimEnd('/'));

    static DirectoryInfo Root => Output.Parent!.Parent!.Parent!.Parent!.Parent!;

    static string Program(string project, string file)
    {
        var path = Path.Combine(Root.FullName, project, "bin", Output.Parent!.Name, Output.Name, file);
        return File.Exists(path) ? path : throw new FileNotFoundException($"{path} has not been built", path);
    }
}
