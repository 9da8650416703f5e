using ZfsHaEvents.Simulator.Protocol;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>zpool-list(8).</summary>
static class ZpoolList
{
    const string DefaultProperties =
        "name,size,allocated,free,checkpoint,expandsize,fragmentation,capacity,dedupratio,health,altroot";

    /// <summary>The least width of the name column of a verbose listing.</summary>
    const int NameWidthMin = 9;

    /// <summary>The columns a vdev has, whatever columns were asked for.</summary>
    static readonly string[] VdevColumns =
        ["size", "allocated", "free", "checkpoint", "expandsize", "fragmentation", "capacity", "dedupratio", "health"];

    public static int Run(ZpoolContext context, string[] args)
    {
        var line = CommandLine.Parse(args, "gHLo:pPv");
        var properties = PropertyList.Parse(line.Last("o") ?? DefaultProperties);
        var (pools, missing) = context.Open(line.Operands);
        if (pools.Count == 0)
        {
            if (line.Operands.Count == 0 && !line.Has("H")) context.Terminal.WriteLine("no pools available");
            return missing ? 1 : 0;
        }
        var listing = new Listing(context.Terminal, VdevNaming.From(context.Host, line), properties, line.Has("H"), line.Has("p"), line.Has("v"));
        listing.Print(pools);
        // What was not found does not count once anything was (pool_list_iter's result replaces it).
        return 0;
    }

    sealed class Listing(
        Terminal terminal, VdevNaming naming, IReadOnlyList<PoolProperty> properties, bool scripted, bool literal, bool verbose)
    {
        public void Print(IReadOnlyList<PoolStatus> pools)
        {
            var widths = properties.Select(property => Width(property, pools)).ToList();
            if (verbose)
            {
                widths[0] = pools.Aggregate(NameWidthMin, (width, pool) =>
                    Math.Max(width, Math.Max(pool.Name.Length, naming.WidthMax(pool.Vdevs, depth: 2))));
            }
            if (!scripted) PrintRow([.. properties.Select(property => property.Header)], widths);
            foreach (var pool in pools)
            {
                PrintRow([.. properties.Select(property => property.Read(pool, literal))], widths);
                if (!verbose) continue;
                foreach (var vdev in pool.Vdevs) PrintVdev(pool, vdev, depth: 2, topLevel: true, widths[0]);
            }
        }

        /// <summary>Columns of numbers have a fixed width, unless the numbers are literal.</summary>
        int Width(PoolProperty property, IReadOnlyList<PoolStatus> pools)
        {
            if (property.Kind == PropertyKind.Number && !literal) return property.WidthMin;

            return pools.Max(pool => Math.Max(property.WidthMin, property.Read(pool, literal).Length));
        }

        void PrintRow(IReadOnlyList<string> values, List<int> widths)
        {
            for (var at = 0; at < values.Count; at++)
            {
                if (at > 0) terminal.Write(scripted ? "\t" : "  ");
                var last = at == values.Count - 1;
                terminal.Write((scripted, properties[at].RightAligned) switch
                {
                    (true, _) => values[at],
                    (false, true) => values[at].PadLeft(widths[at]),
                    (false, false) => last ? values[at] : values[at].PadRight(widths[at]),
                });
            }
            terminal.WriteLine();
        }

        void PrintVdev(PoolStatus pool, VdevStatus vdev, int depth, bool topLevel, int nameWidth)
        {
            var name = naming.Name(vdev);
            terminal.Write(scripted ? "\t" + name : (new string(' ', depth) + name).PadRight(nameWidth));
            foreach (var column in VdevColumns)
            {
                var property = PoolProperty.Find(column)!;
                var value = VdevValue(pool, vdev, column, topLevel);
                terminal.Write(scripted ? "\t" + value : "  " + value.PadLeft(property.WidthMin));
            }
            terminal.WriteLine();
            foreach (var child in vdev.Children) PrintVdev(pool, child, depth + 2, topLevel: false, nameWidth);
        }

        /// <summary>A disk has a size of its own; what is used and free is known of top-level vdevs alone.</summary>
        string VdevValue(PoolStatus pool, VdevStatus vdev, string column, bool topLevel)
        {
            var used = pool.AllocatedBytes / (ulong)pool.Vdevs.Count;
            return column switch
            {
                "size" => Show(vdev.IsLeaf ? PoolProperty.LeafBytes : PoolProperty.TopLevelBytes),
                "health" => vdev.State,
                _ when !topLevel => "-",
                "allocated" => Show(used),
                "free" => Show(PoolProperty.TopLevelBytes - used),
                "fragmentation" => literal ? $"{PoolProperty.FragmentationPercent}" : $"{PoolProperty.FragmentationPercent}%",
                "capacity" => Capacity(used),
                _ => "-",
            };
        }

        /// <summary>A vdev's share has decimals where a pool's has none.</summary>
        string Capacity(ulong used)
        {
            var percent = used * 100.0 / PoolProperty.TopLevelBytes;
            if (literal) return ((ulong)percent).ToString(System.Globalization.CultureInfo.InvariantCulture);

            var decimals = percent < 10 ? "F2" : percent < 100 ? "F1" : "F0";
            return percent.ToString(decimals, System.Globalization.CultureInfo.InvariantCulture) + "%";
        }

        string Show(ulong bytes) => literal ? bytes.ToString(System.Globalization.CultureInfo.InvariantCulture) : NiceNumber.Format(bytes);
    }
}
