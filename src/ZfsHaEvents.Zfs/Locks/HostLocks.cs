using System.Globalization;
using ZfsHaEvents.Domain;

namespace ZfsHaEvents.Zfs.Locks;

/// <summary>What came of asking for a host lock.</summary>
public abstract record LockAttempt
{
    LockAttempt()
    {
    }

    /// <summary>It is held.</summary>
    public sealed record Acquired(HeldLock Lock) : LockAttempt;

    /// <summary>It was not to be had in the time given.</summary>
    /// <param name="Record">Who took it, as the lock file says; null when it says nothing, or nothing legible.</param>
    /// <param name="HolderLives">
    /// The process in the record is still there. If not, a command it started lives on and has inherited the lock.
    /// </param>
    /// <param name="Holder">All that is known of the holder, in words.</param>
    public sealed record TimedOut(TimeSpan Waited, LockRecord? Record, bool HolderLives, string Holder) : LockAttempt;
}

/// <summary>
/// The per-pool locks of one host, around every sequence of list, import, operate and export, whoever runs it: the agent, a typed
/// command, a resource agent. The kernel frees a lock when its holder dies.
/// </summary>
public sealed class HostLocks(HostEnvironment host, TimeProvider time)
{
    const string Suffix = ".lock";

    /// <summary>Of who is next; who is further behind looks less often, or many would take all the processors' time.</summary>
    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    const int PollIntervalsMax = 12;

    /// <summary>
    /// What the present flow holds, innermost first. Immutable, so that flows which branched off before an acquisition do not
    /// see it and wait like anybody else.
    /// </summary>
    static readonly AsyncLocal<Slot?> Held = new();

    readonly string _directory = Path.Join(host.RunDirectory, "locks");

    /// <summary>
    /// Takes the pool's lock, waiting for it no longer than the time-out. If this flow, or the process that started this one,
    /// has it already, it nests: in the method that called this, and in all that it calls from then on. The caller of an
    /// asynchronous method that took it is another flow, as far as .NET can tell.
    /// </summary>
    /// <param name="purpose">For people: what the lock is taken for.</param>
    /// <param name="correlation">The order or request the work belongs to.</param>
    /// <exception cref="HostException">The lock file cannot be opened or written, or the boot id not read.</exception>
    /// <exception cref="OperationCanceledException"/>
    public Task<LockAttempt> AcquireAsync(PoolGuid pool, string purpose, TimeSpan timeout, string? correlation = null, CancellationToken cancellation = default)
    {
        var path = Path.Join(_directory, FileName(pool));
        for (var slot = Held.Value; slot is not null; slot = slot.Outer)
        {
            if (slot.Path == path && slot.Holding is { } holding && holding.TryEnter())
                return Task.FromResult<LockAttempt>(new LockAttempt.Acquired(new(holding, isNested: true, TimeSpan.Zero, null)));
        }

        // Put in place here and filled later: what an async method sets is not seen by its caller.
        var acquiring = new Slot(path, Slot.Live(Held.Value));
        Held.Value = acquiring;
        return AcquireAsync(acquiring, pool, purpose, timeout, correlation, cancellation);
    }

