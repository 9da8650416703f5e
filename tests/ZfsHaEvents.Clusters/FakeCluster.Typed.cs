using System.Diagnostics;
using System.Text.Json.Nodes;
using Shouldly;

namespace ZfsHaEvents.Clusters;

/// <summary>How a typed <c>zfsha</c> ended, and what it printed.</summary>
sealed record Typed(int ExitCode, string Output, string Error)
{
    public string[] Lines => Output.Split('\n');

    public JsonNode Json => JsonNode.Parse(Output)!;

    /// <summary>Standard error of <c>--json</c>.</summary>
    public JsonNode ErrorJson => JsonNode.Parse(Error)!;
}

/// <summary>What people type.</summary>
sealed partial class FakeCluster
{
    /// <summary>Runs <c>zfsha</c> to its end, on no host of the cluster.</summary>
    public Task<Typed> TypeAsync(params IReadOnlyList<string> words) => TypeAsync([], words);

    /// <summary>Runs <c>zfsha</c> to its end, on a host.</summary>
    public Task<Typed> TypeOnAsync(string host, params IReadOnlyList<string> words) => TypeAsync(OnHost(host), words);

    /// <summary>Runs <c>zfsha</c>, which must end with 0.</summary>
    /// <returns>What it printed on standard output.</returns>
    public async Task<Typed> DoneAsync(params IReadOnlyList<string> words)
    {
        var typed = await TypeAsync(words);
        typed.ExitCode.ShouldBe(0, $"zfsha {string.Join(' ', words)}: {typed.Output} {typed.Error}; logs in {Directory}");
        return typed;
    }

    /// <summary>Starts <c>zfsha</c> and leaves it running; what it prints is in its log.</summary>
    public Running StartTyping(string log, params IReadOnlyList<string> words) => Running.Start(Built.Zfsha, words, Path.Combine(Directory, log), AtServer([]));

    async Task<Typed> TypeAsync(Dictionary<string, string> variables, IReadOnlyList<string> words)
    {
        _sound = false;
        var start = new ProcessStartInfo(Built.Zfsha, words) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in AtServer(variables)) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));
        return new(process.ExitCode, (await output).TrimEnd('\n'), (await error).TrimEnd('\n'));
    }

    Dictionary<string, string> AtServer(Dictionary<string, string> variables) => new(variables) { ["ZFSHA_SERVER"] = Http.BaseAddress!.ToString() };
}
