namespace ZfsHaEvents.Simulator.Applets;

/// <summary>zpool-get(8).</summary>
static class ZpoolGet
{
    public static int Run(ZpoolContext context, string[] args)
    {
        var line = CommandLine.Parse(args, "Hpo:");
        var columns = PropertyTable.Columns(line.Last("o"));
        if (line.Operands.Count == 0) throw new UsageException("missing property argument");

        var names = line.Operands.Skip(1).ToList();
        // The first pool decides whether the rest are pools or vdevs; a first one that does not exist is an error of its own.
        if (names.Count > 0 && context.Find(names[0]) is null)
        {
            context.Terminal.ErrorLine($"Cannot get properties of {names[0]}: no such pool available.");
            return 1;
        }
        var properties = PropertyList.Parse(line.Operands[0]);
        var (pools, missing) = context.Open(names);
        PropertyTable.Print(
            context.Terminal,
            [
                .. pools.SelectMany(pool => properties.Select(property => new PropertyRow(
                    pool.Name, property.Name, property.Read(pool, line.Has("p")), property.Source(pool)))),
            ],
            columns,
            line.Has("H"));
        return missing ? 1 : 0;
    }
}
