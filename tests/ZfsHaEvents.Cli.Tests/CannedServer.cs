using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ZfsHaEvents.Cli.Tests;

/// <summary>Answers every question with a canned document, and notes what it was asked.</summary>
sealed class CannedServer : IDisposable
{
    readonly HttpListener _listener = new();
    readonly ConcurrentQueue<string> _asked = new();
    readonly Func<string, string> _answer;

    public CannedServer(Func<string, string> answer)
    {
        _answer = answer;
        Address = $"http://127.0.0.1:{FreePort()}/";
        _listener.Prefixes.Add(Address);
        _listener.Start();
        _ = AnswerAsync();
    }

    public string Address { get; }

    /// <summary>Paths with their queries, as they came.</summary>
    public IEnumerable<string> Asked => _asked;

    public void Dispose() => _listener.Close();

    async Task AnswerAsync()
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync();
                _asked.Enqueue(context.Request.RawUrl!);
                context.Response.ContentType = "application/json";
                context.Response.Close(Encoding.UTF8.GetBytes(_answer(context.Request.RawUrl!)), willBlock: false);
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // Disposed of.
        }
    }

    static int FreePort()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }
}
