using System.Diagnostics;

namespace ZfsHaEvents.Cli.Tests;

/// <summary>Runs <c>zfsha</c>, as somebody would type it.</summary>
static class ZfshaProcess
{
    /// <summary>Where nobody listens.</summary>
    public const string NoServer = "http://127.0.0.1:1";

    public static string Program => Built("src/ZfsHaEvents.Cli", "zfsha");

    public static string Simulator => Built("src/ZfsHaEvents.Simulator", "zfs-simulator");

    public static Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] words) => RunAsync(new Dictionary<string, string>(), words);

    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(IReadOnlyDictionary<string, string> variables, params string[] words)
    {
        using var process = Start(Program, words, variables);
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        return (process.ExitCode, (await output).TrimEnd('\n'), (await error).TrimEnd('\n'));
    }

    public static Process Start(string program, IReadOnlyList<string> words, IReadOnlyDictionary<string, string> variables)
    {
        var start = new ProcessStartInfo(program, words) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["ZFSHA_SERVER"] = NoServer;
        foreach (var (name, value) in variables) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    static string Built(string project, string file)
    {
        // …/tests/ZfsHaEvents.Cli.Tests/bin/Debug/net10.0/
        var output = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/'));
        var path = Path.Join(output.Parent!.Parent!.Parent!.Parent!.Parent!.FullName, project, "bin", output.Parent.Name, output.Name, file);
        return File.Exists(path) ? path : throw new FileNotFoundException($"{path} has not been built", path);
    }
}
