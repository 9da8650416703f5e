using System.Net.Sockets;
using ZfsHaEvents.Simulator.Disks;
using ZfsHaEvents.Simulator.Protocol;
using ZfsHaEvents.Simulator.World;

namespace ZfsHaEvents.Simulator.Kernel;

/// <summary>Serves a kernel's ioctls on its socket, one connection per process, one ioctl at a time on each.</summary>
sealed class KernelServer(HostKernel kernel) : IDisposable
{
    const int Backlog = 128;

    readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    readonly Ioctls _ioctls = new(kernel);

    /// <summary>Binds the socket; from here on a command finds the kernel.</summary>
    public void Listen()
    {
        Directory.SetCurrentDirectory(kernel.Host.Path);
        // A killed kernel leaves its socket behind, and a bound name cannot be bound again.
        File.Delete(HostDirectory.SocketName);
        _listener.Bind(new UnixDomainSocketEndPoint(HostDirectory.SocketName));
        _listener.Listen(Backlog);
    }

    public async Task ServeAsync(CancellationToken stop)
    {
        try
        {
            while (true) _ = ServeProcessAsync(await _listener.AcceptAsync(stop));
        }
        catch (OperationCanceledException)
        {
            // Power off.
        }
    }

    public void Dispose() => _listener.Dispose();

    async Task ServeProcessAsync(Socket socket)
    {
        using var line = socket;
        using var gone = new CancellationTokenSource();
        var request = await Frames.ReadAsync(socket, CancellationToken.None);
        while (request is not null)
        {
            var answer = AnswerAsync(request, new(socket, gone.Token));
            // A process says nothing while it waits: what ends this read is its next request after the reply, or its death.
            var next = Frames.ReadAsync(socket, CancellationToken.None);
            if (await Task.WhenAny(answer, next) == next) await gone.CancelAsync();
            if (await answer is { } reply && !gone.IsCancellationRequested) await SendAsync(socket, reply);
            request = await next;
        }
    }

    /// <summary>The reply; nothing when the caller died while it slept interruptibly.</summary>
    async Task<NvList?> AnswerAsync(NvList request, KernelCall call)
    {
        // Off this thread at once, so that the caller's death is watched from the start.
        await Task.Yield();
        try
        {
            return await _ioctls.AnswerAsync((Ioctl)request.Number(KernelConnection.IoctlField), request, call);
        }
        catch (OperationCanceledException) when (call.CallerGone.IsCancellationRequested)
        {
            return null;
        }
    }

    static async Task SendAsync(Socket socket, NvList reply)
    {
        try
        {
            await socket.SendAsync(Frames.Encode(reply));
        }
        catch (SocketException)
        {
            // The caller died between the end of the work and the reply: its work stays done.
        }
    }
}
