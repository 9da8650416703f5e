using System.Runtime.CompilerServices;
using Shouldly;

namespace ZfsHaEvents.Server.Tests;

/// <summary>
/// What was written once must be readable for ever. Each stored or sent shape has a file; with ZFSHA_REWRITE_GOLDEN=1 the files are
/// written anew. A file that changes is a changed format: it wants a new name (<c>{alias}_v2</c>) and an upcaster, not a new file.
/// </summary>
static class Golden
{
    static bool Rewrite => Environment.GetEnvironmentVariable("ZFSHA_REWRITE_GOLDEN") is { Length: > 0 };

    public static string Folder([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "Golden");

    /// <summary>Compares with the file, or writes it.</summary>
    public static void ShouldBe(string file, string json)
    {
        var path = Path.Combine(Folder(), file);
        var spread = Sample.Spread(json);
        if (Rewrite)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, spread);
        }

        File.Exists(path).ShouldBeTrue($"{file} is missing: is the type new? Run the tests once with ZFSHA_REWRITE_GOLDEN=1 and look at what was written.");
        spread.ShouldBe(File.ReadAllText(path), $"{file} says how it was stored until now");
    }

    public static string Read(string file) => File.ReadAllText(Path.Combine(Folder(), file));

    public static IEnumerable<string> Files(string folder) => Directory.EnumerateFiles(Path.Combine(Folder(), folder), "*.json").Select(f => Path.GetFileNameWithoutExtension(f));
}
