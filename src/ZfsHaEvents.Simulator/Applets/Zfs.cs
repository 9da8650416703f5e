using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.Protocol;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>The stand-in for zfs(8), as far as moving pools needs it: list, get, set, create, mount and unmount of file systems.</summary>
static class Zfs
{
    static readonly Dictionary<string, (Func<ZpoolContext, string[], int> Run, string Usage)> Commands = new()
    {
        ["list"] = (ZfsList.Run, "\tlist [-Hp] [-j [--json-int]] [-r|-d max] [-o property[,...]] [-s property]...\n\t    " +
            "[-S property]... [-t type[,...]] [filesystem|volume|snapshot] ...\n"),
        ["get"] = (ZfsGet.Run, "\tget [-rHp] [-j [--json-int]] [-d max] [-o \"all\" | field[,...]]\n\t    [-t type[,...]] [-s source[,...]]\n" +
            "\t    <\"all\" | property[,...]> [filesystem|volume|snapshot|bookmark] ...\n"),
        ["set"] = (ZfsSet.Run, "\tset [-u] <property=value> ... <filesystem|volume|snapshot> ...\n"),
        ["create"] = (ZfsCreate.Run, "\tcreate [-Pnpuv] [-o property=value] ... <filesystem>\n"),
        ["mount"] = (ZfsMount.Mount, "\tmount [-j]\n\tmount [-flvO] [-o opts] <-a|-R filesystem|filesystem>\n"),
        ["unmount"] = (ZfsMount.Unmount, UnmountUsage),
        ["umount"] = (ZfsMount.Unmount, UnmountUsage),
    };

    const string UnmountUsage = "\tunmount [-fu] <-a | filesystem|mountpoint>\n";

    const string NoModule = "The ZFS modules cannot be auto-loaded.\nTry running 'modprobe zfs' as root to manually load them.";

    public static int Run(string[] args, HostDirectory host, Terminal terminal)
    {
        if (args.Length == 0 || !Commands.TryGetValue(args[0], out var command))
        {
            terminal.Error(args.Length == 0 ? "missing command\n" : $"unrecognized command '{args[0]}'\n");
            terminal.Error("usage: zfs command args ...\nwhere 'command' is one of the following:\n\n");
            foreach (var usage in Commands.Values.Select(known => known.Usage).Distinct()) terminal.Error(usage);
            return Zpool.UsageExitCode;
        }
        using var kernel = KernelConnection.Open(host);
        if (kernel is null)
        {
            terminal.ErrorLine(NoModule);
            return 1;
        }
        try
        {
            return command.Run(new(host, kernel, terminal, "zfs " + string.Join(' ', args)), args[1..]);
        }
        catch (UsageException e)
        {
            terminal.Error($"{e.Message}\nusage:\n{command.Usage}");
            return Zpool.UsageExitCode;
        }
    }

    /// <summary>The datasets of these names, with what is below them when asked for; all when no name is given. What is not there is said.</summary>
    public static (IReadOnlyList<(PoolStatus Pool, DatasetStatus Dataset)> Found, bool Missing) Open(
        ZpoolContext context, IReadOnlyList<string> names, bool recursive)
    {
        var all = context.Pools().SelectMany(pool => pool.Datasets.Select(dataset => (Pool: pool, Dataset: dataset))).ToList();
        if (names.Count == 0) return (all, false);

        var found = new List<(PoolStatus, DatasetStatus)>();
        var missing = false;
        foreach (var name in names)
        {
            var matching = all.Where(entry => entry.Dataset.Name == name
                || (recursive && entry.Dataset.Name.StartsWith(name + "/", StringComparison.Ordinal))).ToList();
            found.AddRange(matching);
            if (matching.Exists(entry => entry.Dataset.Name == name)) continue;

            context.Terminal.ErrorLine($"cannot open '{name}': dataset does not exist");
            missing = true;
        }
        return (found, missing);
    }
}

/// <summary>zfs-list(8).</summary>
static class ZfsList
{
    public static int Run(ZpoolContext context, string[] args)
    {
        var line = CommandLine.Parse(args, "Hpro:t:");
        var properties = DatasetPropertyList.Parse(line.Last("o") ?? DatasetProperty.Listed);
        var (found, missing) = Zfs.Open(context, line.Operands, line.Has("r"));
        if (found.Count == 0)
        {
            if (!missing && !line.Has("H")) context.Terminal.ErrorLine("no datasets available");
            return missing ? 1 : 0;
        }
        var rows = found.Select(entry => properties.Select(property => property.Read(entry.Pool, entry.Dataset, line.Has("p"))).ToList()).ToList();
        var widths = properties.Select((property, at) => rows.Max(row => Math.Max(property.Header.Length, row[at].Length))).ToList();
        if (!line.Has("H")) Print(context.Terminal, properties, [.. properties.Select(property => property.Header)], widths, scripted: false);
        foreach (var row in rows) Print(context.Terminal, properties, row, widths, line.Has("H"));
        return missing ? 1 : 0;
    }

