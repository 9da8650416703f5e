using System.Net.Sockets;
using ZfsHaEvents.Simulator.Protocol;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>One ioctl under way, and the process that made it.</summary>
/// <param name="Socket">The line to that process.</param>
/// <param name="CallerGone">Cancelled when the process is gone: what sleeps interruptibly ends then (EINTR), anything else goes on.</param>
sealed record KernelCall(Socket Socket, CancellationToken CallerGone)
{
    /// <summary>Tells the caller that it sleeps uninterruptibly from now on; one that is gone already need not know.</summary>
    public async Task SleepUninterruptiblyAsync()
    {
        try
        {
            await Socket.SendAsync(Frames.Encode(new() { { KernelConnection.UninterruptibleField, 1 } }));
        }
        catch (SocketException)
        {
            // Killed in the meantime; the kernel goes on without it.
        }
        catch (ObjectDisposedException)
        {
            // The line was closed after the caller's death.
        }
    }
}
