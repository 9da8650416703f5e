using System.CommandLine;
using System.Text.Json;
using ZfsHaEvents.Benchmarks;

var only = new Argument<string[]>("name") { Description = $"Which to run; all without: {string.Join(", ", Benchmarks.All.Keys)}", Arity = ArgumentArity.ZeroOrMore };
var json = new Option<bool>("--json") { Description = "Print JSON lines" };
var root = new RootCommand("Measures the product as a whole on this machine: real processes, fake disks. Exit code 1 when a target is missed.") { only, json };
root.SetAction(async (parsed, cancellation) =>
{
    var names = parsed.GetValue(only) is { Length: > 0 } some ? some : [.. Benchmarks.All.Keys];
    if (names.FirstOrDefault(n => !Benchmarks.All.ContainsKey(n)) is { } unknown)
    {
        await Console.Error.WriteLineAsync($"There is no benchmark '{unknown}'; there are: {string.Join(", ", Benchmarks.All.Keys)}");
        return 2;
    }

    var met = true;
    foreach (var name in names)
    {
        await Console.Error.WriteLineAsync($"{name} ...");
        foreach (var measured in await Benchmarks.All[name](cancellation))
        {
            met &= measured.IsMet;
            Console.WriteLine(parsed.GetValue(json)
                ? JsonSerializer.Serialize(new { name, measured.What, measured.Unit, measured.Judged, measured.Result, measured.Target, measured.IsMet, Baseline = measured.Baseline?.Value, measured.Values })
                : measured.ToString());
        }
    }

    return met ? 0 : 1;
});
return await root.Parse(args).InvokeAsync();
