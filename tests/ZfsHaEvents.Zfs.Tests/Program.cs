using System.Runtime.Versioning;
using Xunit.Runner.InProc.SystemConsole;

[assembly: SupportedOSPlatform("linux")]

namespace ZfsHaEvents.Zfs.Tests;

static class Program
{
    static Task<int> Main(string[] args) => args is [OtherProcess.Verb, .. var rest] ? OtherProcess.MainAsync(rest) : ConsoleRunner.Run(args);
}
