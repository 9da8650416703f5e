using ZfsHaEvents.Zfs;

namespace ZfsHaEvents.Agent;

/// <summary>One agent a host: two would take each other's sessions away for ever.</summary>
static class AgentLock
{
    /// <exception cref="HostException">Another agent runs on this host, or the run directory cannot be had.</exception>
    public static IDisposable Take(HostEnvironment host)
    {
        var path = Path.Join(host.RunDirectory, "agent.lock");
        try
        {
            Directory.CreateDirectory(host.RunDirectory);
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None); // FileShare.None is flock(2) on Linux: freed when we die.
        }
        catch (IOException e)
        {
            throw new HostException($"another agent runs on this host, or {path} cannot be opened ({e.Message})", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new HostException($"{path} cannot be opened ({e.Message}): run as root, or set ZFSHA_RUN_DIR", e);
        }
    }
}