    static void Print(Terminal terminal, IReadOnlyList<DatasetProperty> properties, List<string> values, List<int> widths, bool scripted)
    {
        for (var at = 0; at < values.Count; at++)
        {
            if (at > 0) terminal.Write(scripted ? "\t" : "  ");
            var padded = properties[at].RightAligned ? values[at].PadLeft(widths[at]) : values[at].PadRight(widths[at]);
            terminal.Write(scripted || (at == values.Count - 1 && !properties[at].RightAligned) ? values[at] : padded);
        }
        terminal.WriteLine();
    }
}

/// <summary>zfs-get(8).</summary>
static class ZfsGet
{
    public static int Run(ZpoolContext context, string[] args)
    {
        var line = CommandLine.Parse(args, "Hpro:s:t:");
        var columns = PropertyTable.Columns(line.Last("o"));
        if (line.Operands.Count == 0) throw new UsageException("missing property argument");

        var properties = DatasetPropertyList.Parse(line.Operands[0]);
        var sources = line.Last("s")?.Split(',').Select(source => source == "none" ? "-" : source).ToList();
        var (found, missing) = Zfs.Open(context, [.. line.Operands.Skip(1)], line.Has("r"));
        var rows = found.SelectMany(entry => With(properties, entry.Dataset, line.Operands[0]).Select(property => new PropertyRow(
            entry.Dataset.Name,
            property.Name,
            property.Read(entry.Pool, entry.Dataset, line.Has("p")),
            property.Source(entry.Pool, entry.Dataset))));
        PropertyTable.Print(
            context.Terminal, [.. rows.Where(row => sources is null || sources.Contains(row.Source))], columns, line.Has("H"));
        return missing ? 1 : 0;
    }

    /// <summary>All properties include the dataset's own user properties.</summary>
    static IEnumerable<DatasetProperty> With(IReadOnlyList<DatasetProperty> properties, DatasetStatus dataset, string asked) => asked == "all"
        ? properties.Concat(dataset.Dataset.Properties.Keys.Where(name => name.Contains(':')).Select(name => DatasetProperty.Find(name)!))
        : properties;
}

/// <summary>A list of dataset properties as <c>-o</c> and <c>zfs get</c> take it.</summary>
static class DatasetPropertyList
{
    /// <exception cref="UsageException">One of them does not exist.</exception>
    public static IReadOnlyList<DatasetProperty> Parse(string names) => names == "all"
        ? DatasetProperty.All
        : [.. names.Split(',').Select(name => DatasetProperty.Find(name)
            ?? throw new UsageException($"bad property list: invalid property '{name}'"))];
}

/// <summary>zfs-set(8).</summary>
static class ZfsSet
{
    public static int Run(ZpoolContext context, string[] args)
    {
        var line = CommandLine.Parse(args, "u");
        var assignments = line.Operands.Where(operand => operand.Contains('=')).ToList();
        var names = line.Operands.Where(operand => !operand.Contains('=')).ToList();
        if (assignments.Count == 0) throw new UsageException("missing property=value argument(s)");
        if (names.Count == 0) throw new UsageException("missing dataset name");

        var properties = new NvList();
        foreach (var pair in assignments.Select(assignment => assignment.Split('=', 2))) properties.Add(pair[0], pair[1]);
        var (found, failed) = Zfs.Open(context, names, recursive: false);
        foreach (var (pool, dataset) in found)
        {
            var refused = properties.Select(pair => pair.Key).FirstOrDefault(name => DatasetProperty.Find(name) is not { Settable: true });
            var reply = refused is null
                ? context.Kernel.Call(Ioctl.DatasetSet, new() { { "pool", pool.Name }, { "path", dataset.Dataset.Path }, { "properties", properties } })
                : default;
            if (refused is null && !reply.Failed)
            {
                context.LogHistory(pool.Name);
                continue;
            }
            var why = refused is null ? ZpoolContext.Words(reply.Error) : $"invalid property '{refused}'";
            context.Terminal.ErrorLine($"cannot set property for '{dataset.Name}': {why}");
            failed = true;
        }
        return failed ? 1 : 0;
    }
}

