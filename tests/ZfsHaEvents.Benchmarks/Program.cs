using System.CommandLine;
using System.Text.Json;
using ZfsHaEvents.Benchmarks;

var only = new Argument<string[]>("name") { Description = $"Which to run; all without: {string.Join(", ", Benchmarks.All(0).Keys)}", Arity = ArgumentArity.ZeroOrMore };
var json = new Option<bool>("--json") { Description = "Print JSON lines" };
var events = new Option<int>("--events") { Description = "How many events the large store is generated with, 10000 at least", DefaultValueFactory = _ => 5_000_000 };
events.Validators.Add(result =>
{
    if (result.GetValueOrDefault<int>() < 10_000) result.AddError("--events must be 10000 or more: 400 pools share them, and one has a tenth");
});
var root = new RootCommand("Measures the product as a whole on this machine, real processes and fake disks, and its store on a PostgreSQL of its own. Exit code 1 when a target is missed.")
{
    only, json, events,
};
root.SetAction(async (parsed, cancellation) =>
{
    var all = Benchmarks.All(parsed.GetValue(events));
    var names = parsed.GetValue(only) is { Length: > 0 } some ? some : [.. all.Keys];
    if (names.FirstOrDefault(n => !all.ContainsKey(n)) is { } unknown)
    {
        await Console.Error.WriteLineAsync($"There is no benchmark '{unknown}'; there are: {string.Join(", ", all.Keys)}");
        return 2;
    }

    var met = true;
    foreach (var name in names)
    {
        await Console.Error.WriteLineAsync($"{name} ...");
        foreach (var measured in await all[name](cancellation))
        {
            met &= measured.IsMet;
            Console.WriteLine(parsed.GetValue(json)
                ? JsonSerializer.Serialize(new { name, measured.What, measured.Unit, measured.Judged, measured.Result, measured.Target, measured.AtLeast, measured.IsMet, Baseline = measured.Baseline?.Value, measured.Values, Floor = measured.Floor?.Values })
                : measured.ToString());
        }
    }

    return met ? 0 : 1;
});
return await root.Parse(args).InvokeAsync();
