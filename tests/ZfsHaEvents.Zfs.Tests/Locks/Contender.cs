using System.Globalization;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Zfs.Locks;

namespace ZfsHaEvents.Zfs.Tests.Locks;

/// <summary>
/// A process that takes the lock over and over. While it has it, it makes a file that must not be there (O_EXCL) and takes it away again: the judge
/// of whether two are in at once, of which the lock's code knows nothing.
/// </summary>
/// <param name="locked">Without the lock the judge has something to find.</param>
sealed class Contender(HostEnvironment host, PoolGuid pool, string folder, bool locked)
{
    /// <summary>Longer than anybody is stopped; a killed process is gone long before.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    readonly string _inside = Path.Join(folder, "inside");
    readonly string _me = string.Create(CultureInfo.InvariantCulture, $"{ProcessIdentity.Current.Id} {ProcessIdentity.Current.StartTicks}");

    /// <summary>One byte for each time that somebody was in.</summary>
    public static string EnteredFile(string folder) => Path.Join(folder, "entered");

    /// <summary>A line for each time that the judge found something.</summary>
    public static string ViolationsFile(string folder) => Path.Join(folder, "violations");

    public async Task RunAsync(Action<object> say)
    {
        _ = Task.Factory.StartNew(EndWithStarter, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        var locks = new HostLocks(host, TimeProvider.System);
        say("ready");
        while (true)
        {
            if (!locked)
            {
                await BeInsideAsync();
                continue;
            }
            if (await locks.AcquireAsync(pool, "contending", TimeSpan.FromMinutes(2)) is LockAttempt.Acquired { Lock: var held })
            {
                await BeInsideAsync();
                held.Dispose();
            }
            else
            {
                Append(ViolationsFile(folder), $"{_me} did not get its turn in two minutes\n");
            }
        }
    }

    /// <summary>Without whoever started us there is nothing to do any more.</summary>
    static void EndWithStarter()
    {
        Console.In.ReadToEnd();
        Environment.Exit(0);
    }

    async Task BeInsideAsync()
    {
        while (!TryMake()) await JudgeAsync();
        Append(EnteredFile(folder), ".");
        await Task.Delay(Random.Shared.Next(5));
        File.Delete(_inside);
    }

    bool TryMake()
    {
        try
        {
            using var file = new FileStream(_inside, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            file.Write(System.Text.Encoding.ASCII.GetBytes(_me));
            return true;
        }
        catch (IOException e) when (e.HResult == Libc.Exists) // What it is there for.
        {
            return false;
        }
    }

    /// <summary>
    /// Somebody is in, or was killed there: who was killed never takes the file away, and its process is soon gone. Anything else is two at once.
    /// </summary>
    async Task JudgeAsync()
    {
        var giveUp = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (Environment.TickCount64 < giveUp)
        {
            if (Read() is not { } owner)
            {
                Append(ViolationsFile(folder), $"{_me} came in while somebody was, who has just left\n");
                return;
            }
            if (owner.Split(' ') is [var pid, var ticks] && !new ProcessIdentity(int.Parse(pid, CultureInfo.InvariantCulture), ulong.Parse(ticks, CultureInfo.InvariantCulture)).IsAlive())
            {
                File.Delete(_inside);
                return;
            }
            await Task.Delay(1);
        }

        // An empty one is of a process that was killed before it could write its name.
        if (Read() is { Length: > 0 } living) Append(ViolationsFile(folder), $"{_me} came in while {living} was\n");
        File.Delete(_inside);
    }

    string? Read()
    {
        try
        {
            return File.ReadAllText(_inside);
        }
        catch (FileNotFoundException) // Asked for.
        {
            return null;
        }
    }

    static void Append(string file, string text)
    {
        using var stream = new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        stream.Write(System.Text.Encoding.ASCII.GetBytes(text));
    }
}
