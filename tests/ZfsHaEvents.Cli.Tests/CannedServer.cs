using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ZfsHaEvents.Cli.Tests;

/// <summary>Answers every question with a canned document, and notes what it was asked.</summary>
sealed class CannedServer : IDisposable
{
    readonly HttpListener _listener = new();
    readonly ConcurrentQueue<string> _asked = new(), _requests = new();
    readonly Func<string, (int Status, string Body)> _answer;

    public CannedServer(Func<string, string> answer) : this(path => (200, answer(path)))
    {
    }

    /// <param name="answer">From the path with its query to the status and the document; anything but 200 is a problem.</param>
    public CannedServer(Func<string, (int Status, string Body)> answer)
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

    /// <summary>Methods, paths and bodies, as they came.</summary>
    public IEnumerable<string> Requests => _requests;

    public void Dispose() => _listener.Close();

    async Task AnswerAsync()
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync();
                _asked.Enqueue(context.Request.RawUrl!);
                using (var body = new StreamReader(context.Request.InputStream))
                    _requests.Enqueue($"{context.Request.HttpMethod} {context.Request.RawUrl} {await body.ReadToEndAsync()}".TrimEnd());
                var (status, document) = _answer(context.Request.RawUrl!);
                (context.Response.StatusCode, context.Response.ContentType) = (status, status == 200 ? "application/json" : "application/problem+json");
                context.Response.Close(Encoding.UTF8.GetBytes(document), willBlock: false);
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
