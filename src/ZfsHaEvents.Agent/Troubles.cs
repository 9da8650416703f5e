using System.Collections.Concurrent;
using System.Data.Common;
using Microsoft.Extensions.Logging;
using ZfsHaEvents.Store;
using ZfsHaEvents.Zfs;

namespace ZfsHaEvents.Agent;

/// <summary>
/// What the agent lives through: a database or a disk that fails it. Each part of it says so once, waits and tries again, for as long as it
/// takes: were it to end, the lease would be lost with it, and the pools taken over, for a full disk or a database that is being set up.
/// </summary>
sealed class Troubles(ILogger log)
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>An outage may be over in a moment, and then much waits to be told.</summary>
    static readonly TimeSpan PauseInOutage = TimeSpan.FromMilliseconds(200);

    readonly ConcurrentDictionary<string, string> _told = new();

    /// <summary>Trying again may help, though it may need a person first.</summary>
    public static bool Is(Exception e) => IsDatabase(e) || IsHost(e);

    /// <summary>Something this host lacks: room on a disk, a readable file.</summary>
    public static bool IsHost(Exception e) => e is HostException or UnauthorizedAccessException || (e is IOException && !DatabaseOutage.Is(e));

    /// <summary>How long to wait before the next try.</summary>
    public static TimeSpan After(Exception e) => DatabaseOutage.Is(e) ? PauseInOutage : Pause;

    /// <summary>Logs what troubles a part, unless that was the last that was said of it.</summary>
    public void Tell(string part, Exception e)
    {
        if (!IsNews(part, e.Message)) return;
        if (IsDatabase(e)) log.DatabaseUnavailable(e.Message);
        else log.HostProblem(e.Message);
    }

    /// <summary>Whether this is not what was said last.</summary>
    public bool IsNews(string part, string problem)
    {
        var last = _told.GetValueOrDefault(part);
        _told[part] = problem;
        return last != problem;
    }

    /// <summary>The part works again: should the same happen once more, it is said once more.</summary>
    public void Over(string part) => _told.TryRemove(part, out _);

    /// <summary>Also what is no outage: no schema yet, a standby, no such database, no right to it. The server, or a person, is at it.</summary>
    static bool IsDatabase(Exception e) => e is DbException || DatabaseOutage.Is(e);
}
