using System.Text;

namespace ZfsHaEvents.Zfs;

/// <summary>Files that are there whole, and after a power loss still, once the call returns; or are as they were before.</summary>
static class DurableFile
{
    /// <summary>The beginning of the names of files that are being written, or were when the writer died.</summary>
    public const string TemporaryPrefix = ".tmp-";

    /// <summary>
    /// Writes beside the file, fsyncs, renames over it, fsyncs the directory. The caller holds a lock: the name beside is always the
    /// same, so that what a dead writer left is overwritten by the next.
    /// </summary>
    /// <exception cref="IOException">A full or failing disk.</exception>
    /// <exception cref="UnauthorizedAccessException"/>
    public static void Write(string path, string text)
    {
        var directory = Path.GetDirectoryName(path)!;
        var temporary = Path.Join(directory, TemporaryPrefix + Path.GetFileName(path));
        using (var file = File.OpenHandle(temporary, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(file, Encoding.UTF8.GetBytes(text), 0);
            RandomAccess.FlushToDisk(file);
        }
        File.Move(temporary, path, overwrite: true);
        SyncDirectory(directory);
    }

    /// <summary>Renames a file within its directory. The caller holds a lock.</summary>
    /// <exception cref="IOException"/>
    /// <exception cref="UnauthorizedAccessException"/>
    public static void Rename(string path, string to)
    {
        File.Move(path, to);
        SyncDirectory(Path.GetDirectoryName(to)!);
    }

    /// <summary>Makes the directory, and its name in its parent durable.</summary>
    /// <exception cref="IOException"/>
    /// <exception cref="UnauthorizedAccessException"/>
    public static void EnsureDirectory(string path, uint mode)
    {
        if (Directory.Exists(path)) return;
        Libc.MakeDirectory(path, mode);
        if (Path.GetDirectoryName(path) is { } parent) SyncDirectory(parent);
    }

    static void SyncDirectory(string path)
    {
        using var directory = Libc.OpenDirectory(path, followLink: true);
        Libc.Sync(directory);
    }
}
