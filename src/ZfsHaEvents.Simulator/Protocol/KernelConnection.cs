using System.Net.Sockets;
using System.Runtime.InteropServices;
using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Protocol;

/// <summary>A stand-in's line to its host's kernel: what /dev/zfs is to the real commands.</summary>
sealed class KernelConnection : IDisposable
{
    /// <summary>Names of the fields every request and reply may have.</summary>
    public const string IoctlField = "ioctl";
    public const string ErrorField = "errno";

    /// <summary>In a notice before the reply: from here on the caller sleeps uninterruptibly (state D).</summary>
    public const string UninterruptibleField = "uninterruptible";

    readonly Socket _socket;
    readonly List<PosixSignalRegistration> _ignored = [];

    KernelConnection(Socket socket) => _socket = socket;

    /// <summary>Connects, or nothing when no kernel runs on the host.</summary>
    public static KernelConnection? Open(HostDirectory host)
    {
        // A socket's path may be no longer than 107 bytes; a name relative to the host's folder always fits.
        Directory.SetCurrentDirectory(host.Path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(HostDirectory.SocketName));
            return new(socket);
        }
        catch (SocketException)
        {
            // No socket, or one that a killed kernel left behind.
            socket.Dispose();
            return null;
        }
    }

    /// <summary>Sends a request and waits for the reply, as long as it takes.</summary>
    public KernelReply Call(Ioctl ioctl, NvList? arguments = null)
    {
        NvList request = arguments ?? [];
        request.Add(IoctlField, (ulong)ioctl);
        _socket.Send(Frames.Encode(request));
        while (Frames.Read(_socket) is { } reply)
        {
            if (!reply.Has(UninterruptibleField)) return new((Errno)reply.Number(ErrorField), reply);
            SleepUninterruptibly();
        }
        // The host lost power, and with it every process on it, this one included.
        Posix.Signal(Environment.ProcessId, Posix.Kill);
        throw new System.Diagnostics.UnreachableException("A process outlived its own SIGKILL.");
    }

    public void Dispose()
    {
        _socket.Dispose();
        foreach (var signal in _ignored) signal.Dispose();
    }

    /// <summary>No process can escape SIGKILL; every other signal that would end a real command does nothing to one in state D.</summary>
    void SleepUninterruptibly()
    {
        foreach (var signal in (ReadOnlySpan<PosixSignal>)[PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGHUP, PosixSignal.SIGQUIT])
            _ignored.Add(PosixSignalRegistration.Create(signal, context => context.Cancel = true));
    }
}

/// <summary>A kernel's answer.</summary>
readonly record struct KernelReply(Errno Error, NvList Value)
{
    public bool Failed => Error != Errno.None;
}
