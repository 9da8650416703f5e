namespace ZfsHaEvents.Zfs;

/// <summary>
/// Something this host needs in order to be looked at or acted on is missing, damaged or not ours: a kernel file, a state
/// file, a directory. The message names the file and says what to do.
/// </summary>
public sealed class HostException : Exception
{
    public HostException(string message) : base(message)
    {
    }

    public HostException(string message, Exception inner) : base(message, inner)
    {
    }

    /// <summary>A file or directory of ours could not be had.</summary>
    /// <param name="what">What could not be done, in a sentence without its full stop.</param>
    /// <param name="cause">An <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>.</param>
    internal static HostException At(string path, string what, Exception cause) => new($"{what} ({cause.Message}): {WhatToDo(path, cause)}.", cause);

    static string WhatToDo(string path, Exception cause) => cause is UnauthorizedAccessException ? AsRoot : cause.HResult switch
    {
        Libc.NotPermitted or Libc.AccessDenied => AsRoot,
        Libc.NoSpace or Libc.QuotaExceeded => $"make room on the file system of {path}",
        Libc.ReadOnlyFileSystem => $"mount the file system of {path} read-write",
        Libc.Exists or Libc.NotADirectory or Libc.TooManyLinks => $"{path}, or what is above it, is no directory or is a symbolic link: move it out of the way",
        _ => $"see what the kernel says of the disk under {path} (dmesg)",
    };

    const string AsRoot = "run as root";
}
