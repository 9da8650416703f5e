using System.Globalization;
using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.Protocol;

namespace ZfsHaEvents.Simulator.Applets;

/// <summary>zpool-import(8): look for pools, try each one wanted, then show it or import it.</summary>
static class ZpoolImport
{
    /// <summary>What abort(3) makes of an error libzfs has no words for.</summary>
    const int AbortedExitCode = 134;

    public static int Run(ZpoolContext context, string[] args)
    {
        var line = CommandLine.Parse(args, "ad:fNo:R:");
        // A property that does not exist ends the command, but its exit code is 0: the error variable was never set.
        if (PoolPropertyRules.Read(context.Terminal, line.Values("o")) is not { } properties) return 0;
        if (line.Operands.Count > (line.Has("a") ? 0 : 2)) throw new UsageException("too many arguments");

        if (line.Last("R") is { } altRoot)
        {
            properties["altroot"] = altRoot;
            properties.TryAdd("cachefile", "none");
        }
        var options = new ImportOptions(
            Force: line.Has("f"), MountNothing: line.Has("N"), ReadOnly: properties.GetValueOrDefault("readonly") == "on",
            properties.GetValueOrDefault("altroot"), properties.GetValueOrDefault("cachefile"));
        var paths = line.Values("d").ToList();
        if (line.Has("a")) return ImportAll(context, paths, options);

        return line.Operands.Count == 0
            ? Show(context, paths)
            : ImportOne(context, paths, line.Operands[0], line.Operands.ElementAtOrDefault(1), options);
    }

    static int Show(ZpoolContext context, List<string> paths)
    {
        var first = true;
        foreach (var found in NotImported(context, paths))
        {
            if (Try(context, found) is not { } config) continue;

            if (!first) context.Terminal.WriteLine();
            first = false;
            ImportReport.Print(context, config);
        }
        if (first) context.Terminal.ErrorLine("no pools available to import");
        return 0;
    }

    static int ImportAll(ZpoolContext context, List<string> paths, ImportOptions options)
    {
        var found = NotImported(context, paths);
        if (found.Count == 0) context.Terminal.ErrorLine("no pools available to import");
        var failed = false;
        foreach (var pool in found)
        {
            if (Try(context, pool) is { } config) failed |= Import(context, pool, config, newName: null, options) != 0;
        }
        return failed ? 1 : 0;
    }

    static int ImportOne(ZpoolContext context, List<string> paths, string wanted, string? newName, ImportOptions options)
    {
        var byGuid = ulong.TryParse(wanted, NumberStyles.None, CultureInfo.InvariantCulture, out var guid);
        var imported = context.Pools();
        if (imported.Any(pool => byGuid ? pool.PoolGuid == guid : pool.Name == wanted) && (newName is null || newName == wanted))
        {
            context.Terminal.ErrorLine(
                $"cannot import '{wanted}': a pool with that name already exists\n" +
                "use the form 'zpool import <pool | id> <newpool>' to give it a new name");
            return 1;
        }
        var found = NotImported(context, paths).Where(pool => byGuid ? pool.PoolGuid == guid : pool.Name == wanted).ToList();
        var tried = found.Select(pool => (Found: pool, Config: Try(context, pool))).Where(pool => pool.Config is not null).ToList();
        if (tried.Count > 1)
        {
            foreach (var _ in tried.Skip(1))
                context.Terminal.ErrorLine($"cannot import '{wanted}': more than one matching pool\nimport by numeric ID instead");
            return 1;
        }
        if (tried.Count == 1) return Import(context, tried[0].Found, tried[0].Config!, newName, options);

        context.Terminal.ErrorLine($"cannot import '{wanted}': no such pool available");
        return 1;
    }

    static List<FoundPool> NotImported(ZpoolContext context, List<string> paths)
    {
        var imported = context.Pools().Select(pool => pool.PoolGuid).ToHashSet();
        return [.. PoolSearch.Find(context.Host, paths).Where(pool => !imported.Contains(pool.PoolGuid))];
    }

    static ImportConfig? Try(ZpoolContext context, FoundPool pool)
    {
        context.Terminal.Flush();
        var reply = context.Kernel.Call(Ioctl.PoolTryImport, pool.Request());
        return reply.Failed ? null : ImportConfig.From(reply.Value);
    }

    static int Import(ZpoolContext context, FoundPool found, ImportConfig config, string? newName, ImportOptions options)
    {
        var permit = ImportRules.Decide(config.State, config.HostId, config.Mmp, context.Host.ReadHostId(), options.Force);
        if (permit != ImportPermit.Granted)
        {
            context.Terminal.ErrorLine(ImportRefusals.BeforeImport(permit, config));
            return 1;
        }
        var reply = context.Kernel.Call(Ioctl.PoolImport, Request(found, config, newName, options));
        if (reply.Failed)
        {
            var action = newName is null ? $"cannot import '{config.Name}'" : $"cannot import '{config.Name}' as '{newName}'";
            if (reply.Error == Errno.EBADF)
            {
                context.Terminal.ErrorLine($"internal error: {action}: {ZpoolContext.Words(reply.Error)}\nAborted");
                return AbortedExitCode;
            }
            context.Terminal.ErrorLine($"{action}: {ImportRefusals.ByKernel(reply)}");
            return 1;
        }
        var name = newName ?? config.Name;
        if (!options.MountNothing) context.Kernel.Call(Ioctl.Mount, new() { { "pool", name } });
        context.LogHistory(name);
        return 0;
    }

    static NvList Request(FoundPool found, ImportConfig config, string? newName, ImportOptions options)
    {
        var request = found.Request();
        request.AddText("new_name", newName);
        request.AddFlag("force", options.Force);
        request.AddFlag("readonly", options.ReadOnly);
        request.AddText("altroot", options.AltRoot);
        request.AddText("cachefile", options.CacheFile);
        // A try that saw activity gives the import nothing to compare with (it reports a zero txg and sequence).
        if (config.Seen is { } seen)
        {
            var inactive = config.Mmp == MmpState.Inactive;
            request.Add("mmp_txg", inactive ? seen.Txg : 0);
            request.Add("mmp_timestamp", inactive ? seen.Timestamp : 0);
            request.Add("mmp_seq", inactive ? seen.Sequence : 0);
        }
        return request;
    }
}

/// <summary>How an import was asked for.</summary>
sealed record ImportOptions(bool Force, bool MountNothing, bool ReadOnly, string? AltRoot, string? CacheFile);
