namespace ZfsHaEvents.Clusters;

/// <summary>Where the build put the programs that these tests run.</summary>
static class Built
{
    public static string Server => Program("src/ZfsHaEvents.Server", "zfsha-server");

    public static string Agent => Program("src/ZfsHaEvents.Agent", "zfsha-agent");

    public static string Simulator => Program("src/ZfsHaEvents.Simulator", "zfs-simulator");

    public static string StopAt => Program("tests/ZfsHaEvents.StopAt", "ZfsHaEvents.StopAt.dll");

    static string Program(string project, string file)
    {
        // …/tests/ZfsHaEvents.EndToEnd.Tests/bin/Debug/net10.0/
        var output = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/'));
        var (framework, configuration, root) = (output.Name, output.Parent!.Name, output.Parent.Parent!.Parent!.Parent!.Parent!);
        var path = Path.Combine(root.FullName, project, "bin", configuration, framework, file);
        return File.Exists(path) ? path : throw new FileNotFoundException($"{path} has not been built", path);
    }
}