    /// <summary>
    /// Every lock of the host as it is now, asked of the kernel. No lock is taken or tried, and nothing is written: a live lock is not
    /// disturbed, and a stale record is left for whoever takes the lock next, who reports it.
    /// </summary>
    /// <exception cref="HostException">The lock directory cannot be read, or is not ours.</exception>
    public LockSurvey Survey()
    {
        var problems = new List<string>();
        var found = new List<LockFound>();
        if (!Directory.Exists(_directory)) return new(found, problems);

        try
        {
            var boot = host.ReadBootId();
            var records = ReadRecords(problems);
            var kernel = KernelLocks.Look(_directory);
            foreach (var (pool, record) in records)
            {
                try
                {
                    found.Add(Look(pool, record, boot, kernel));
                }
                catch (HostException e) // Told, and the others are looked at.
                {
                    problems.Add(e.Message);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // Not root, or a failing disk.
        {
            throw HostException.At(_directory, $"{_directory} cannot be read", e);
        }
        return new(found, problems);
    }

    SortedDictionary<PoolGuid, string> ReadRecords(List<string> problems)
    {
        var records = new SortedDictionary<PoolGuid, string>();
        foreach (var path in Directory.EnumerateFiles(_directory, "*" + Suffix))
        {
            try
            {
                if (PoolGuid.TryParse(Path.GetFileNameWithoutExtension(path), null, out var pool)) records[pool] = ReadRecord(pool);
                else problems.Add($"{path} is not named after a pool's GUID.");
            }
            catch (HostException e) // Told, and the others are read.
            {
                problems.Add(e.Message);
            }
        }
        return records;
    }

    string ReadRecord(PoolGuid pool)
    {
        using var file = LockFile.OpenExisting(_directory, FileName(pool));
        return file.ReadText();
    }

    /// <summary>
    /// The kernel is asked between two readings of the record, and all of it once more when the record changed meanwhile or names nobody
    /// while the lock is had: who takes it needs a moment to write.
    /// </summary>
    LockFound Look(PoolGuid pool, string before, BootId boot, KernelLocks kernel)
    {
        const int looksMax = 5;
        for (var look = 1; ; look++)
        {
            using var file = LockFile.OpenExisting(_directory, FileName(pool));
            var (held, text) = (kernel.IsHeld(file, FileName(pool)), file.ReadText());
            var settled = text == before && (!held || LockRecord.Read(text) is not null);
            if (settled || look == looksMax) return Found(pool, boot, kernel, held, settled || held ? text : ""); // One that changes all the time is not stale.

            Thread.Sleep(1);
            before = text;
            kernel = KernelLocks.Look(_directory);
        }
    }

    static LockFound Found(PoolGuid pool, BootId boot, KernelLocks kernel, bool held, string text)
    {
        var record = LockRecord.Read(text);
        var processes = kernel.Holding(FileName(pool));
        var broken = held ? null : FindBroken(text, boot);
        var condition = (held, record) switch
        {
            (false, _) => broken is null ? LockCondition.Free : LockCondition.Stale,
            (true, null) => LockCondition.HeldByUnknown,
            _ when record.HolderLives(boot) && (processes.Count == 0 || processes.Any(process => process.Pid == record.Pid)) => LockCondition.Held,
            _ => LockCondition.LeftToChild,
        };
        return new(pool, condition, condition is LockCondition.Free ? null : record, processes, kernel.Waiting(FileName(pool)), broken?.Evidence);
    }

    async Task<LockAttempt> AcquireAsync(
        Slot slot, PoolGuid pool, string purpose, TimeSpan timeout, string? correlation, CancellationToken cancellation)
    {
        var boot = host.ReadBootId();
        var asked = time.GetTimestamp();
        var file = OpenFile(pool);
        try
        {
            if (InheritedLocks.Find(pool.ToString(), file) is { } inherited)
            {
                slot.Holding = new(pool, inherited, inherited: true);
                return new LockAttempt.Acquired(new(slot.Holding, isNested: true, TimeSpan.Zero, null));
            }

            using var place = new WaitingPlace(_directory, pool); // Whoever lets it go and asks again is behind those who waited meanwhile.
            int ahead;
            while ((ahead = place.Ahead()) > 0 || !file.TryLock())
            {
                var waited = time.GetElapsedTime(asked);
                if (waited >= timeout)
                {
                    var holder = DescribeHolder(file, boot, turnOfOthers: ahead > 0);
                    return new LockAttempt.TimedOut(waited, holder.Record, holder.Lives, holder.Text);
                }
                place.KeepUp();
                var pause = PollInterval * Math.Min(ahead + 1, PollIntervalsMax);
                await Task.Delay(waited + pause > timeout ? timeout - waited : pause, time, cancellation);
            }

            var broken = FindBroken(file.ReadText(), boot);
            var process = ProcessIdentity.Current;
            file.WriteText(new LockRecord(
                host.Name, boot, process.Id, process.StartTicks, Environment.UserName, purpose, correlation, time.GetUtcNow()).Write());
            slot.Holding = new(pool, file, inherited: false);
            return new LockAttempt.Acquired(new(slot.Holding, isNested: false, time.GetElapsedTime(asked), broken));
        }
        catch (IOException e) // A full disk: without a record nobody could be told who has the lock.
        {
            throw HostException.At(_directory, $"The host lock of pool {pool} cannot be taken", e);
        }
        finally
        {
            if (slot.Holding?.Handle != file.Handle) file.Dispose(); // Refused, cancelled, nested, or the record could not be written.
        }
    }

    LockFile OpenFile(PoolGuid pool)
    {
        const uint everybodyMayLook = 0x1ed, oursAlone = 0x1c0; // 0755, 0700
        try
        {
            Libc.MakeDirectory(host.RunDirectory, everybodyMayLook);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // Not root, most often; or a full disk.
        {
            throw HostException.At(host.RunDirectory, $"{host.RunDirectory} cannot be made", e);
        }

        return LockFile.Open(_directory, FileName(pool), oursAlone);
    }

    static BrokenLock? FindBroken(string text, BootId boot)
    {
        if (text.Length == 0) return null;
        return LockRecord.Read(text) is { } previous
            ? new(previous, previous.ToString(), previous.EvidenceOfDeath(boot))
            : new(null, "unknown", "the record in the lock file is torn: its writer died while writing it");
    }

    static (LockRecord? Record, bool Lives, string Text) DescribeHolder(LockFile file, BootId boot, bool turnOfOthers)
    {
        var record = LockRecord.Read(file.ReadText());
        var lives = record?.HolderLives(boot) ?? false;
        if (record is not null && lives) return (record, true, record.ToString());

        var heirs = LockHeirs.Find(file);
        if (record is null && heirs.Count == 0 && turnOfOthers) return (null, false, "nobody at this moment; it is the turn of others, who asked earlier");
        var who = heirs.Count == 0 ? "a command it started" : string.Join(", ", heirs);
        return record is null
            ? (null, false, $"unknown: the lock file names nobody; held by {(heirs.Count == 0 ? "a process that cannot be found" : who)}")
            : (record, false, $"{record}, which is gone; its child still holds the lock: {who}");
    }

    static string FileName(PoolGuid pool) => string.Create(CultureInfo.InvariantCulture, $"{pool}{Suffix}");

    /// <summary>One acquisition by a flow: empty until the lock is had, dead after its release.</summary>
    sealed class Slot(string path, Slot? outer)
    {
        LockHolding? _holding;

        public string Path => path;

        public Slot? Outer => outer;

        public LockHolding? Holding
        {
            get => Volatile.Read(ref _holding);
            set => Volatile.Write(ref _holding, value);
        }

        /// <summary>The innermost slot that still holds: so that a loop does not grow the chain.</summary>
        public static Slot? Live(Slot? slot)
        {
            while (slot is not null && slot.Holding?.IsHeld() != true) slot = slot.Outer;
            return slot;
        }
    }
}
