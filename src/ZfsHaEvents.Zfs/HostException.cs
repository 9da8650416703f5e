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
}
