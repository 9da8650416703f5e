using System.Runtime.InteropServices;

namespace ZfsHaEvents.Cli.Text;

/// <summary>What .NET does not tell of standard output.</summary>
static partial class StandardOutput
{
    const int Descriptor = 1;
    const short Error = 8;

    /// <summary>
    /// Whoever read our output has gone (<c>zfsha history POOL --follow | grep -m1 …</c>). .NET ignores a broken pipe, so that a
    /// command which never ends by itself would go on for ever.
    /// </summary>
    public static bool IsAbandoned()
    {
        var poll = new PollDescriptor { Descriptor = Descriptor };
        return Poll(ref poll, 1, 0) > 0 && (poll.Events & Error) != 0;
    }

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref PollDescriptor descriptors, nuint count, int timeoutMilliseconds);

    /// <summary>struct pollfd of poll(2).</summary>
    [StructLayout(LayoutKind.Sequential)]
    struct PollDescriptor
    {
        public int Descriptor;
        public short Asked;
        public short Events;
    }
}
