using System.Globalization;
using ZfsHaEvents.Cli.Api;
using ZfsHaEvents.Zfs;
using ZfsHaEvents.Zfs.Commands;

namespace ZfsHaEvents.Cli.OnHost;

/// <summary>
/// Finds the pools whose labels are on this host's devices, with <c>zdb -lu</c>: in a second or two, where <c>zpool import</c> watches every
/// multihost pool of another host for activity, one after the other. Takes no lock and writes nothing.
/// </summary>
sealed class LabelSearch(HostEnvironment host)
{
    const int ReadersMax = 8;

    /// <summary>For one device: a disk that is slow to fail.</summary>
    static readonly TimeSpan DeviceLimit = TimeSpan.FromSeconds(10);

    /// <summary>Names that stay with the disk, before those that depend on the order of detection.</summary>
    static readonly string[] NameFolders = ["/dev/mapper", "/dev/disk/by-id", "/dev/disk/by-path"];

    readonly Kstats _kstats = new(host);

    public async Task<ScanDocument> RunAsync(CancellationToken cancellation)
    {
        var devices = Devices();
        using var readers = new SemaphoreSlim(ReadersMax);
        async Task<(string Device, LeafLabel? Label, string? Problem)> ReadAsync(string device)
        {
            await readers.WaitAsync(cancellation);
            try
            {
                return Read(device, await ChildProcess.RunAsync(new(host.ProgramFile("zdb"), ["-lu", device], DeviceLimit), cancellation));
            }
            finally
            {
                readers.Release();
            }
        }

        var read = await Task.WhenAll(devices.Select(ReadAsync));
        var imported = _kstats.Read().Select(p => p.PoolGuid).ToHashSet();
        var pools = read.Where(r => r.Label?.Label.Pool is not null).GroupBy(r => r.Label!.Label.Pool!.Value).Select(g =>
        {
            var label = ZdbOutput.Combine(g.Key, g.Select(r => r.Label!), g.Count())!;
            return new ScannedPoolDocument(g.Key, label.Name, label, [.. g.Select(r => r.Device)], imported.Contains(g.Key));
        });
        return new(
            host.Name, devices.Count, [.. pools.OrderBy(p => p.Name, StringComparer.Ordinal).ThenBy(p => p.Pool)], [.. read.Select(r => r.Problem).OfType<string>()]);
    }

    static (string Device, LeafLabel? Label, string? Problem) Read(string device, ChildResult result)
    {
        if (result.Succeeded() && ZdbOutput.Leaf(result.Stdout) is { } label) return (device, label, null);
        if (!result.Run.Ended || result.Run.ExitCode is null) return (device, null, string.Create(CultureInfo.InvariantCulture, $"{device}: zdb: {result.Run.Failure} after {result.Run.Seconds:0.#} s{Said(result.Run.Stderr)}"));

        // "failed to unpack label" is a device that ZFS does not use; that it could not be opened or read is another matter.
        var words = result.Stdout + result.Run.Stderr;
        return (device, null, words.Contains("cannot open", StringComparison.Ordinal) || words.Contains("failed to read", StringComparison.Ordinal) ? $"{device}{Said(words)}" : null);
    }

    static string Said(string words) => words.Split('\n', StringSplitOptions.RemoveEmptyEntries) is [var first, ..] ? $": {first}" : "";

    /// <summary>Every block device once, by its most durable name; a disk with partitions only by these.</summary>
    List<string> Devices()
    {
        var byNode = new Dictionary<string, string>(StringComparer.Ordinal);
        var parents = new HashSet<string>(StringComparer.Ordinal);
        foreach (var folder in NameFolders)
        {
            var names = Names(folder);
            foreach (var name in names.Where(n => n != "control"))
            {
                if (Node($"{folder}/{name}") is not { } node) continue;
                // udev(7), 60-persistent-storage.rules: NAME-partN is partition N of NAME.
                if (names.Any(other => other.StartsWith($"{name}-part", StringComparison.Ordinal))) parents.Add(node);
                byNode.TryAdd(node, $"{folder}/{name}");
            }
        }

        foreach (var name in Names("/sys/class/block"))
        {
            if (Node($"/dev/{name}") is not { } node) continue;
            if (Directory.Exists(host.PathOf($"/sys/class/block/{name}")) && Directory.EnumerateFiles(host.PathOf($"/sys/class/block/{name}/"), "*").Any(f => Path.GetFileName(f) == "size" && IsEmpty(f))) continue;
            if (Names($"/sys/class/block/{name}").Any(part => part.StartsWith(name, StringComparison.Ordinal))) parents.Add(node);
            byNode.TryAdd(node, $"/dev/{name}");
        }

        return [.. byNode.Where(d => !parents.Contains(d.Key)).Select(d => d.Value).Where(Zpool.IsDevicePath).Order(StringComparer.Ordinal)];
    }

    /// <summary>A loop device or drive with nothing in it.</summary>
    static bool IsEmpty(string sizeFile) => File.ReadAllText(sizeFile).Trim() == "0";

    List<string> Names(string folder)
    {
        var path = host.PathOf(folder);
        return Directory.Exists(path) ? [.. Directory.EnumerateFileSystemEntries(path).Select(entry => Path.GetFileName(entry))] : [];
    }

    /// <summary>What the name leads to in the end; null when to nothing.</summary>
    string? Node(string path)
    {
        var file = host.PathOf(path);
        if (!Path.Exists(file)) return null;
        return File.ResolveLinkTarget(file, returnFinalTarget: true)?.FullName ?? file;
    }
}
