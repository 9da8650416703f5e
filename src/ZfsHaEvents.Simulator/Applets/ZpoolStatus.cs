using System.Globalization;
using ZfsHaEvents.Simulator.Protocol;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>zpool-status(8).</summary>
static class ZpoolStatus
{
    const int NameWidthMin = 10;

    public static int Run(ZpoolContext context, string[] args)
    {
        var line = CommandLine.Parse(args, "gLPpvx");
        var (pools, missing) = context.Open(line.Operands);
        var naming = VdevNaming.From(context.Host, line);
        var first = true;
        foreach (var pool in pools)
        {
            var trouble = PoolTrouble.Of(pool);
            if (line.Has("x") && trouble is null)
            {
                if (line.Operands.Count > 0) context.Terminal.WriteLine($"pool '{pool.Name}' is healthy");
                continue;
            }
            if (!first) context.Terminal.WriteLine();
            first = false;
            Print(context.Terminal, naming, pool, trouble);
        }
        if (line.Operands.Count == 0 && pools.Count == 0) context.Terminal.ErrorLine("no pools available");
        else if (line.Operands.Count == 0 && line.Has("x") && first) context.Terminal.WriteLine("all pools are healthy");
        return missing ? 1 : 0;
    }

    static void Print(Terminal terminal, VdevNaming naming, PoolStatus pool, PoolTrouble? trouble)
    {
        terminal.WriteLine($"  pool: {pool.Name}");
        terminal.WriteLine($" state: {pool.Health}");
        if (trouble is not null)
        {
            terminal.WriteLine($"status: {trouble.Status}");
            terminal.WriteLine($"action: {trouble.Action}");
            if (trouble.MessageId is { } id) terminal.WriteLine($"   see: https://openzfs.github.io/openzfs-docs/msg/{id}");
        }
        terminal.WriteLine("config:");
        terminal.WriteLine();
        var width = Math.Max(NameWidthMin, Math.Max(pool.Name.Length, naming.WidthMax(pool.Vdevs, depth: 2)));
        terminal.WriteLine($"\t{"NAME".PadRight(width)}  {"STATE",-8} {"READ",5} {"WRITE",5} {"CKSUM",5}");
        var aux = pool.State == VdevStatus.Unavailable ? "insufficient replicas" : null;
        PrintRow(terminal, pool.Name, width, depth: 0, pool.State, 0, 0, aux);
        foreach (var vdev in pool.Vdevs) PrintVdev(terminal, naming, vdev, width, depth: 2);
        terminal.WriteLine();
        terminal.WriteLine("errors: No known data errors");
    }

    static void PrintVdev(Terminal terminal, VdevNaming naming, VdevStatus vdev, int width, int depth)
    {
        var aux = VdevNaming.IsNotPresent(vdev) ? $"was {vdev.Path}" : vdev.Aux;
        PrintRow(terminal, naming.Name(vdev), width, depth, vdev.State, vdev.ReadErrors, vdev.WriteErrors, aux);
        foreach (var child in vdev.Children) PrintVdev(terminal, naming, child, width, depth + 2);
    }

    static void PrintRow(
        Terminal terminal, string name, int width, int depth, string state, ulong readErrors, ulong writeErrors, string? aux)
    {
        var indented = new string(' ', depth) + name.PadRight(width - depth);
        terminal.Write(string.Create(
            CultureInfo.InvariantCulture,
            $"\t{indented}  {state,-8} {NiceNumber.Format(readErrors),5} {NiceNumber.Format(writeErrors),5} {0,5}"));
        terminal.WriteLine(aux is null ? "" : $"  {aux}");
    }
}