/// <summary>zfs-create(8), for file systems.</summary>
static class ZfsCreate
{
    public static int Run(ZpoolContext context, string[] args)
    {
        var line = CommandLine.Parse(args, "o:");
        if (line.Operands.Count == 0) throw new UsageException("missing filesystem argument");
        if (line.Operands.Count > 1) throw new UsageException("too many arguments");

        var properties = new NvList();
        foreach (var option in line.Values("o"))
        {
            if (option.Split('=', 2) is not [var property, var value]) throw new UsageException("missing '=' for property=value argument");
            properties.Add(property, value);
        }
        var name = line.Operands[0];
        if (name.Split('/', 2) is not [var pool, { Length: > 0 } path]) return Fail(context, name, "missing dataset name");
        if (context.Find(pool) is null) return Fail(context, name, $"no such pool '{pool}'");

        var reply = context.Kernel.Call(Ioctl.DatasetCreate, new() { { "pool", pool }, { "path", path }, { "properties", properties } });
        if (reply.Failed)
        {
            var why = reply.Error == Errno.EEXIST ? "dataset already exists" : ZpoolContext.Words(reply.Error);
            return Fail(context, name, reply.Error == Errno.ENOENT ? "parent does not exist" : why);
        }
        context.LogHistory(pool);
        return 0;
    }

    static int Fail(ZpoolContext context, string name, string why)
    {
        context.Terminal.ErrorLine($"cannot create '{name}': {why}");
        return 1;
    }
}

/// <summary>zfs-mount(8) and zfs-unmount(8).</summary>
static class ZfsMount
{
    const int MountedNameWidth = 30;

    public static int Mount(ZpoolContext context, string[] args)
    {
        var line = CommandLine.Parse(args, "a");
        var all = context.Pools();
        if (line.Has("a"))
        {
            foreach (var pool in all) context.Kernel.Call(Ioctl.Mount, new() { { "pool", pool.Name } });
            return 0;
        }
        if (line.Operands.Count == 0)
        {
            foreach (var mounted in all.SelectMany(pool => pool.Datasets).Where(dataset => dataset.Mounted))
                context.Terminal.WriteLine($"{mounted.Name,-MountedNameWidth}  {mounted.Mountpoint}");
            return 0;
        }
        var (found, missing) = Zfs.Open(context, [line.Operands[0]], recursive: false);
        if (missing) return 1;

        var (holder, dataset) = found[0];
        if (dataset.CanMount == "off") return Fail(context, $"cannot mount '{dataset.Name}': 'canmount' property is set to 'off'");
        if (dataset.Mounted) return Fail(context, $"cannot mount '{dataset.Name}': filesystem already mounted");

        context.Kernel.Call(Ioctl.Mount, new() { { "pool", holder.Name }, { "dataset", dataset.Name } });
        return 0;
    }

    public static int Unmount(ZpoolContext context, string[] args)
    {
        var line = CommandLine.Parse(args, "af");
        var datasets = context.Pools().SelectMany(pool => pool.Datasets.Select(dataset => (Pool: pool, Dataset: dataset))).ToList();
        if (line.Has("a"))
        {
            var mounted = datasets.Where(entry => entry.Dataset.Mounted).OrderByDescending(entry => entry.Dataset.Mountpoint, StringComparer.Ordinal);
            return mounted.Aggregate(0, (failed, entry) => failed | Unmount(context, entry.Pool, entry.Dataset));
        }
        if (line.Operands.Count == 0) throw new UsageException("missing filesystem argument");

        var wanted = line.Operands[0];
        var entry = datasets.Find(entry => entry.Dataset.Name == wanted || (wanted.StartsWith('/') && entry.Dataset.Mountpoint == wanted));
        if (entry.Dataset is null) return Fail(context, $"cannot open '{wanted}': dataset does not exist");

        return entry.Dataset.Mounted
            ? Unmount(context, entry.Pool, entry.Dataset)
            : Fail(context, $"cannot unmount '{wanted}': not currently mounted");
    }

    static int Unmount(ZpoolContext context, PoolStatus pool, DatasetStatus dataset)
    {
        var reply = context.Kernel.Call(Ioctl.Unmount, new() { { "pool", pool.Name }, { "dataset", dataset.Name } });
        return reply.Failed ? Fail(context, $"cannot unmount '{dataset.Mountpoint}': pool or dataset is busy") : 0;
    }

    static int Fail(ZpoolContext context, string text)
    {
        context.Terminal.ErrorLine(text);
        return 1;
    }
}
