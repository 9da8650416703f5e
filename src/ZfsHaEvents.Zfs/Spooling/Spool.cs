using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using ZfsHaEvents.Domain;
using ZfsHaEvents.Zfs.Locks;

namespace ZfsHaEvents.Zfs.Spooling;

/// <summary>
/// What this host has to tell the server, on disk until it has been told. Any process of the host appends; the agent forwards in
/// order and removes. An entry is removed only after it has been told, so it may be told twice, never not at all.
/// </summary>
/// <remarks>
/// It is bounded. What there is no room for is refused, so that whoever would have done something without a record does not do it; and that it was
/// refused is kept beside the entries, and becomes one of them when there is room again.
/// </remarks>
public sealed class Spool(HostEnvironment host)
{
    const uint OwnerOnly = 0x1c0; // 0700
    const string Suffix = ".json";
    const string CounterName = "counter";
    const string AsideName = "bad";
    const string RefusedPrefix = "refused-";

    /// <summary>A file takes whole blocks of the disk, however little is in it.</summary>
    const long BlockBytes = 4096;

    /// <summary>Without escapes that only HTML needs: people read these files when something went wrong.</summary>
    static readonly SpoolJson Json = new(new JsonSerializerOptions(SpoolJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500);

    readonly string _directory = Path.Join(host.StateDirectory, "spool");
    TaskCompletionSource _appended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Adds an entry. It is on disk, with fsync of file and directory, when this returns.</summary>
    /// <param name="refusal">What to keep of it if there is no room; wanted of all that is not the outcome of something.</param>
    /// <exception cref="HostException">It could not be written: no room for it in the spool, or a full or failing disk.</exception>
    public SpoolEntry Append(string text, OrderId? completes = null, SpoolShare share = SpoolShare.Outcome, SpoolRefusal? refusal = null)
    {
        using var file = LockSpool();
        try
        {
            RemoveTorn();
            var bytes = Bytes();
            if (bytes >= Limit(share))
            {
                if (refusal is not null) Keep(refusal);
                throw new HostException(WhyFull(bytes, share));
            }

            TellRefused(bytes);
            var entry = new SpoolEntry(Next(), completes, text);
            DurableFile.Write(PathOf(entry.Number), JsonSerializer.Serialize(new SpoolFile(completes, text), Json.SpoolFile));
            Interlocked.Exchange(ref _appended, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
            return entry;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // Said with its place; the caller must not act without its record.
        {
            throw HostException.At(_directory, $"Nothing can be written to {_directory}", e);
        }
    }

    /// <summary>What waits, and what is wrong. Nothing is written, moved or locked.</summary>
    /// <exception cref="HostException">The spool cannot be read.</exception>
    public SpoolFound Look()
    {
        var unreadable = new List<string>();
        if (!Directory.Exists(_directory)) return new(_directory, 0, null, 0, host.SpoolBytesMax, false, unreadable, [], 0, []);

        try
        {
            DateTimeOffset? oldest = null;
            var entries = 0L;
            foreach (var path in Numbers().Select(PathOf))
            {
                if (ReadText(path) is not { } text) continue; // Told and removed since it was listed.
                if (Parsed(text, out var problem) is null) unreadable.Add($"{path} is no spool entry: {problem}");
                else entries++;
                oldest ??= File.GetLastWriteTimeUtc(path) is { Year: > 1601 } written ? written : null; // .NET's answer for a file that has just gone.
            }

            var bytes = Bytes();
            var aside = Path.Join(_directory, AsideName);
            return new(
                _directory, entries, oldest, bytes, host.SpoolBytesMax, bytes >= Limit(SpoolShare.Routine), unreadable,
                Directory.Exists(aside) ? [.. Directory.EnumerateFiles(aside).Order(StringComparer.Ordinal)] : [],
                Directory.EnumerateFiles(_directory, DurableFile.TemporaryPrefix + "*").Count(), [.. RefusedFiles().Select(path => ReadRefused(path)).OfType<RefusedEntries>()]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // A failing disk, or not root.
        {
            throw HostException.At(_directory, $"{_directory} cannot be read", e);
        }
    }

    /// <summary>The oldest entries. A file that is no entry is moved to <c>bad/</c> and told of.</summary>
    /// <exception cref="HostException">The spool cannot be read.</exception>
    public SpoolReading ReadPending(int max = 1000)
    {
        var entries = new List<SpoolEntry>();
        var bad = new List<string>();
        if (!Directory.Exists(_directory)) return new(entries, bad);

        try
        {
            foreach (var number in Numbers().Take(max))
            {
                var path = PathOf(number);
                if (ReadText(path) is not { } text) continue; // Removed by another process since it was listed.
                if (Parsed(text, out var problem) is { } read) entries.Add(new(number, read.Completes, read.Text));
                else bad.Add(PutAside(path, problem));
            }
            return new(entries, bad);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // A failing disk, or not root.
        {
            throw HostException.At(_directory, $"{_directory} cannot be read", e);
        }
    }

    /// <summary>Removes an entry that has been told. Removing it again does nothing.</summary>
    /// <exception cref="HostException"/>
    public void Remove(SpoolEntry entry)
    {
        using var file = LockSpool();
        try
        {
            // The highest number is known from the entry that bears it; before that entry goes, it is written down. The others go without
            // anything being written, so that a full disk is relieved.
            if (Numbers().LastOrDefault() <= entry.Number && ReadCounter() < entry.Number)
                DurableFile.Write(Path.Join(_directory, CounterName), entry.Number.ToString(CultureInfo.InvariantCulture));
            File.Delete(PathOf(entry.Number));
            if (RefusedFiles().Any()) TellRefused(Bytes());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // It stays, and is told again.
        {
            throw HostException.At(_directory, $"{PathOf(entry.Number)} cannot be removed", e);
        }
    }

    /// <summary>
    /// Waits until there is an entry with a number above the given one. An append by this process is noticed at once, one by
    /// another process within 500 ms.
    /// </summary>
    /// <exception cref="OperationCanceledException"/>
    public async Task WaitAsync(long above, CancellationToken cancellation)
    {
        while (true)
        {
            var appended = Volatile.Read(ref _appended).Task; // Taken before looking, so that an append in between is not missed.
            if (Directory.Exists(_directory) && Numbers().LastOrDefault() > above) return;
            await Task.WhenAny(appended, Task.Delay(PollInterval, cancellation));
            cancellation.ThrowIfCancellationRequested();
        }
    }

    LockFile LockSpool()
    {
        try
        {
            DurableFile.EnsureDirectory(_directory, OwnerOnly);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // A read-only or full disk, or not root.
        {
            throw HostException.At(_directory, $"{_directory} cannot be made", e);
        }
        var file = LockFile.Open(_directory, ".lock", OwnerOnly);
        file.LockBriefly(_directory);
        return file;
    }

    /// <summary>Under the lock nobody is writing: what is unfinished now will never be finished.</summary>
    void RemoveTorn()
    {
        foreach (var torn in Directory.EnumerateFiles(_directory, DurableFile.TemporaryPrefix + "*")) File.Delete(torn);
    }

    long Next() => Math.Max(ReadCounter(), Numbers().LastOrDefault()) + 1;

    long Bytes() => new DirectoryInfo(_directory).EnumerateFiles("*" + Suffix).Sum(file => Math.Max(1, (file.Length + BlockBytes - 1) / BlockBytes) * BlockBytes);

    long Limit(SpoolShare share) => share switch
    {
        SpoolShare.Routine => host.SpoolBytesMax / 4 * 3,
        SpoolShare.Typed => host.SpoolBytesMax / 10 * 9,
        SpoolShare.Outcome => long.MaxValue,
        _ => throw new System.Diagnostics.UnreachableException($"{share} is no share of the spool."),
    };

    string WhyFull(long bytes, SpoolShare share)
    {
        const double mebibyte = 1024 * 1024;
        return string.Create(CultureInfo.InvariantCulture,
            $"The spool {_directory} is full: {bytes / mebibyte:0.0} MiB wait to be told, of {host.SpoolBytesMax / mebibyte:0.0} MiB, and {(share is SpoolShare.Typed ? "what is typed stops at nine tenths" : "what nobody typed stops at three quarters")}. Nothing was begun, and that it was refused is told later. Start this host's agent, or bring its database back, and it empties; zfsha spool shows it; ZFSHA_SPOOL_LIMIT_MB makes it larger.");
    }

    IEnumerable<string> RefusedFiles() => Directory.EnumerateFiles(_directory, RefusedPrefix + "*").Order(StringComparer.Ordinal);

    /// <summary>
    /// One file for a subject, which is a whole entry already: telling it is renaming it. So a death at any moment neither loses it nor tells it twice.
    /// </summary>
    void Keep(SpoolRefusal refusal)
    {
        var path = Path.Join(_directory, RefusedPrefix + refusal.Subject);
        var now = DateTimeOffset.UtcNow;
        var refused = (ReadRefused(path) ?? new(refusal.Subject, now, now, new SortedDictionary<string, long>())).With(refusal.What, now);
        DurableFile.Write(path, JsonSerializer.Serialize(new(null, refusal.Tell(refused), refused), Json.RefusedFile));
    }

    /// <summary>What was refused becomes entries, if there is room for what is routine.</summary>
    void TellRefused(long bytes)
    {
        if (bytes >= Limit(SpoolShare.Routine)) return;
        foreach (var path in RefusedFiles()) DurableFile.Rename(path, PathOf(Next()));
    }

    static RefusedEntries? ReadRefused(string path)
    {
        try
        {
            return ReadText(path) is { } text ? JsonSerializer.Deserialize(text, Json.RefusedFile)?.Refused : null;
        }
        catch (JsonException) // Damaged on the disk. It is told as it is, and put aside then; what is refused from now on is counted anew.
        {
            return null;
        }
    }

    IEnumerable<long> Numbers() => Directory.EnumerateFiles(_directory, "*" + Suffix)
        .Select(path => long.TryParse(Path.GetFileNameWithoutExtension(path), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0)
        .Where(number => number > 0)
        .Order();

    long ReadCounter()
    {
        if (ReadText(Path.Join(_directory, CounterName)) is not { } text) return 0;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var counter)
            ? counter
            : throw new HostException($"{Path.Join(_directory, CounterName)} is damaged: write into it a number above all that were ever used.");
    }

    string PathOf(long number) => Path.Join(_directory, number.ToString("D19", CultureInfo.InvariantCulture) + Suffix);

    static string? ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (FileNotFoundException) // Asked for.
        {
            return null;
        }
    }

    static SpoolFile? Parsed(string text, out string problem)
    {
        try
        {
            problem = "it is empty";
            return JsonSerializer.Deserialize(text, Json.SpoolFile);
        }
        catch (JsonException e) // Not written by us, or damaged on the disk.
        {
            problem = e.Message;
            return null;
        }
    }

    string PutAside(string path, string problem)
    {
        var aside = Path.Join(_directory, AsideName);
        DurableFile.EnsureDirectory(aside, OwnerOnly);
        var to = Path.Join(aside, Path.GetFileName(path));
        File.Move(path, to, overwrite: true);
        return $"{to} is no spool entry: {problem}";
    }

    /// <summary>An entry's file.</summary>
    internal sealed record SpoolFile(OrderId? Completes, string Text);

    /// <summary>An entry's file with what it was made of; it is read as an entry, which knows nothing of that.</summary>
    internal sealed record RefusedFile(OrderId? Completes, string Text, RefusedEntries Refused);
}

[JsonSourceGenerationOptions(RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(Spool.SpoolFile))]
[JsonSerializable(typeof(Spool.RefusedFile))]
sealed partial class SpoolJson : JsonSerializerContext;
