using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.Protocol;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>zpool-create(8), for mirrors and single disks.</summary>
static class ZpoolCreate
{
    static readonly string[] ReservedNames = ["mirror", "raidz", "draid", "spare", "log"];

    public static int Run(ZpoolContext context, string[] args)
    {
        var line = CommandLine.Parse(args, "fo:O:m:R:");
        if (PoolPropertyRules.Read(context.Terminal, line.Values("o")) is not { } properties) return 1;
        if (line.Operands.Count < 1) throw new UsageException("missing pool name argument");
        if (line.Operands.Count < 2) throw new UsageException("missing vdev specification");

        var name = line.Operands[0];
        if (RefuseName(name) is { } badName) return Fail(context, name, badName);
        if (PoolSpecification.Parse(context, [.. line.Operands.Skip(1)], force: line.Has("f")) is not { } vdevs) return 1;

        foreach (var (property, value) in properties)
        {
            if (PoolPropertyRules.Refuse(context.Host, property, value) is { } refusal) return Fail(context, name, refusal);
        }
        if (line.Last("R") is { } altRoot)
        {
            properties["altroot"] = altRoot;
            properties.TryAdd("cachefile", "none");
        }
        NvList request = new()
        {
            { "pool", name },
            { "properties", List(properties) },
            { "dataset_properties", DatasetProperties(line) },
            { "vdevs", vdevs },
            { "command", context.CommandText },
        };
        request.AddFlag("force", line.Has("f"));
        var reply = context.Kernel.Call(Ioctl.PoolCreate, request);
        return reply.Failed ? Fail(context, name, ZpoolContext.Words(reply.Error)) : 0;
    }

    static NvList DatasetProperties(CommandLine line)
    {
        var list = new NvList();
        foreach (var option in line.Values("O"))
        {
            if (option.Split('=', 2) is [var name, var value]) list.Add(name, value);
        }
        list.AddText("mountpoint", line.Last("m"));
        return list;
    }

    static NvList List(Dictionary<string, string> properties)
    {
        var list = new NvList();
        foreach (var (name, value) in properties) list.Add(name, value);
        return list;
    }

    /// <summary>Why a pool cannot be called so (zpool_name_valid).</summary>
    static string? RefuseName(string name)
    {
        if (!char.IsAsciiLetter(name[0])) return "name must begin with a letter";
        if (ReservedNames.Any(reserved => name.StartsWith(reserved, StringComparison.Ordinal))) return "name is reserved";

        var bad = name.FirstOrDefault(letter => !char.IsAsciiLetterOrDigit(letter) && !"-_.: ".Contains(letter));
        return bad == default ? null : $"invalid character '{bad}' in pool name";
    }

    static int Fail(ZpoolContext context, string pool, string why)
    {
        context.Terminal.ErrorLine($"cannot create '{pool}': {why}");
        return 1;
    }
}

/// <summary>The vdevs of a new pool as the command line names them (make_root_vdev).</summary>
static class PoolSpecification
{
    const int MirrorDevicesMin = 2;

    /// <summary>The top-level vdevs; nothing when something is wrong, which has been said then.</summary>
    public static List<NvList>? Parse(ZpoolContext context, string[] words, bool force)
    {
        var vdevs = new List<NvList>();
        for (var at = 0; at < words.Length;)
        {
            if (words[at].StartsWith("raidz", StringComparison.Ordinal) || words[at] is "log" or "cache" or "spare" or "special" or "dedup")
            {
                context.Terminal.ErrorLine($"invalid vdev specification: '{words[at]}' is not simulated");
                return null;
            }
            if (words[at] != Vdev.Mirror)
            {
                if (Device(context, words[at++]) is not { } disk) return null;
                vdevs.Add(disk);
                continue;
            }
            var legs = words.Skip(at + 1).TakeWhile(word => word != Vdev.Mirror).ToList();
            at += 1 + legs.Count;
            if (legs.Count < MirrorDevicesMin)
            {
                context.Terminal.ErrorLine($"invalid vdev specification: mirror requires at least {MirrorDevicesMin} devices");
                return null;
            }
            var children = legs.Select(leg => Device(context, leg)).ToList();
            if (children.Contains(null)) return null;
            vdevs.Add(new() { { "children", [.. children.OfType<NvList>()] } });
        }
        return InUse(context, vdevs, force) ? null : vdevs;
    }

    static NvList? Device(ZpoolContext context, string device)
    {
        if (DeviceNodes.DataNode(context.Host, device) is { } path) return new() { { "path", path } };

        context.Terminal.ErrorLine(device.StartsWith('/')
            ? $"cannot open '{device}': No such file or directory"
            : $"cannot open '{device}': no such device in /dev\nmust be a full path or shorthand device name");
        return null;
    }

    /// <summary>Whether a device belongs to a pool already; force overrides that unless this host has the pool imported (check_file).</summary>
    static bool InUse(ZpoolContext context, List<NvList> vdevs, bool force)
    {
        var imported = context.Pools().Select(pool => pool.PoolGuid).ToHashSet();
        var complaints = new List<string>();
        foreach (var path in vdevs.SelectMany(vdev => vdev.Has("path") ? [vdev] : vdev.Lists("children")).Select(leaf => leaf.Text("path")))
        {
            using var disk = FakeDisk.Open(context.Host.In(path), FileAccess.Read);
            if (disk?.ReadLabel() is not { } found) continue;

            var label = VdevLabel.From(found);
            var active = imported.Contains(label.PoolGuid);
            if (force && !active) continue;

            var state = active ? "active" : label.State == PoolState.Exported ? "exported" : "potentially active";
            complaints.Add($"{path} is part of {state} pool '{label.Name}'");
        }
        if (complaints.Count == 0) return false;

        context.Terminal.ErrorLine("invalid vdev specification");
        context.Terminal.ErrorLine(force
            ? "the following errors must be manually repaired:"
            : "use '-f' to override the following errors:");
        foreach (var complaint in complaints) context.Terminal.ErrorLine(complaint);
        return true;
    }
}
